"""What may be done after a run, as commands to copy."""

from __future__ import annotations

import shlex
from typing import Any

# LeRobot's simulated environments whose name a dataset's id may have in it.
ENVIRONMENTS = ("pusht", "aloha", "libero", "metaworld")
OTHER_SEEDS = 5000


def after_training(
    path: str, *, dataset: str, environment: str, rolled_out: bool, stopped: bool, resumable: bool, longer: str
) -> list[tuple[str, str]]:
    """Return (reason, command) of each.

    Args:
        path: the run folder.
        dataset: its id.
        environment: the type of environment that the run's rollouts ran in; empty for none.
        rolled_out: whether the run has rollouts.
        stopped: the run ended before its last step.
        resumable: it has a checkpoint.
        longer: the override that makes it twice as long; empty where that is unknown.
    """
    run = shlex.quote(path)
    resume = f"getiaction train --resume {run}"
    if stopped:
        return [("resume", resume)] if resumable else []
    commands = [("see what it has learned", f"getiaction evaluate {run}")]
    environment = environment or next((name for name in ENVIRONMENTS if name in dataset), "")
    if environment:
        seed = f" --seed {OTHER_SEEDS}" if rolled_out else ""
        reason = "try it from other starts" if rolled_out else "see it act in simulation"
        commands.append((reason, f"getiaction evaluate {run} --env {shlex.quote(environment)} --episodes 50{seed}"))
    if resumable and longer:
        commands.append(("train longer", f"{resume} {longer}"))
    return commands


def longer(max_steps: Any, max_epochs: Any) -> str:
    """The override that doubles the length of a run, from its `max_steps` and `max_epochs`; empty for neither."""
    for name, value in (("max_steps", max_steps), ("max_epochs", max_epochs)):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return f"--trainer.{name} {2 * value}"
    return ""
