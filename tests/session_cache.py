"""Things that a test session makes once, whichever of its processes asks first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

HOME = "GETIACTION_TESTS_HOME"  # the variable that names the session's folder


def once(name: str, build: Callable[[Path], object]) -> Path:
    """The folder `name` of the session's home, built by the first process that asks for it."""
    folder = Path(os.environ[HOME]) / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            fresh = folder.with_name(folder.name + ".building")
            shutil.rmtree(fresh, ignore_errors=True)
            build(fresh)
            fresh.rename(folder)
    return folder
