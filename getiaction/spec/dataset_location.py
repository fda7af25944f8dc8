"""Find a dataset on this disk: the demo, a folder, LeRobot's home, the Hub's caches, in LeRobot's order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from getiaction.spec.dataset_layout import DEMOS
from getiaction.spec.hub_cache import hf_home, hub_cache, newest_snapshot, snapshot, storage

FORMAT_TAG = "v3.0"  # the Hub tag that LeRobot downloads, and the name of its cache entry
INFO = "meta/info.json"

Origin = Literal["demo", "folder", "root", "lerobot home", "lerobot cache", "hf cache", "hub"]


class WrongRootError(ValueError):
    """A root folder that has files, but no dataset.

    Attributes:
        near: a dataset in a nearby folder, probably the intended one.
    """

    def __init__(self, message: str, near: Path | None) -> None:
        super().__init__(message)
        self.near = near


@dataclass(frozen=True, slots=True)
class Location:
    """The place where a dataset was found.

    Args:
        repo_id: the id as the user gave it, or that of the folder that was given (`id_of`).
        root: the folder that holds ``meta/``.
        origin: kind of place. ``hub`` means that only ``meta/`` has been downloaded.
        revision: the tag, branch or commit that was found; None for plain folders.
        tagged: False if the dataset has no version tag on the Hub, so that LeRobot needs a revision to load it.
    """

    repo_id: str
    root: Path
    origin: Origin
    revision: str | None = None
    tagged: bool = True

    @property
    def argument(self) -> str:
        """The command line argument that names this dataset."""
        return str(self.root) if self.origin == "folder" else self.repo_id

    @property
    def is_cached_copy(self) -> bool:
        """Whether this is a copy of a Hub repository, whose data files may not be downloaded yet."""
        return self.origin in ("lerobot cache", "hf cache", "hub")


def find(repo_id: str | None, root: Path | None = None, revision: str | None = None) -> Location | list[str]:
    """Find a dataset on this disk.

    Args:
        repo_id: a Hub id or the demo's id; None to look in `root` only.
        root: the dataset's folder, as in LeRobot. LeRobot fills an empty or missing folder from the Hub, so the
            copies in the Hub's caches are used for it.
        revision: tag, branch or commit on the Hub.

    Returns:
        The location, or the places searched if the dataset was not found.

    Raises:
        WrongRootError: root has files, but no dataset.
        ValueError: neither repo_id nor root is given.
    """
    searched = []
    if root is not None:
        if has_meta(root):
            return Location(repo_id or id_of(root), root, "root")
        if not root.is_dir():
            searched.append(f"{tilde(root)} (root: no such folder)")
        elif any(root.iterdir()):
            raise WrongRootError(f"no dataset in root {root}: it has no meta/ folder", _near_root(repo_id, root))
        else:
            searched.append(f"{tilde(root)} (root: it is empty)")
        if repo_id is None:
            return searched
    elif repo_id is None:
        raise ValueError("a dataset needs a repo_id or a root")
    elif (demo := demo_folder(repo_id)) is not None:
        return Location(repo_id, demo, "demo")
    else:
        home = lerobot_home() / repo_id
        if has_meta(home):
            return Location(repo_id, home, "lerobot home")
        searched.append(f"{tilde(home)} (LeRobot's home)")
    caches: tuple[tuple[Path, Origin, str], ...] = (
        (lerobot_hub_cache(), "lerobot cache", "LeRobot's cache"),
        (hub_cache(), "hf cache", "the Hugging Face cache"),
    )
    for cache, origin, words in caches:
        if (cached := cached_snapshot(cache, repo_id, revision)) is not None:
            return Location(repo_id, cached, origin, revision or cached.name)
        searched.append(f"{tilde(cache)} ({words})")
    return searched


def id_of(folder: Path) -> str:
    """Derive the id of a dataset from its folder.

    It is the id under which LeRobot stores that folder (in its home, or in a Hub cache), or the name of the folder. The
    id is only a label: nothing is downloaded by it.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - keeps links, like LeRobot
    if folder.parent.name == "snapshots" and (kept := folder.parents[1].name).startswith("datasets--"):
        return "/".join(kept.removeprefix("datasets--").split("--", 1))
    home = Path(os.path.abspath(lerobot_home()))  # noqa: PTH100
    if folder.parents[1:2] == (home,):
        return str(folder.relative_to(home))
    return folder.name


def _near_root(repo_id: str | None, root: Path) -> Path | None:
    """A dataset near a wrong root: in a folder of its name below it, or in its parent."""
    repo_id = repo_id or id_of(root)
    candidates = (root / repo_id, root / repo_id.rsplit("/", 1)[-1], root.parent, root / "meta")
    return next((folder for folder in candidates if has_meta(folder)), None)


def cached_snapshot(cache: Path, repo_id: str, revision: str | None) -> Path | None:
    """A cached snapshot that holds meta/info.json: of that revision, else of the format's tag, else the newest."""
    folder = storage(cache, "datasets", repo_id)
    found = snapshot(folder, [revision] if revision else [FORMAT_TAG, "main"], INFO)
    return found if found is not None or revision else newest_snapshot(folder, INFO)


def demo_folder(repo_id: str) -> Path | None:
    """The folder of a demo dataset that ships with the package; None for any other id."""
    return Path(__file__).parents[1] / DEMOS[repo_id] if repo_id in DEMOS else None


def has_meta(folder: Path) -> bool:
    """Whether the folder looks like a dataset, possibly a broken one: its ``meta`` folder is not empty."""
    try:
        return any((folder / "meta").iterdir())
    except OSError:
        return False


def lerobot_home() -> Path:
    """``HF_LEROBOT_HOME``, with LeRobot's default."""
    return Path(os.environ.get("HF_LEROBOT_HOME", hf_home() / "lerobot")).expanduser()


def lerobot_hub_cache() -> Path:
    """The cache into which LeRobot downloads."""
    return lerobot_home() / "hub"


def tilde(path: Path) -> str:
    """A path with the home folder abbreviated to ``~``."""
    try:
        return "~/" + str(path.relative_to(Path.home()))
    except ValueError:
        return str(path)
