"""Stores of decoded frames: which there are, from the manifests that training wrote beside them.

The training core decodes the frames of a dataset once and keeps them (getiaction/data/frame_store.py tells how); here
nothing but the JSON beside each array is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Store:
    """What is kept of one dataset.

    Attributes:
        repo_id: The dataset.
        root: Its folder.
        folder: Where the store lies.
        cameras: Whose frames are kept.
        frames: How many, of all cameras.
        size: Bytes on disk.
        used: When it was last opened, in seconds of `time.time`.
        in_use: A process builds it right now.
    """

    repo_id: str
    root: str
    folder: Path
    cameras: tuple[str, ...]
    frames: int
    size: int
    used: float
    in_use: bool

    @property
    def gone(self) -> bool:
        """The dataset is no longer where it was."""
        return not Path(self.root, "meta", "info.json").is_file()


def home() -> Path:
    """Where stores lie unless a recipe says otherwise; as in getiaction/spec/frame_loading.py."""
    own = os.environ.get("GETIACTION_CACHE")
    if own:
        return Path(own).expanduser() / "frames"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "getiaction" / "frames"


def stores(place: Path | None = None) -> list[Store]:
    """The stores in a folder (default `home`), the last used one first; what can't be read is passed over."""
    place = place or home()
    found = [store for folder in (place.iterdir() if place.is_dir() else ()) for store in _store(folder)]
    return sorted(found, key=lambda store: -store.used)


def _store(folder: Path) -> Iterator[Store]:
    if not (folder / ".lock").is_file():
        return  # not written by us: not ours to show or to delete
    manifests = []
    for path in folder.glob("*.json"):
        try:
            manifests.append((json.loads(path.read_text(encoding="utf-8")), path.stat().st_mtime))
        except (OSError, ValueError):
            continue
    facts = [(facts, time) for facts, time in manifests if isinstance(facts, dict) and "repo_id" in facts]
    frames = [facts for facts, _ in facts if facts.get("what") == "frames"]
    yield Store(
        repo_id=str(facts[0][0]["repo_id"]) if facts else folder.name,
        root=str(facts[0][0].get("root", "")) if facts else "",
        folder=folder,
        cameras=tuple(sorted({str(each.get("camera")) for each in frames})),
        frames=sum(int(each.get("rows", 0)) for each in frames),
        size=sum(path.stat().st_blocks * 512 for path in folder.iterdir() if path.is_file()),
        used=max((time for _, time in facts), default=folder.stat().st_mtime),
        in_use=_locked(folder / ".lock"),
    )


def delete(store: Store) -> None:
    """Delete a store, manifests first. A training that has it open goes on with what it has mapped.

    Raises:
        OSError: a file can't be deleted.
    """
    files = [path for path in store.folder.iterdir() if path.is_file()]
    for path in sorted(files, key=lambda path: (path.suffix != ".json", path.name == ".lock")):
        path.unlink(missing_ok=True)
    store.folder.rmdir()


def _locked(lock: Path) -> bool:
    import fcntl

    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
