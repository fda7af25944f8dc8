"""The rows of the tables are not where the metadata says.

## What it finds
Rows whose `episode_index`, `frame_index` or `index` is not what the episodes' bounds say for that row; a `task_index`
that no task has. Only with `inspect-dataset --deep`.

## Why it matters
LeRobot finds windows by position and pictures by `episode_index`: one row too many shifts everything behind it, and
state, action and pictures no longer belong together. A `task_index` beyond the tasks is an `IndexError` at the
first step that reads it.

## Example
```text
data/chunk-000/file-000.parquet, row 24: episode_index 0, meta/episodes says 1
```

## Instead
Rebuild the tables or the metadata from the recording; datasets that were merged by hand are best merged again with
`lerobot-edit-dataset --operation.type merge`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, place

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule(
    "GA476",
    dataset="index-repeats",
    cause=("meta/episodes", "lengths", "episode order", "table rows"),
    breaks=("row order",),
)
def rows_out_of_order(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the first row of each column that differs."""
    for column, (number, spot) in scan.misplaced.items():
        if column == "task_index":
            what = f"there {'is' if len(dataset.tasks) == 1 else 'are'} {count(len(dataset.tasks), 'task')}"
            message = (
                f"{count(number, 'row')} with a task_index without a task: {spot.value:.0f} in {place(spot)}, {what}"
            )
        else:
            message = (
                f"{count(number, 'row')} whose {column} differs from meta/episodes, first at the position of "
                f"{place(spot)}: {spot.value:.0f}"
            )
        # LeRobot 0.6.1 never reads frame_index.
        yield Finding(message, file=spot.file, severity=Severity.WARNING if column == "frame_index" else None)
