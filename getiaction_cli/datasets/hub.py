"""The Hub, asked with huggingface_hub's own code, token, endpoint and offline switch.

Files arrive in LeRobot's cache, those of models in huggingface_hub's, and are checked against the hashes that the Hub
lists. meta/info.json comes last, and no copy is found without it: a fetch that is cut short, or that brings wrong
bytes, is never taken for a dataset.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from getiaction import trust
from getiaction.spec.dataset_location import FORMAT_TAG, INFO, Location, lerobot_hub_cache
from getiaction.spec.hub_cache import hub_cache, storage
from getiaction_cli.datasets.progress import OnProgress
from getiaction_cli.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import RepoFile

type Kind = Literal["dataset", "model"]

_PASSING = (429, 500, 502, 503, 504)  # answers that may be others in a moment
_WAITS = (1.0, 2.0)  # seconds
_LONGEST_WAIT = 10


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """What a deeper look would have to download first."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Files of a repository that are not in the cache.

    Args:
        kind: of the repository.
        repo_id: its id.
        revision: tag, branch or commit.
        commit: what the revision means now.
        files: the files.
    """

    kind: Kind
    repo_id: str
    revision: str
    commit: str
    files: tuple[RepoFile, ...]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(file.size for file in self.files)

    def fetch(self, watch: OnProgress | None = None) -> None:
        """Fetch them; what an earlier call fetched is kept.

        Raises:
            HubError: as `fetch_meta`.
        """
        _download(self.repo_id, self.commit, self.revision, list(self.files), watch=watch, kind=self.kind)


def missing(
    repo_id: str, revision: str | None, choose: Callable[[list[str]], Collection[str]], kind: Kind = "model"
) -> Missing:
    """Compare what the Hub has with the cache.

    Args:
        repo_id: the Hub id.
        revision: tag, branch or commit; None for `main`.
        choose: of the paths of a repository's files, those that are needed.
        kind: of the repository.

    Raises:
        HubError: refused, not reachable, no such repository or revision.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    api, named = HfApi(), revision or "main"
    if not trust.is_revision(named):
        raise HubError(f"{revision!r} can't be a branch, tag or commit")
    try:
        with _translated(repo_id, kind):
            commit, entries = _listed(api, repo_id, named, None, kind)
    except RepositoryNotFoundError:
        raise HubError(
            f"the Hub has no {kind} {repo_id}, or it is private", "check the name; log in with: hf auth login"
        ) from None
    wanted = set(choose([entry.path for entry in entries]))
    place = storage(_cache(kind), f"{kind}s", repo_id)
    chosen = [entry for entry in entries if entry.path in wanted]
    lacking = [entry for entry in chosen if not (place / "snapshots" / commit / entry.path).is_file()]
    if not lacking and named != commit and not (place / "refs" / named).is_file():
        lacking = sorted(chosen, key=lambda entry: entry.size)[:1]  # with it, the cache learns what the revision means
    return Missing(kind, repo_id, named, commit, tuple(lacking))


def endpoint() -> str:
    """The Hub's address, as huggingface_hub sees it."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def fetch_meta(repo_id: str, revision: str | None, *, watch: OnProgress | None = None) -> Location | list[str]:
    """Fetch ``meta/`` of a dataset into LeRobot's cache.

    Args:
        repo_id: the Hub id.
        revision: tag, branch or commit; None for the newest version tag that LeRobot reads, else ``main``.
        watch: hears of the progress.

    Returns:
        The place; or, when the Hub has no such dataset, ids that its search finds for that name.

    Raises:
        HubError: refused, not reachable, broken off, wrong bytes, no such revision, no ``meta/`` in it.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi()
    if revision is not None and not trust.is_revision(revision):
        raise HubError(f"{revision!r} can't be a branch, tag or commit")
    try:
        with _translated(repo_id):
            found, tagged = (revision, True) if revision else _again(lambda: _newest_format(api, repo_id))
            commit, files = _listed(api, repo_id, found, "meta")
    except RepositoryNotFoundError:
        return _similar_ids(api, repo_id)
    if not files:
        raise HubError(
            f"{repo_id} on the Hub has no meta/ folder: it is not in LeRobot's format",
            "LeRobot datasets carry the tag LeRobot: https://huggingface.co/datasets?other=LeRobot",
        )
    snapshot = _download(repo_id, commit, found, files, watch=watch)
    return Location(repo_id, snapshot, "hub", found, tagged)


