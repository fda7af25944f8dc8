"""The dataset has no task.

## What it finds
`total_tasks` of 0, or no row in the tasks' file.

## Why it matters
LeRobot puts a task text into every sample, for every policy: without tasks it stops at the first one with `'NoneType'
object has no attribute 'iloc'`.

## Example
```json
{"total_tasks": 0}
```

## Instead
One row in `meta/tasks.parquet` (`lerobot-edit-dataset --operation.type modify_tasks` writes it) and `"total_tasks":
1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA451",
    dataset="tasks-none",
    cause=("meta/tasks", "episodes"),
    breaks=("tasks",),
    help="name the tasks in meta/tasks.parquet and count them in total_tasks of meta/info.json",
)
def no_tasks(dataset: Dataset) -> Iterator[Finding]:
    """Count."""
    if dataset.total_tasks is None or (dataset.total_tasks > 0 and dataset.tasks):
        return
    counted = (
        "info.json counts 0 tasks: LeRobot does not read their file" if dataset.tasks else "the dataset has no task"
    )
    yield Finding(counted, file="meta/info.json", key="total_tasks")
