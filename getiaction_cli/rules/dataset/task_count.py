"""Tasks that are counted or named, but missing.

## What it finds
`total_tasks` differs from the rows of the tasks' file; episodes that name a task which that file lacks, or none.

## Why it matters
The counts alone do no harm, but they say that tasks were lost. A frame whose `task_index` is beyond the rows stops
training with `IndexError: single positional indexer is out-of-bounds`, at the first step that reads it.

## Example
```json
{"total_tasks": 5}
```
where `meta/tasks.parquet` has 1 row.

## Instead
```json
{"total_tasks": 1}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.episodes import Episodes


@rule("GA454", dataset="task-count", cause=("meta/tasks", "meta/episodes", "episodes", "tasks"))
def task_count(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tasks with their count and with the episodes' task lists."""
    file = "meta/tasks.jsonl" if dataset.is_old else "meta/tasks.parquet"
    there = len(dataset.tasks)
    if dataset.total_tasks is not None and dataset.total_tasks != there:
        # Training reads the rows: a wrong count alone has no effect.
        yield Finding(
            f"info.json counts {count(dataset.total_tasks, 'task')}, {file} has {there:,}",
            file="meta/info.json",
            key="total_tasks",
            severity=Severity.WARNING,
        )
    without = _without_task(dataset.episodes)
    if len(without):
        yield Finding(
            f"{count(len(without), 'episode')} of {len(dataset.episodes):,} {'names' if len(without) == 1 else 'name'} "
            f"no task: episode {few(dataset.episodes.index[without].tolist())}",
            file=dataset.episodes.file_of(int(without[0])),
            severity=Severity.WARNING,
        )
    known = set(dataset.tasks)
    unknown = [task for task in dataset.episodes.task_names if task not in known]
    if unknown:
        shown = few([repr(task[:60]) for task in unknown], 2)
        # Frames refer to a task by task_index; the task lists of episodes are only displayed.
        yield Finding(f"episodes name tasks that {file} does not have: {shown}", file=file, severity=Severity.WARNING)


def _without_task(episodes: Episodes) -> np.ndarray:
    """Return the rows of the episodes whose list of tasks is empty or missing."""
    if episodes.task_offsets is None:
        return np.arange(len(episodes))
    return np.nonzero(np.diff(episodes.task_offsets) == 0)[0]