def _listed(
    api: HfApi, repo_id: str, revision: str, under: str | None, kind: Kind = "dataset"
) -> tuple[str, list[RepoFile]]:
    """What a revision means now, and the files of a folder of it (None: all), checked."""
    commit = _again(lambda: api.repo_info(repo_id, repo_type=kind, revision=revision)).sha or revision
    files = _again(lambda: list(_tree(api, repo_id, commit, under, kind)))
    _check_answer(commit, files)
    return commit, files


def fetch_data(place: Location, *, watch: OnProgress | None = None) -> Location:
    """Fetch the tables and videos that belong to a cached copy; the same promises as `fetch_meta`."""
    from huggingface_hub import HfApi

    with _translated(place.repo_id):
        api = HfApi()
        info = _again(lambda: api.repo_info(place.repo_id, repo_type="dataset", revision=place.revision))
        commit = info.sha or str(place.revision)
        entries = _again(lambda: list(_tree(api, place.repo_id, commit, None)))
        files = [f for f in entries if f.path.startswith(("meta/", "data/", "videos/"))]
        _check_answer(commit, files)
    snapshot = _download(place.repo_id, commit, place.revision or commit, files, watch=watch)
    return Location(place.repo_id, snapshot, place.origin, place.revision, place.tagged)


def remote_files(place: Location) -> RemoteFiles:
    """How much `fetch_data` would download: the files that are not here yet."""
    from huggingface_hub import HfApi

    with _translated(place.repo_id):
        wanted = [
            f
            for f in _again(lambda: list(_tree(HfApi(), place.repo_id, place.revision or FORMAT_TAG, None)))
            if f.path.startswith(("data/", "videos/")) and not (place.root / f.path).is_file()
        ]
    return RemoteFiles(len(wanted), sum(f.size for f in wanted))


def _check_answer(commit: str, files: list[RepoFile]) -> None:
    """What a server says becomes paths in the cache and numbers to add up.

    Raises:
        ValueError: it names a path outside its own folder, or a size that is none.
    """
    if not isinstance(commit, str) or "/" in commit or not trust.is_revision(commit):
        raise ValueError(f"{commit!r} is not a commit")
    for file in files:
        parts = file.path.split("/") if isinstance(file.path, str) else [""]
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise ValueError(f"{file.path!r} is not the path of a file")
        if type(file.size) is not int or file.size < 0:
            raise ValueError(f"{file.size!r} is not the size of {file.path}")


def _cache(kind: Kind) -> Path:
    return hub_cache() if kind == "model" else lerobot_hub_cache()


def _tree(api: HfApi, repo_id: str, revision: str, under: str | None, kind: Kind = "dataset") -> Iterator[RepoFile]:
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        entries = api.list_repo_tree(repo_id, path_in_repo=under, recursive=True, revision=revision, repo_type=kind)
        yield from (entry for entry in entries if isinstance(entry, RepoFile))
    except EntryNotFoundError:
        return


def _newest_format(api: HfApi, repo_id: str) -> tuple[str, bool]:
    """The revision that LeRobot would read: the newest tag of its format, else the newest, else ``main``."""
    ours = _version(FORMAT_TAG) or (3, 0)
    refs = api.list_repo_refs(repo_id, repo_type="dataset")
    versions = {v: ref.name for ref in [*refs.branches, *refs.tags] if (v := _version(ref.name)) is not None}
    if not versions:
        return "main", False
    readable = [v for v in versions if v[0] == ours[0] and v <= ours]
    return versions[max(readable or versions)], True


def _version(name: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)*", name)
    return (int(match[1]), int(match[2])) if match else None


def _similar_ids(api: HfApi, repo_id: str) -> list[str]:
    """What the Hub's own search finds for the name or the owner; nothing when it will not say."""
    owner, _, name = repo_id.rpartition("/")
    found: list[str] = []
    try:
        found += [info.id for info in api.list_datasets(search=name, limit=50)]
        if owner:
            found += [info.id for info in api.list_datasets(author=owner, limit=50)]
    except Exception:  # a help for a message, never a second error
        return found
    return found


