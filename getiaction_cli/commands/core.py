"""What every command does that starts the training core: quiet libraries, one screen, errors in one line."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
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
    """The screen as --quiet and --debug ask for it."""
    from getiaction.train.screen import Screen

    return Screen(quiet=quiet(), debug=bool(os.environ.get("GETIACTION_DEBUG")))


def prepare_libraries() -> None:
    """What libraries read from the environment when they are imported; what the user has set there stays."""
    # Their progress bars would be redrawn into the log a hundred times.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    if "HF_DATASETS_CACHE" not in os.environ and not _is_writable(hf_home() / "datasets"):
        # The `datasets` library converts tables into its cache, also those of a dataset on a read-only disk.
        os.environ["HF_DATASETS_CACHE"] = str(_writable_cache())
    # Threads that wait for each other by spinning take the core that another process (a worker that loads data) needs:
    # a ResNet18 step on a busy two-core machine took 6.3 s by default, 0.6 s when they soon go to sleep; idle: 0.2 s.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def _writable_cache() -> Path:
    """A folder for converted tables: in the cache of frame stores, else one that this process deletes at its end."""
    kept = frames_root().parent / "datasets"
    if _is_writable(kept):
        return kept
    folder = tempfile.mkdtemp(prefix="getiaction-datasets-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _is_writable(folder: Path) -> bool:
    """Whether a folder, which need not exist, can be written to."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return os.access(there, os.W_OK)


@contextmanager
def one_error(what: str, command: str) -> Iterator[None]:
    """Turn what the core raises into one error, or into that of a LeRobot that it can't be used with.

    Args:
        what: what failed, as "training".
        command: its name, for the hint.
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
