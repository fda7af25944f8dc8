"""The episodes of a dataset as columns: where each begins, how long it is, which files hold it, which tasks it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of a dataset in row order, and the ``task_index`` beside each."""

    texts: list[str] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VideoColumns:
    """One camera's videos, one row per episode. ``chunk`` and ``file`` name the video file."""

    chunk: Ints
    file: Ints
    from_timestamp: Floats
    to_timestamp: Floats


@dataclass(frozen=True, slots=True)
class EpisodeSums:
    """What the episodes' own statistics of one feature add up to.

    Args:
        episodes: how many were looked at.
        frames: their frames, by their own count.
        min, max, mean: (dimensions,) over all of them.
    """

    episodes: int
    frames: float
    min: Floats
    max: Floats
    mean: Floats

    def __add__(self, other: EpisodeSums) -> EpisodeSums:
        frames = max(self.frames + other.frames, 1)
        return EpisodeSums(
            self.episodes + other.episodes,
            self.frames + other.frames,
            np.minimum(self.min, other.min),
            np.maximum(self.max, other.max),
            (self.mean * self.frames + other.mean * other.frames) / frames,
        )


@dataclass(frozen=True, slots=True)
class Episodes:
    """One row per episode, in the order of the files (LeRobot looks episodes up by that position).

    A column that the files do not have is None; a value that is null there is -1 (NaN for timestamps).
    Tasks are kept as codes into ``task_names``: those of row i are ``task_codes[task_offsets[i]:task_offsets[i + 1]]``.
    ``sums`` are those of the episodes' own statistics, by feature; where there are very many, of the first ones.
    """

    index: Ints
    length: Ints
    from_index: Ints | None = None
    to_index: Ints | None = None
    data_chunk: Ints | None = None
    data_file: Ints | None = None
    videos: dict[str, VideoColumns] = field(default_factory=dict)
    task_names: list[str] = field(default_factory=list)
    task_codes: Ints | None = None
    task_offsets: Ints | None = None
    files: list[str] = field(default_factory=list)
    file_of_row: npt.NDArray[np.int32] | None = None
    sums: dict[str, EpisodeSums] = field(default_factory=dict)

    @classmethod
    def none(cls) -> Episodes:
        """No episodes, as when their files are missing."""
        return cls(index=np.zeros(0, np.int64), length=np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.index)

    def tasks(self, row: int) -> list[str]:
        """The task texts of one episode."""
        if self.task_codes is None or self.task_offsets is None:
            return []
        codes = self.task_codes[self.task_offsets[row] : self.task_offsets[row + 1]]
        return [self.task_names[code] for code in codes]

    def first_task_codes(self) -> Ints:
        """The first task of each episode as a code into ``task_names``; episodes without a task share one code."""
        none = self.task_names.index("") if "" in self.task_names else -1
        codes = np.full(len(self), none, np.int64)
        if self.task_codes is not None and self.task_offsets is not None:
            has_one = np.diff(self.task_offsets) > 0
            codes[has_one] = self.task_codes[self.task_offsets[:-1][has_one]]
        return codes

    def task_counts(self) -> dict[str, tuple[int, int]]:
        """Task text → (episodes, frames), most frames first. An episode with several tasks counts for each."""
        if self.task_codes is None or self.task_offsets is None or not len(self.task_codes):
            return {}
        per_row = np.diff(self.task_offsets)
        lengths = np.repeat(self.length, per_row)
        episodes = np.bincount(self.task_codes, minlength=len(self.task_names))
        frames = np.bincount(self.task_codes, weights=lengths, minlength=len(self.task_names)).astype(np.int64)
        order = np.argsort(-frames, kind="stable")
        return {self.task_names[i]: (int(episodes[i]), int(frames[i])) for i in order}

    def file_of(self, row: int) -> str:
        """The metadata file that a row came from, relative to the dataset's folder."""
        if self.file_of_row is None or row >= len(self.file_of_row):
            return self.files[0] if self.files else "meta/episodes"
        return self.files[self.file_of_row[row]]


def joined_tasks(parts: Sequence[Episodes]) -> tuple[list[str], Ints | None, Ints | None]:
    """The names, codes and offsets of the tasks of several parts, one after the other; a part may have none."""
    names = list(dict.fromkeys(name for part in parts for name in part.task_names))
    number = {name: code for code, name in enumerate(names)}
    per_row, codes = list[Ints](), list[Ints]()
    for part in parts:
        if part.task_codes is None or part.task_offsets is None:
            per_row.append(np.zeros(len(part), np.int64))
            continue
        translated = np.array([number[name] for name in part.task_names], dtype=np.int64)
        codes.append(translated[part.task_codes] if len(translated) else part.task_codes)
        per_row.append(np.diff(part.task_offsets))
    if not codes:
        return names, None, None
    return names, np.concatenate(codes), np.concatenate([[0], np.cumsum(np.concatenate(per_row))])