def _download(
    repo_id: str,
    commit: str,
    revision: str,
    files: list[RepoFile],
    *,
    watch: OnProgress | None,
    kind: Kind = "dataset",
) -> Path:
    """Fetch files into the cache, a dataset's meta/info.json last: no copy counts without it."""
    from huggingface_hub import hf_hub_download

    cache = _cache(kind)
    snapshot = storage(cache, f"{kind}s", repo_id) / "snapshots" / commit
    # An earlier fetch that broke off may have left files unchecked.
    begun = kind == "dataset" and not (snapshot / INFO).is_file()
    last = INFO if kind == "dataset" else files[-1].path if files else ""
    wanted = [file for file in files if begun or not (snapshot / file.path).is_file()]
    total = sum(file.size for file in wanted)
    bar = _bar(repo_id, total, watch)

    def fetch(file: RepoFile, revision: str = commit) -> None:
        path = _again(
            lambda: hf_hub_download(
                repo_id, file.path, repo_type=kind, revision=revision, cache_dir=cache, tqdm_class=bar
            )
        )
        _verify(Path(path), file)

    if watch is not None and wanted:
        watch(f"fetching {repo_id}", 0, total, "bytes")
    with _translated(repo_id, kind), _silenced(), ThreadPoolExecutor(8) as pool:
        try:
            list(pool.map(fetch, [file for file in wanted if file.path != last]))
        finally:
            pool.shutdown(cancel_futures=True)
        for file in files:
            if file.path == last:
                fetch(file, revision)  # by its tag or branch, which the cache then knows
    if watch is not None and wanted:
        watch(f"fetching {repo_id}", total, total, "bytes")
    return snapshot


def _verify(path: Path, file: RepoFile) -> None:
    """Compare with the hash that the Hub lists: sha256 for large files, git's blob id for the others."""
    size = path.stat().st_size
    if file.lfs is not None:
        digest, wanted = hashlib.sha256(), file.lfs.sha256
    elif file.blob_id and re.fullmatch(r"[0-9a-f]{40}", file.blob_id):
        digest, wanted = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False), file.blob_id
    else:
        return
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != wanted:
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise HubError(
            f"the Hub sent wrong bytes for {file.path}: {size} bytes whose hash is not the one it lists",
            "a proxy or mirror may have changed them; they were deleted; try again, or set HF_ENDPOINT",
        )


def _again[T](ask: Callable[[], T]) -> T:
    """Ask the Hub, and again after a moment when it says that it is busy or failed."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for wait in (*_WAITS, None):
        try:
            return ask()
        except HfHubHTTPError as error:
            if wait is None or error.response.status_code not in _PASSING:
                raise
            named = error.response.headers.get("Retry-After", "")
            time.sleep(min(int(named), _LONGEST_WAIT) if named.isdigit() else wait)
        except LocalEntryNotFoundError as error:
            if error.__cause__ is None:
                raise
            raise error.__cause__ from None  # what the Hub said, instead of "check your connection"
    raise AssertionError


@contextmanager
def _in_time() -> Iterator[None]:
    """huggingface_hub waits for ever for an answer of the API; here, as long as for a file."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    session = get_session()
    before = session.timeout
    session.timeout = max(constants.HF_HUB_DOWNLOAD_TIMEOUT, constants.HF_HUB_ETAG_TIMEOUT)
    try:
        yield
    finally:
        session.timeout = before


@contextmanager
def _translated(repo_id: str, kind: Kind = "dataset") -> Iterator[None]:
    """Every error of huggingface_hub or httpx becomes one HubError (a missing repository stays itself)."""
    from huggingface_hub import errors

    try:
        with _in_time():
            yield
    except HubError:
        raise
    except Exception as error:
        missing = isinstance(error, errors.RepositoryNotFoundError) and not isinstance(error, errors.GatedRepoError)
        if missing or not (explained := _explained(error, repo_id, kind)):
            raise
        raise HubError(*explained) from error


