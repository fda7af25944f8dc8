"""A dataset's metadata in memory: what rules, rendering and the policies room ask about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from getiaction.spec.dataset_location import INFO, Location
from getiaction.spec.fingerprint import fingerprint
from getiaction_cli.datasets.episodes import Episodes
from getiaction_cli.datasets.files import Listing, Rows, list_files
from getiaction_cli.datasets.header import Findings, Header
from getiaction_cli.datasets.jsonfile import JsonFile, find, read_json, stumble
from getiaction_cli.datasets.stats import STATS, Stats
from getiaction_cli.diagnostics import Finding, Span

if TYPE_CHECKING:
    from getiaction_cli.datasets.frame_times import FrameTimes
    from getiaction_cli.datasets.mp4 import VideoHeader
    from getiaction_cli.datasets.tables import TableHeader


@dataclass(frozen=True, kw_only=True)
class Dataset(Header):
    """What the files under ``meta/`` say. What is missing is empty.

    Args:
        place: where it was found.
        tasks: texts in row order: LeRobot looks tasks up by position.
        task_indices: the ``task_index`` beside each.
        episodes: one row per episode.
        stats: key → statistic → numbers in the file's own shape; None when there are none.
        stats_source: the file that the statistics came from.
        findings: what was wrong while reading.
        texts: the JSON files of which lines were shown.
        judged: what rules about the dataset alone have found, by code, so that each runs once.
        frames: (file, key) → what `frame` found: a fault of the dataset is shown for every policy that is tried on it.
        splits: (``val_split``, chosen episodes) → rows to train on, rows held out and the lengths of those to train on,
            so that each is computed once.
    """

    place: Location
    tasks: list[str] = field(default_factory=list)
    task_indices: list[int] = field(default_factory=list)
    episodes: Episodes = field(default_factory=Episodes.none)
    stats: Stats | None = None
    stats_source: str = STATS
    findings: Findings = ()
    texts: dict[str, JsonFile | None] = field(default_factory=dict, repr=False)
    judged: dict[str, tuple[Finding, ...]] = field(default_factory=dict, repr=False)
    frames: dict[tuple[str, str], tuple[tuple[str, ...], Span | None]] = field(default_factory=dict, repr=False)
    splits: dict[tuple[float, bytes | None], tuple[npt.NDArray[np.int64], list[int], npt.NDArray[np.int64]]] = field(
        default_factory=dict, repr=False
    )

    @property
    def repo_id(self) -> str:
        """The id as the user gave it."""
        return self.place.repo_id

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The datasets that it is put together from: itself, unless it is a mixture."""
        return (self,)

    @property
    def root(self) -> Path:
        """The folder that holds ``meta/``."""
        return self.place.root

    @cached_property
    def longest_task(self) -> str:
        """The task with the most words; empty without tasks."""
        return max(self.tasks, key=lambda text: len(text.split()), default="")

    @cached_property
    def tasks_in_order(self) -> bool:
        """True when each task's ``task_index`` is its row."""
        return self.task_indices == list(range(len(self.task_indices)))

    @cached_property
    def repeated_task_indices(self) -> list[int]:
        """Each ``task_index`` that occurs more than once, in order."""
        return sorted(index for index, times in Counter(self.task_indices).items() if times > 1)

    def found(self, code: str) -> Iterator[Finding]:
        """What reading found under this code, for the rule of that code to yield."""
        return (finding for found, finding in self.findings if found == code)

    @cached_property
    def listing(self) -> Listing:
        """Every file under the root, with sizes. Walks the folder once."""
        return list_files(self.root)

    @property
    def size_bytes(self) -> int:
        """Bytes on this disk."""
        return self.listing.total

    @property
    def has_data(self) -> bool:
        """False when only ``meta/`` is here, as after fetching it from the Hub."""
        return not self.place.is_cached_copy or any(
            name.startswith(("data/", "videos/")) for name in self.listing.sizes
        )

    def lacking(self, rows: Rows | Sequence[int]) -> list[str]:
        """Tables and videos of some rows of ``episodes`` that a cached copy of the Hub's dataset lacks.

        Training fetches them.
        """
        if not self.place.is_cached_copy:
            return []
        wanted = np.zeros(len(self.episodes), bool)
        wanted[rows] = True
        named = [self.data_files, *self.video_files.values()]
        used = {name for files in named for name, found in files.items() if wanted[found].any()}
        return sorted(used - self.listing.sizes.keys())

    @cached_property
    def data_files(self) -> dict[str, Rows]:
        """The tables that the episodes name → rows of ``episodes`` in them, by first use. Empty when unknown."""
        from getiaction_cli.datasets.files import data_files

        return data_files(self)

    @cached_property
    def video_files(self) -> dict[str, dict[str, Rows]]:
        """Camera → the video files that its episodes name → rows of ``episodes`` in them."""
        from getiaction_cli.datasets.files import video_files

        return {key: video_files(self, key) for key in self.video_keys}

    @cached_property
    def tables(self) -> dict[str, TableHeader]:
        """The headers of the tables under ``data/`` that are here, by file name."""
        from getiaction_cli.datasets.tables import read_headers

        return read_headers(self.root, [name for name in self.listing.sizes if is_table(name)])

    @cached_property
    def videos(self) -> dict[str, VideoHeader]:
        """The headers of the video files that the episodes name and that are here."""
        from getiaction_cli.datasets.mp4 import read_headers

        named = {name for files in self.video_files.values() for name in files}
        return read_headers(self.root, [name for name in sorted(named) if self.listing.sizes.get(name, 0) > 0])

    @cached_property
    def frame_times(self) -> FrameTimes:
        """When each frame is, of the first tables that the episodes name."""
        from getiaction_cli.datasets.frame_times import read_frame_times

        there = [name for name in self.data_files if self.listing.sizes.get(name)]
        return read_frame_times(self.root, there)

    @cached_property
    def fingerprint(self) -> str:
        """As run.json has it: a sha256 over the files under ``meta/``."""
        return fingerprint(self.root)

    def frame(self, file: str, key: str = "") -> tuple[tuple[str, ...], Span | None]:
        """The lines of one of the dataset's files around a key, and where exactly it is.

        Args:
            file: relative to the root ("meta/info.json").
            key: a dotted route inside it; empty for where a broken file stops being JSON.

        Returns:
            The source lines from the span's first line on, and the span; nothing for files that are not JSON.
        """
        if (file, key) not in self.frames:
            self.frames[file, key] = self._find_frame(file, key)
        return self.frames[file, key]

    def _find_frame(self, file: str, key: str) -> tuple[tuple[str, ...], Span | None]:
        text = self.text(file)
        span = text and (find(text.source, key) if key else stumble(text))
        return (text.source.lines(span), span) if text and span else ((), None)

    def text(self, file: str) -> JsonFile | None:
        """One of the JSON files under ``meta/``, read again when its text is needed; None when it is missing."""
        if file not in self.texts:
            there = file in (INFO, STATS) and (self.root / file).is_file()
            self.texts[file] = read_json(self.root / file) if there else None
        return self.texts[file]


def is_table(name: str) -> bool:
    """True for the name of a table of frames."""
    return name.startswith("data/") and name.endswith(".parquet")
