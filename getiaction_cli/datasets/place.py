"""Where a dataset lies: the demo, a folder, LeRobot's home, the caches, the Hub; in LeRobot's own order."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from getiaction.spec.dataset_layout import DEMOS
from getiaction_cli.datasets.location import (
    FORMAT_TAG,
    Location,
    OnProgress,
    Origin,
    hub_cache,
    lerobot_home,
    lerobot_hub_cache,
)
from getiaction_cli.errors import DatasetNotFound, HubError
from getiaction_cli.installed import package_folder

_ADDRESS = re.compile(r"(https?://[^/]+/|hf://)?datasets/(?P<id>[\w.-]+/[\w.-]+)")


def locate(
    repo_id: str,
    root: str | Path | None = None,
    revision: str | None = None,
    *,
    offline: bool | None = None,
    folders: bool = False,
    watch: OnProgress | None = None,
) -> Location:
    """Find a dataset, as LeRobot would, and fetch its ``meta/`` from the Hub when it is nowhere else.

    Args:
        repo_id: a Hub id, the demo's id, or (with ``folders``) a path.
        root: the exact folder, as LeRobot means it.
        revision: tag, branch or commit on the Hub.
        offline: True to stay away from the Hub; None asks ``HF_HUB_OFFLINE``.
        folders: let ``repo_id`` be the path of a folder.
        watch: hears of the download's progress.

    Raises:
        DatasetNotFound: nowhere; the message lists the places searched, the hint the nearest names.
        HubError: the Hub refused, broke off, sent wrong bytes or can't be reached.
    """
    if "\0" in repo_id:
        raise DatasetNotFound(f"{repo_id!r} can't be the name of a dataset")
    if folders and (folder := _as_folder(repo_id)) is not None:
        if revision is not None:
            raise DatasetNotFound(f"{repo_id} is a folder: it has no revision {revision}", "leave the revision out")
        return Location(folder.name, folder, "folder")
    if root is not None:
        return _locate_root(repo_id, Path(root).expanduser(), revision, offline=offline, watch=watch)
    if (demo := demo_folder(repo_id)) is not None:
        return Location(repo_id, demo, "demo")

    searched: list[str] = []
    home = lerobot_home() / repo_id
    searched.append(f"{_tilde(home)} (LeRobot's home)")
    if has_meta(home):
        return Location(repo_id, home, "lerobot home")
    return _locate_cached_or_hub(repo_id, revision, searched, offline=offline, watch=watch)


def _as_folder(word: str) -> Path | None:
    path = Path(word).expanduser()
    if path.name == "meta" and (path / "info.json").is_file():
        path = path.parent
    if has_meta(path):
        return path.resolve()
    if not path.is_dir() and not word.startswith((".", "/", "~")):
        return None
    if path.is_file():
        raise DatasetNotFound(f"{word} is a file", "name the folder that holds meta/")
    if not path.exists():
        raise DatasetNotFound(f"no folder {word}", _near_folder(path))
    closed = next((folder for folder in (path, path / "meta") if folder.is_dir() and not _opens(folder)), None)
    if closed is not None:
        raise DatasetNotFound(f"{closed} may not be read: permission denied", "is it yours?")
    inside = [child for child in _subfolders(path) if has_meta(child)]
    if word.count("/") == 1 and not inside and not word.startswith((".", "/", "~")):
        return None  # an ordinary folder that happens to be called like a Hub id
    hint = f"did you mean {inside[0]}?" if inside else "a LeRobot dataset is a folder that holds meta/info.json"
    raise DatasetNotFound(f"{word} is no LeRobot dataset: it has no meta/ folder", hint)


def _locate_root(
    repo_id: str, root: Path, revision: str | None, *, offline: bool | None, watch: OnProgress | None
) -> Location:
    if has_meta(root):
        return Location(repo_id, root, "root")
    candidates = [
        root / repo_id,
        root / repo_id.rsplit("/", 1)[-1],
        root.parent if root.name == "meta" else root / "meta",
    ]
    found = next((c for c in candidates if has_meta(c)), None)
    if found is not None:
        raise DatasetNotFound(f"no dataset in root {root}: it has no meta/ folder", f"did you mean root: {found}?")
    if root.is_dir() and any(root.iterdir()):
        raise DatasetNotFound(
            f"no dataset in root {root}: it has no meta/ folder", "root is the folder that holds meta/"
        )
    # LeRobot would download the dataset into this root, so its metadata on the Hub is what counts.
    searched = [f"{_tilde(root)} (root: " + ("it is empty" if root.is_dir() else "no such folder") + ")"]
    try:
        return _locate_cached_or_hub(repo_id, revision, searched, offline=offline, watch=watch)
    except DatasetNotFound as missing:
        raise DatasetNotFound(missing.message, _other_root(repo_id, root) or missing.hint) from missing


def _other_root(repo_id: str, root: Path) -> str:
    """Where the dataset is, or may be, instead of in a root that isn't there."""
    home = lerobot_home() / repo_id
    if has_meta(home):
        return f"leave root out: {_tilde(home)} holds it"
    near = difflib.get_close_matches(root.name, [f.name for f in _subfolders(root.parent) if has_meta(f)], 1)
    return f"did you mean root: {root.parent / near[0]}?" if near else ""


