"""Find a dataset and read its metadata; all failures become a `DataError`."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from getiaction import trust
from getiaction.errors import DataError, TrainingError
from getiaction.lerobot.datasets import LeRobotDatasetMetadata
from getiaction.lerobot.errors import first_line
from getiaction.spec import dataset_location
from getiaction.spec.dataset_location import Location, WrongRootError
from getiaction.spec.hub_cache import is_offline


def find(repo_id: str | None, root: Path | None, revision: str | None) -> tuple[Path | None, LeRobotDatasetMetadata]:
    """Return the folder of a dataset (None: let LeRobot download files when needed) and its metadata.

    A copy in one of the Hub's caches is only used if the Hub is unreachable, because LeRobot checks the Hub for newer
    files first. A dataset without a `repo_id` is never downloaded.

    Raises:
        DataError: it is not found, or can't be read; the message names every place that was searched.
    """
    try:
        found = dataset_location.find(repo_id, root, revision)
    except WrongRootError as wrong:
        hint = (
            f"did you mean root: {wrong.near}?"
            if wrong.near
            else "give root the folder that holds meta, data and videos"
        )
        raise DataError(str(wrong), hint) from wrong
    if isinstance(found, Location) and (not found.is_cached_copy or is_offline()):
        return _read_meta(found, revision)
    if repo_id is None:
        raise DataError(f"no dataset in {root}", "name its folder, or its repo_id to fetch it from the Hub")
    searched = found if isinstance(found, list) else [str(found.root)]
    with data_errors(repo_id, [*searched, "the Hugging Face Hub"]):
        try:
            return root, LeRobotDatasetMetadata(repo_id, root=root, revision=revision)
        except Exception:
            if isinstance(found, list):
                raise
    return _read_meta(found, revision)


def _read_meta(found: Location, revision: str | None) -> tuple[Path, LeRobotDatasetMetadata]:
    trust.check_dataset(found.root)
    with data_errors(found.repo_id, [str(found.root)]):
        if not (found.root / dataset_location.INFO).is_file():
            raise DataError(f"{found.root} has no {dataset_location.INFO}", "restore it from a backup or the Hub")
        return found.root, LeRobotDatasetMetadata(found.repo_id, root=found.root, revision=revision)


@contextmanager
def data_errors(repo_id: str, searched: Sequence[str]) -> Iterator[None]:
    """Convert exceptions of LeRobot and the Hub into a `DataError` with the places searched and a hint."""
    try:
        with _errors_only("lerobot", "huggingface_hub", "httpx"):
            yield
    except TrainingError:
        raise
    except Exception as error:
        name = type(error).__name__
        reason, hint = (
            first_line(error),
            "Give data.init_args.root the dataset's folder, or connect to the network.",
        )
        if name == "GatedRepoError":
            hint = f"ask for access at https://huggingface.co/datasets/{repo_id} and log in: hf auth login"
        elif name in ("RepositoryNotFoundError", "RevisionNotFoundError"):
            reason = "the Hub has no such dataset, or it is private"
            hint = f"check {repo_id} and the revision, log in (hf auth login), or give data.init_args.root its folder"
        elif type(error).__module__.partition(".")[0] in ("httpx", "httpcore"):
            reason = f"the download was interrupted: {reason}"
            hint = "start again: complete files are kept"
        elif type(error).__module__.partition(".")[0] == "av" and (file := getattr(error, "filename", None)):
            reason = f"{file} can't be decoded as a video"
            hint = "delete that file to download it again, or restore it from a backup"
        elif name == "BackwardCompatibilityError":
            reason = "it is in an older format than v3.0"
            hint = f"python -m lerobot.scripts.convert_dataset_v21_to_v30 --repo-id={repo_id}"
        raise DataError(f"can't read the dataset {repo_id} ({', '.join(searched)}): {reason}", hint) from error


@contextmanager
def _errors_only(*names: str) -> Iterator[None]:
    """Silence warnings of library loggers: their content is in the error that follows."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
