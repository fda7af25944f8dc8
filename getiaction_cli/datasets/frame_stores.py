"""Stores of decoded frames: which there are, from the manifests that training wrote beside them.

The training core decodes the frames of a dataset once and keeps them (getiaction/data/frame_store.py tells how); here
nothing but the JSON beside each array is read. A folder is a store by its name and by its files, and only files that
training gives such names are ever deleted: `--path` may name any folder.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.spec.frame_loading import frames_root

# As getiaction/data/frame_store.py and columns.py name them.
_FOLDER = re.compile(r"[A-Za-z0-9._-]+-[0-9a-f]{8}")
_FILE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+\.[0-9a-f]{16}|table-[0-9a-f]+-\d+)(\.json|\.bin|\.npz)(?P<unfinished>\.tmp)?"
)
_LOCK = ".lock"
_MANIFEST = {"format", "what", "repo_id", "root", "rows", "bytes"}
_MOST_MANIFEST = 1 << 20


@dataclass(frozen=True)
class Store:
    """What is kept of one dataset.

    Attributes:
        repo_id: The dataset.
        root: Its folder; empty where no manifest could be read.
        folder: Where the store lies.
        cameras: Whose frames are kept.
        frames: How many, of all cameras.
        size: Bytes on disk.
        used: When it was last opened, in seconds of `time.time`.
        in_use: A process builds it right now.
        damaged: Names of its manifests that can't be read.
    """

    repo_id: str
    root: str
    folder: Path
    cameras: tuple[str, ...]
    frames: int
    size: int
    used: float
    in_use: bool
    damaged: tuple[str, ...] = ()

    @property
    def gone(self) -> bool:
        """The dataset is no longer where it was; never true where it is not known which dataset it is of."""
        return Path(self.root).is_absolute() and not Path(self.root, "meta", "info.json").is_file()


def stores(place: Path | None = None) -> list[Store]:
    """The stores in a folder (default `frames_root`), the last used one first; what can't be read is passed over."""
    place = place or frames_root()
    found = [store for folder in (place.iterdir() if place.is_dir() else ()) for store in _store(folder)]
    return sorted(found, key=lambda store: -store.used)


def _store(folder: Path) -> Iterator[Store]:
    if not _FOLDER.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
        return
    files = _files(folder)
    manifests = [
        (facts, found.st_mtime)
        for name, found in files.items()
        if name.endswith(".json") and (facts := _manifest(folder / name)) is not None
    ]
    unfinished = any(match["unfinished"] for name in files if (match := _FILE.fullmatch(name)))
    damaged = tuple(sorted(name for name in files if name.endswith(".json")))
    damaged = tuple(name for name in damaged if _manifest(folder / name) is None)
    # A damaged manifest beside its array and our lock is still a store of ours.
    arrays = any(name.removesuffix(".json") + ".bin" in files for name in damaged)
    if not manifests and not ((unfinished or arrays) and _LOCK in files):
        return  # not written by us: not ours to show or to delete
    said = [facts for facts, _ in manifests]
    frames = [facts for facts in said if facts["what"] == "frames"]
    yield Store(
        repo_id=said[0]["repo_id"] if said else folder.name,
        root=next((facts["root"] for facts in said if Path(facts["root"]).is_absolute()), ""),
        folder=folder,
        cameras=tuple(sorted({str(each.get("camera")) for each in frames})),
        frames=sum(each["rows"] for each in frames),
        size=sum(found.st_blocks * 512 for found in files.values()),
        used=max((time for _, time in manifests), default=folder.stat().st_mtime),
        in_use=_locked(folder / _LOCK),
        damaged=damaged,
    )


def _files(folder: Path) -> dict[str, os.stat_result]:
    """Our regular files in a folder; links don't count."""
    found = {}
    try:
        for entry in os.scandir(folder):
            if entry.name == _LOCK or _FILE.fullmatch(entry.name):
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    found[entry.name] = about
    except OSError:
        return {}
    return found


def _manifest(path: Path) -> dict[str, Any] | None:
    """What a manifest says; None where it is damaged, or none."""
    try:
        facts = trust.read_json(path, _MOST_MANIFEST)
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or not facts.keys() >= _MANIFEST or facts["what"] not in ("frames", "column"):
        return None
    texts = isinstance(facts["repo_id"], str) and isinstance(facts["root"], str) and "\0" not in facts["root"]
    return facts if texts and type(facts["rows"]) is int else None


def delete(store: Store) -> list[str]:
    """Delete our files in a store, manifests first. A training that has it open continues with what it has mapped.

    Returns:
        The names of what is not ours, because of which the folder stays.

    Raises:
        OSError: a file can't be deleted.
    """
    for name in sorted(_files(store.folder), key=lambda name: (not name.endswith(".json"), name == _LOCK)):
        (store.folder / name).unlink(missing_ok=True)
    others = sorted(entry.name for entry in os.scandir(store.folder))
    if not others:
        store.folder.rmdir()
    return others


def _locked(lock: Path) -> bool:
    import fcntl

    try:
        with trust.open_regular(lock) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
