"""Which start of a SLURM job, or of torchrun's processes, trains in a run folder, so that the next start resumes there.

A folder is resumed by a later start of the same job that asks for the same recipe. So two commands of one batch script
keep their own folders, also when both are the same, and no task of an array resumes another one's run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.files import write_atomically
from getiaction.spec.launch import SLURM_JOB_PREFIX, Launch

RECORD = ".run.job.json"


@dataclass(frozen=True)
class Job:
    """One start of a job.

    Args:
        name: the job's name, which is the same for every start (`Launch.job`).
        restarts: how often it was started before (`Launch.restarts`).
        recipe: digest of the recipe that the command asks for.
    """

    name: str
    restarts: tuple[int, ...]
    recipe: str

    @classmethod
    def this(cls, here: Launch, recipe: dict[str, Any]) -> Job | None:
        """The start that this process belongs to; None without a launcher.

        Args:
            here: how this process was started.
            recipe: as plain values, overrides applied.
        """
        if not here.job:
            return None
        text = json.dumps(recipe, sort_keys=True, default=str)
        return cls(here.job, here.restarts, hashlib.sha256(text.encode()).hexdigest())

    @classmethod
    def read(cls, folder: Path) -> Job | None:
        """The last start that trained in a folder; None where there was none, or its record is damaged."""
        try:
            values = trust.read_json(folder / RECORD)
            return cls(str(values["name"]), tuple(map(int, values["restarts"])), str(values["recipe"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def names_folder(self) -> bool:
        """Whether runs are called after the job: under SLURM."""
        return self.name.startswith(SLURM_JOB_PREFIX)

    def write(self, folder: Path) -> None:
        """Record that this start trains in a folder."""
        write_atomically(folder / RECORD, json.dumps(asdict(self)) + "\n")

    def resumes(self, folder: Path) -> bool:
        """Whether an earlier start of this job trained in a folder, with the same recipe."""
        before = Job.read(folder)
        return (
            before is not None
            and (before.name, before.recipe) == (self.name, self.recipe)
            and before.restarts < self.restarts
        )
