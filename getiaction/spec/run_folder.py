"""Names of the files in a run folder, and whether a new run may start in an existing folder."""

from __future__ import annotations

import os
from pathlib import Path

LOCK = ".run.lock"
CHECKPOINTS = "checkpoints"
PRETRAINED_MODEL = "pretrained_model"
REPORT = "report.html"
EVALUATION = "evaluation.json"
ROLLOUTS = "rollouts"
ROLLOUTS_FILE = "rollouts.json"
LIST_RUNS = "`getiaction runs` lists the run folders in outputs/"


def is_startable(path: Path) -> bool:
    """Whether a run was killed in this folder before its first checkpoint, so that a new run may start there.

    The lock file shows that getiaction made the folder. A folder with a checkpoint must be resumed instead.
    """
    lock = path / LOCK
    return (
        lock.is_file()
        and not lock.is_symlink()
        and not any((path / CHECKPOINTS).glob("*.ckpt"))
        and not os.path.lexists(path / PRETRAINED_MODEL)
    )
