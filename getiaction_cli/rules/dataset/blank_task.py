"""A task has no text.

## What it finds
Tasks whose text is empty, or a placeholder as `task`, `TODO` or `dummy`.

## Why it matters
Policies without language input are not affected. Language policies are trained on an empty prompt and can't follow
instructions afterwards; vla_jepa silently replaces it by "Execute the robot action.".

## Example
```text
task_index  task
0           ""
```

## Instead
```text
task_index  task
0           "Pick up the red cube and put it into the box."
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


_PLACEHOLDERS = {
    "task",
    "todo",
    "dummy",
    "test",
    "none",
    "null",
    "n/a",
    "na",
    "unknown",
    "tbd",
    "placeholder",
    "xxx",
    "-",
    ".",
}


@rule("GA453", severity=Severity.WARNING, dataset="task-blank")
def blank_task(dataset: Dataset) -> Iterator[Finding]:
    """Look at the texts of the tasks."""
    file = "meta/tasks.jsonl" if dataset.is_old else "meta/tasks.parquet"
    blank = [index for index, task in enumerate(dataset.tasks) if not task.strip()]
    if blank:
        yield Finding(f"the text of task {few(blank)} is empty", file=file, help=_HELP)
    hollow = [task for task in dataset.tasks if task.strip().lower().rstrip(".") in _PLACEHOLDERS]
    if hollow:
        yield Finding(f"the task {few([repr(task) for task in hollow])} describes nothing", file=file, help=_HELP)


_HELP = "`lerobot-edit-dataset --operation.type modify_tasks` sets it; only language policies need it"
