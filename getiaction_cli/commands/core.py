"""Set-up of commands that use the training core: environment of libraries, screen, errors."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from getiaction.spec.frame_loading import frames_root
from getiaction.spec.hub_cache import hf_home
from getiaction_cli.commands.arguments import quiet
from getiaction_cli.errors import CliError, RunFailed

if TYPE_CHECKING:
    from getiaction.train.screen import Screen


def own_screen() -> Screen:
    """Return the screen for --quiet and --debug."""
    from getiaction.train.screen import Screen

    return Screen(quiet=quiet(), debug=bool(os.environ.get("GETIACTION_DEBUG")))


def prepare_libraries() -> None:
    """Set environment variables that libraries read on import, unless the user has set them."""
    # Their progress bars would fill the log.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    if "HF_DATASETS_CACHE" not in os.environ and not _is_writable(hf_home() / "datasets"):
        # The `datasets` library converts tables into its cache, also those of a dataset on a read-only disk.
        os.environ["HF_DATASETS_CACHE"] = str(_writable_cache())
    # Threads that wait actively occupy cores that other processes, such as data loader workers, need: on a busy
    # machine with two cores, a ResNet18 step took 6.3 s by default and 0.6 s if threads sleep soon; 0.2 s if idle.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _writable_cache() -> Path:
    """A folder for converted tables: in the cache of frame stores, else one that this process deletes at its end."""
    kept = frames_root().parent / "datasets"
    if _is_writable(kept):
        return kept
    import tempfile  # here only: it would slow down the start of every command

    folder = tempfile.mkdtemp(prefix="getiaction-datasets-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _is_writable(folder: Path) -> bool:
    """Whether a folder, which need not exist, can be written to."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return os.access(there, os.W_OK)


@contextmanager
def one_error(what: str, command: str) -> Iterator[None]:
    """Convert exceptions of the core to one error, or to an error about an incompatible LeRobot.

    Args:
        what: the operation that failed, such as "training".
        command: name of the command, for the hint.
    """
    from getiaction.errors import TrainingError

    try:
        yield
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    except (CliError, typer.Exit):
        raise
    except Exception as fault:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        from getiaction_cli import policies

        if part := policies.missing_part():
            raise policies.unreadable(f"it has no {part}") from fault
        said = (str(fault).strip().splitlines() or [""])[0]
        where = "; ".join(getattr(fault, "__notes__", ())) or f"`getiaction --debug {command} …` shows where"
        raise RunFailed(f"{what} failed: {type(fault).__name__}: {said}", where) from fault