def _locate_cached_or_hub(
    repo_id: str, revision: str | None, searched: list[str], *, offline: bool | None, watch: OnProgress | None
) -> Location:
    caches: tuple[tuple[Path, Origin, str], ...] = (
        (lerobot_hub_cache(), "lerobot cache", "LeRobot's cache"),
        (hub_cache(), "hf cache", "the Hugging Face cache"),
    )
    for cache, origin, words in caches:
        searched.append(f"{_tilde(cache)} ({words})")
        if (cached := cached_snapshot(cache, repo_id, revision)) is not None:
            return Location(repo_id, cached, origin, revision or cached.name)
    if not _is_hub_id(repo_id):
        if (address := _ADDRESS.match(repo_id)) is not None:
            raise DatasetNotFound(f"{repo_id!r} is an address, not an id", f"did you mean {address['id']}?")
        raise _not_found(repo_id, searched, [])
    from getiaction_cli.datasets import hub  # whoever finds or completes a name on this disk does not pay for it

    if hub.is_offline(offline):
        searched.append("not the Hub: HF_HUB_OFFLINE is set" if offline is None else "not the Hub: offline")
        raise _not_found(repo_id, searched, [])
    try:
        fetched = hub.fetch_meta(repo_id, revision, watch=watch)
    except HubError as error:
        message = f"{error.message}, and {repo_id} is not on this machine; searched:\n{_list(searched)}"
        raise HubError(message, error.hint) from error
    if isinstance(fetched, Location):
        return fetched
    searched.append(f"{hub.endpoint()} (the Hub)")
    raise _not_found(repo_id, searched, fetched)


def _not_found(repo_id: str, searched: list[str], others: list[str]) -> DatasetNotFound:
    near = nearest(repo_id, [*known_ids(), *others])
    hint = f"did you mean {' or '.join(near)}?" if near else "`getiaction inspect-dataset FOLDER` looks at any folder"
    return DatasetNotFound(f"no dataset {repo_id!r}; searched:\n{_list(searched)}", hint)


def _list(places: list[str]) -> str:
    return "\n".join(f"  - {place}" for place in places)


def nearest(repo_id: str, names: list[str], count: int = 3) -> list[str]:
    """The names most like ``repo_id``, by the whole id or by the part after the slash, or that hold the latter."""
    names = sorted(set(names) - {repo_id})
    whole: dict[str, str] = {}
    last: dict[str, str] = {}
    for name in names:
        whole.setdefault(name.lower(), name)
        last.setdefault(name.lower().rsplit("/", 1)[-1], name)
    wanted = repo_id.lower()
    own = wanted.rsplit("/", 1)[-1]
    by_id = [whole[match] for match in difflib.get_close_matches(wanted, list(whole), n=count, cutoff=0.7)]
    by_last = [last[match] for match in difflib.get_close_matches(own, list(last), n=count, cutoff=0.75)]
    longer = [name for name in names if len(own) >= 4 and own in name.rsplit("/", 1)[-1].lower()]
    return list(dict.fromkeys([*by_id, *by_last, *longer]))[:count]


def known_ids() -> list[str]:
    """Ids of the datasets on this disk: the demo, LeRobot's home, both caches. Only folder names are looked at."""
    ids = [repo_id for repo_id in DEMOS if demo_folder(repo_id) is not None]
    home = lerobot_home()
    for owner in _subfolders(home):
        if owner.name == "hub" or owner.name.startswith("."):
            continue
        if has_meta(owner):
            ids.append(owner.name)
        ids += [f"{owner.name}/{child.name}" for child in _subfolders(owner) if has_meta(child)]
    for cache in (lerobot_hub_cache(), hub_cache()):
        for folder in _subfolders(cache):
            if folder.name.startswith("datasets--"):
                repo_id = folder.name.removeprefix("datasets--").replace("--", "/")
                if cached_snapshot(cache, repo_id, None) is not None:
                    ids.append(repo_id)
    return list(dict.fromkeys(ids))


def cached_snapshot(cache: Path, repo_id: str, revision: str | None) -> Path | None:
    """A cached snapshot that holds meta/info.json: of that revision, else of the format's tag, else the newest."""
    storage = cache / ("datasets--" + repo_id.replace("/", "--"))
    snapshots = storage / "snapshots"
    if not snapshots.is_dir():
        return None
    wanted = [revision] if revision else [FORMAT_TAG, "main"]
    for name in wanted:
        commit = _read_ref(storage / "refs" / name) or name
        if (snapshots / commit / "meta" / "info.json").is_file():
            return snapshots / commit
    if revision:
        return None
    complete = [folder for folder in _subfolders(snapshots) if (folder / "meta" / "info.json").is_file()]
    return max(complete, key=lambda folder: folder.stat().st_mtime, default=None)


def demo_folder(repo_id: str) -> Path | None:
    """Demonstrations that ship with the package, found without importing it; None for any other dataset."""
    if repo_id not in DEMOS:
        return None
    package = package_folder("getiaction")
    folder = package / DEMOS[repo_id] if package else None
    return folder if folder and has_meta(folder) else None


def has_meta(folder: Path) -> bool:
    """True when the folder looks like a dataset, be it a broken one: it has a ``meta`` folder with something in it."""
    try:
        return any((folder / "meta").iterdir())
    except OSError:
        return False


def _opens(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _is_hub_id(repo_id: str) -> bool:
    return len(repo_id) <= 96 and re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", repo_id) is not None


def _read_ref(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _subfolders(folder: Path) -> Iterator[Path]:
    try:
        children = sorted(folder.iterdir())
    except OSError:
        return
    yield from (child for child in children if child.is_dir())


def _near_folder(path: Path) -> str:
    parent = path.parent
    names = [child.name for child in _subfolders(parent)]
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {parent / near[0]}?" if near else "name the folder that holds meta/"


def _tilde(path: Path) -> str:
    try:
        return "~/" + str(path.relative_to(Path.home()))
    except ValueError:
        return str(path)