def _explained(error: Exception, repo_id: str, kind: Kind) -> tuple[str, str] | None:
    """What is wrong and what to do about it; None for an error that neither the Hub nor the network explains."""
    import httpx
    from huggingface_hub import errors

    where = endpoint()
    page = f"{where}/datasets/{repo_id}" if kind == "dataset" else f"{where}/{repo_id}"
    match error:
        case errors.GatedRepoError():
            what = f"{repo_id} is gated: its owner must grant you access"
            return what, f"request access at {page}, then `hf auth login` (or set HF_TOKEN)"
        case errors.RevisionNotFoundError():
            return f"{repo_id} has no such revision on the Hub", f"{page}/tree/main lists them"
        case errors.OfflineModeIsEnabled():
            return "the Hub was not contacted: HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE, or name a folder"
        case errors.HFValidationError():
            return f"{repo_id!r} can't be the id of a {kind}", "an id is owner/name"
        case errors.HfHubHTTPError():
            return _answer(error, repo_id, page)
        case httpx.TimeoutException():
            what = f"the Hub is too slow: no answer for {repo_id} in time"
            return what, "HF_HUB_DOWNLOAD_TIMEOUT=60 and HF_HUB_ETAG_TIMEOUT=60 wait longer"
        case httpx.UnsupportedProtocol():
            return f"HF_ENDPOINT is {where!r}, not an address", "it begins with https:// or http://"
        case httpx.ConnectError():
            what = f"the Hub can't be reached at {where}"
            return what, "check the network; HF_HUB_OFFLINE=1 looks at local copies only"
        case OSError(errno=errno.ENOSPC):
            return f"no space left on the disk for {repo_id}", f"in {lerobot_hub_cache()}"
        case OSError(errno=errno.EACCES | errno.EPERM | errno.EROFS | errno.ENOTDIR):
            what = f"LeRobot's cache {lerobot_hub_cache()} can't be written: {error.strerror}"
            return what, "set HF_LEROBOT_HOME to another folder"
        case httpx.HTTPError() | httpx.StreamError() | errors.FileMetadataError() | OSError():
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            return f"the download of {repo_id} was interrupted: {first}", "try again: complete files are kept"
        case ValueError() | KeyError() | TypeError() | AttributeError() | RecursionError():
            what = f"{where} does not answer like a Hub: {type(error).__name__}: {error}"
            return what, "is HF_ENDPOINT right?"
    return None


def _answer(error: HfHubHTTPError, repo_id: str, page: str) -> tuple[str, str]:
    """The same for an answer of the Hub that refuses a request."""
    from huggingface_hub.errors import EntryNotFoundError

    status = getattr(error.response, "status_code", None)
    if status == 401:
        return f"the Hub does not accept your token for {repo_id}", "`hf auth login`, or check HF_TOKEN"
    if status == 429:
        return "the Hub is refusing requests for now (too many)", "wait some minutes, or log in: `hf auth login`"
    if isinstance(error, EntryNotFoundError):
        return f"a file of {repo_id} that the Hub lists is gone from it", "try again later"
    if status is not None and 400 <= status < 500:
        said = f": {error.server_message}" if error.server_message else ""
        what = f"the Hub refused {repo_id} ({status}{said})"
        return what, f"open {page} in a browser: does your account see its files?"
    return f"the Hub answered {status or 'with an error'} for {repo_id}", f"{endpoint()} may be down; try again later"


@contextmanager
def _silenced() -> Iterator[None]:
    """huggingface_hub logs retries and token advice, and warns of a full disk; our one line says it better."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    if not os.environ.get("GETIACTION_DEBUG"):
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _bar(repo_id: str, total: int, watch: OnProgress | None) -> type[Any]:
    """A class that huggingface_hub takes for tqdm, and that tells ``watch`` of every piece."""
    lock = threading.Lock()
    done = 0

    class Bar:
        def __init__(self, *args: object, **kwargs: object) -> None:
            self.n = 0.0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *args: object) -> None:
            return None

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            with lock:
                self.n += n or 0
                done += int(n or 0)
                if watch is not None:
                    watch(f"fetching {repo_id}", min(done, max(total - 1, 0)), total, "bytes")

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *args, **kwargs: None

    return Bar
