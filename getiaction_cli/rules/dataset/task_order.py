"""The tasks are not in the order of their numbers.

## What it finds
Rows of `meta/tasks.parquet` whose `task_index` is not their position; numbers that are missing or occur twice. A
warning where the policy reads no language.

## Why it matters
LeRobot looks a frame's task up by the row's *position* and ignores the column `task_index`: every frame silently gets
the text of another task, and a language policy learns to do the wrong thing on request.

## Example
```text
task_index  task
1           Close the drawer.
0           Open the drawer.
```

## Instead
```text
task_index  task
0           Open the drawer.
1           Close the drawer.
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA452",
    dataset="tasks-order",
    help="number the tasks 0, 1, 2, … in meta/tasks.parquet and in task_index of the tables",
)
def task_order(dataset: Dataset, reads_language: bool) -> Iterator[Finding]:
    """Compare `task_index` with the position."""
    if dataset.tasks_in_order:
        return
    wanted = list(range(len(dataset.task_indices)))
    severity = None if reads_language else Severity.WARNING
    file = "meta/tasks.jsonl" if dataset.is_old else "meta/tasks.parquet"
    twice = dataset.repeated_task_indices
    if not twice and sorted(dataset.task_indices) == wanted:
        row = next(i for i, index in enumerate(dataset.task_indices) if index != i)
        yield Finding(
            f"the tasks are not in the order of task_index: row {row} has {dataset.task_indices[row]}; "
            f"frames of task {row} get the text {dataset.tasks[row][:60]!r}",
            file=file,
            help="sort the rows by task_index",
            severity=severity,
        )
        return
    why = f"{twice[0]} occurs more than once" if twice else f"they are {few(dataset.task_indices, 6)}"
    yield Finding(f"task_index does not count 0 to {len(wanted) - 1}: {why}", file=file, severity=severity)
