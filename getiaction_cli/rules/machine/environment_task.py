"""A task that the environment does not have.

## What it finds

A `task` that the installed package of the environment does not register.

## Why it matters

The run stops when the environment is created.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
evaluation:
  env:
    type: pusht
    task: PushT-v1
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
evaluation:
  env:
    type: pusht
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.spelling import closest
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.environments import Simulation
from getiaction_cli.rules import rule

_ROUTE = "evaluation.env.task"


@rule("GA523")
def environment_task(simulation: Simulation) -> Iterator[Finding]:
    """Look up the task in those that the package registers."""
    tasks, task = simulation.environment.tasks(simulation.config), str(simulation.config.task)
    if tasks is None or task in tasks:
        return
    near = (closest(task, tasks) or tasks)[:1]
    yield Finding(
        f"the environment {simulation.environment.name} has no task `{task}`",
        at=_ROUTE,
        help=f"it has {', '.join(tasks)}",
        fix=Change(f"use {near[0]}", set=((_ROUTE, near[0]),)) if near else None,
    )
