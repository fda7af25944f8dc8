"""Find a dataset by its id, root or folder, and fetch its ``meta/`` from the Hub when it is not on this disk."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from getiaction.spec import dataset_location
from getiaction.spec.dataset_layout import DEMOS
from getiaction.spec.dataset_location import (
    INFO,
    Location,
    WrongRootError,
    has_meta,
    id_of,
    lerobot_home,
    lerobot_hub_cache,
    tilde,
)
from getiaction.spec.hub_cache import hub_cache, is_offline, newest_snapshot
from getiaction_cli.errors import DatasetNotFound, HubError

if TYPE_CHECKING:
    from getiaction_cli.datasets.progress import OnProgress

_TO_FETCH = "name the folder that holds meta/, or the repo_id to fetch it from the Hub"
_ADDRESS = re.compile(r"(https?://[^/]+/|hf://)?datasets/(?P<id>[\w.-]+/[\w.-]+)")


def locate(
    repo_id: str | None,
    root: str | Path | None = None,
    revision: str | None = None,
    *,
    offline: bool | None = None,
    folders: bool = False,
    watch: OnProgress | None = None,
) -> Location:
    """Find a dataset, as LeRobot would, and fetch its ``meta/`` from the Hub when it is nowhere else.

    Args:
        repo_id: a Hub id, the demo's id, or (with ``folders``) a path; None where only `root` names the dataset.
        root: the exact folder, as LeRobot means it.
        revision: tag, branch or commit on the Hub.
        offline: True to stay away from the Hub; None asks ``HF_HUB_OFFLINE``.
        folders: let ``repo_id`` be the path of a folder.
        watch: hears of the download's progress.

    Raises:
        DatasetNotFound: nowhere; the message lists the places searched, the hint the nearest names.
        HubError: the Hub refused, broke off, sent wrong bytes or can't be reached.
    """
    if repo_id is not None and "\0" in repo_id:
        raise DatasetNotFound(f"{repo_id!r} can't be the name of a dataset")
    if folders and repo_id is not None and (folder := _as_folder(repo_id)) is not None:
        if revision is not None:
            raise DatasetNotFound(f"{repo_id} is a folder: it has no revision {revision}", "leave the revision out")
        return Location(id_of(folder), folder, "folder")
    folder = Path(root).expanduser() if root is not None else None
    try:
        found = dataset_location.find(repo_id, folder, revision)
    except WrongRootError as wrong:
        hint = f"did you mean root: {wrong.near}?" if wrong.near else "root is the folder that holds meta/"
        raise DatasetNotFound(str(wrong), hint) from wrong
    if isinstance(found, Location):
        return found
    if repo_id is None:
        raise DatasetNotFound(f"no dataset in root {root}", _near_root(folder or Path()) or _TO_FETCH)
    try:
        return _locate_on_hub(repo_id, revision, found, offline=offline, watch=watch)
    except DatasetNotFound as missing:
        other = _other_root(repo_id, folder) if folder is not None else ""
        raise DatasetNotFound(missing.message, other or missing.hint) from missing


def _as_folder(word: str) -> Path | None:
    path = Path(word).expanduser()
    if path.name == "meta" and (path / "info.json").is_file():
        path = path.parent
    if has_meta(path):
        return path.resolve()
    if path.is_file():
        raise DatasetNotFound(f"{word} is a file, not a dataset", "name the folder that holds meta/")
    if not path.is_dir() and not word.startswith((".", "/", "~")):
        return None
    if not path.exists():
        raise DatasetNotFound(f"no folder {word}", _near_folder(path))
    closed = next((folder for folder in (path, path / "meta") if folder.is_dir() and not _opens(folder)), None)
    if closed is not None:
        raise DatasetNotFound(f"{closed} can't be read: permission denied", "is it yours?")
    inside = [child for child in _subfolders(path) if has_meta(child)]
    if word.count("/") == 1 and not inside and not word.startswith((".", "/", "~")):
        return None  # an ordinary folder that happens to have the name of a Hub id
    hint = f"did you mean {inside[0]}?" if inside else "a LeRobot dataset is a folder that holds meta/info.json"
    raise DatasetNotFound(f"{word} is not a LeRobot dataset: it has no meta/ folder", hint)


def _other_root(repo_id: str, root: Path) -> str:
    """Where the dataset is, or may be, instead of in a root that isn't there."""
    home = lerobot_home() / repo_id
    if has_meta(home):
        return f"leave root out: {tilde(home)} holds it"
    return _near_root(root)


def _near_root(root: Path) -> str:
    near = difflib.get_close_matches(root.name, [f.name for f in _subfolders(root.parent) if has_meta(f)], 1)
    return f"did you mean root: {root.parent / near[0]}?" if near else ""


def _locate_on_hub(
    repo_id: str, revision: str | None, searched: list[str], *, offline: bool | None, watch: OnProgress | None
) -> Location:
    if not _is_hub_id(repo_id):
        if (address := _ADDRESS.match(repo_id)) is not None:
            raise DatasetNotFound(f"{repo_id!r} is an address, not an id", f"did you mean {address['id']}?")
        raise _not_found(repo_id, searched, [])
    if is_offline() if offline is None else offline:
        searched.append("not the Hub: HF_HUB_OFFLINE is set" if offline is None else "not the Hub: offline")
        raise _not_found(repo_id, searched, [])
    from getiaction_cli.datasets import hub  # whoever finds or completes a name on this disk does not pay for it

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
    ids = [*DEMOS]
    home = lerobot_home()
    for owner in _subfolders(home):
        if owner.name == "hub" or owner.name.startswith("."):
            continue
        if has_meta(owner):
            ids.append(owner.name)
        ids += [f"{owner.name}/{child.name}" for child in _subfolders(owner) if has_meta(child)]
    for cache in (lerobot_hub_cache(), hub_cache()):
        for folder in _subfolders(cache):
            if folder.name.startswith("datasets--") and newest_snapshot(folder, INFO) is not None:
                ids.append(folder.name.removeprefix("datasets--").replace("--", "/"))
    return list(dict.fromkeys(ids))


def _opens(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _is_hub_id(repo_id: str) -> bool:
    return len(repo_id) <= 96 and re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", repo_id) is not None


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
