"""The files of a dataset: which are there, and which its metadata names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from getiaction.spec.dataset_layout import DATA_PATH, VIDEO_PATH

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

# Those of the versions before v3.0.
OLD_DATA_PATH = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
OLD_VIDEO_PATH = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"

Rows = npt.NDArray[np.int64]

_PARTS = ("meta", "data", "videos", "images")
_DEEPEST = 8  # folders; LeRobot's own lie at most five deep


@dataclass(slots=True)
class Listing:
    """Files under the dataset's folder.

    Args:
        sizes: name relative to the root → bytes.
        broken_links: symbolic links that lead nowhere.
        unreadable: files and folders that may not be opened, pipes and devices.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    broken_links: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def lacks(self, name: str) -> bool:
        """True for a file that is not there; a folder that may not be opened counts as complete."""
        return name not in self.sizes and not any(name.startswith(folder + "/") for folder in self.unreadable)

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.sizes.values())


def list_files(root: Path) -> Listing:
    """Walk ``meta``, ``data``, ``videos`` and ``images``. Links are followed, but not to a folder they are in."""
    listing = Listing()

    def walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            listing.unreadable.append(prefix.rstrip("/"))
            return
        for entry in entries:
            name = prefix + entry.name
            try:
                stat = entry.stat()
            except OSError:
                (listing.broken_links if entry.is_symlink() else listing.unreadable).append(name)
                continue
            if entry.is_dir():
                here = (stat.st_dev, stat.st_ino)
                if here not in above and len(above) < _DEEPEST:
                    walk(entry.path, name + "/", (*above, here))
            elif not S_ISREG(stat.st_mode):  # a pipe or a device: reading it would never end
                listing.unreadable.append(name)
            else:
                listing.sizes[name] = stat.st_size
                if not os.access(entry.path, os.R_OK):
                    listing.unreadable.append(name)

    for part in _PARTS:
        if (root / part).is_dir():
            stats = (root.stat(), (root / part).stat())
            walk(str(root / part), part + "/", tuple((stat.st_dev, stat.st_ino) for stat in stats))
    return listing


def data_files(dataset: Dataset) -> dict[str, Rows]:
    """The tables that the episodes name → the rows of ``episodes`` in them."""
    template = _template(dataset, "data_path", OLD_DATA_PATH if dataset.is_old else DATA_PATH)
    episodes = dataset.episodes
    if template is None or not len(episodes):
        return {}
    if dataset.is_old:
        return _per_episode(dataset, template)
    if episodes.data_chunk is None or episodes.data_file is None:
        return {}
    return _grouped(template, episodes.data_chunk, episodes.data_file)


def video_files(dataset: Dataset, key: str) -> dict[str, Rows]:
    """The videos of one camera that the episodes name → the rows of ``episodes`` in them."""
    template = _template(dataset, "video_path", OLD_VIDEO_PATH if dataset.is_old else VIDEO_PATH)
    if template is None or not len(dataset.episodes):
        return {}
    if dataset.is_old:
        return _per_episode(dataset, template, key)
    columns = dataset.episodes.videos.get(key)
    return {} if columns is None else _grouped(template, columns.chunk, columns.file, key)


def _template(dataset: Dataset, name: str, default: str) -> str | None:
    template = dataset.info.get(name, default)
    return template if isinstance(template, str) else None


def _per_episode(dataset: Dataset, template: str, key: str = "") -> dict[str, Rows]:
    chunks_size = dataset.info.get("chunks_size")
    size = chunks_size if isinstance(chunks_size, int) and chunks_size > 0 else 1000
    files: dict[str, list[int]] = {}
    for row, index in enumerate(dataset.episodes.index.tolist()):
        name = fill(template, video_key=key, episode_chunk=index // size, episode_index=index)
        if name is None:
            return {}
        files.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in files.items()}


def _grouped(template: str, chunk: Rows, file: Rows, key: str = "") -> dict[str, Rows]:
    # A million episodes live in some thousand files: each name is made once.
    span = int(file.max(initial=0)) + 1
    pairs, first, inverse = np.unique(chunk * span + file, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(pairs) + 1))
    files: dict[str, list[Rows]] = {}
    for group in np.argsort(first).tolist():
        row = first[group]
        name = fill(template, video_key=key, chunk_index=int(chunk[row]), file_index=int(file[row]))
        if name is None:
            return {}
        files.setdefault(name, []).append(order[bounds[group] : bounds[group + 1]])
    return {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in files.items()}


def fill(template: str, **values: object) -> str | None:
    """Fill a path template, as ``str.format`` would; None where it asks for anything but these values.

    Not ``str.format`` itself: the template comes from strangers, and "{x:999999999d}" would eat the memory.
    """
    unknown = False

    def put(match: re.Match[str]) -> str:
        nonlocal unknown
        value = values.get(match["name"])
        if value is None:
            unknown = True
            return ""
        return f"{value:0{match['width']}d}" if match["width"] and isinstance(value, int) else str(value)

    name = re.sub(r"\{(?P<name>\w+)(?::0?(?P<width>\d{1,2})d)?\}", put, template)
    return None if unknown or "{" in name or "}" in name else name
