"""A file of meta/ is missing.

## What it finds
`meta/info.json`, the tasks or the episodes are not there, although the rest of the dataset needs them.

## Why it matters
LeRobot takes a missing file for "not downloaded yet" and asks the Hub for the whole dataset: offline, or for a
dataset that was never uploaded, it ends in `401 Client Error` or `OfflineModeIsEnabled`, which says nothing about the
file.

## Example
```text
meta/info.json
meta/stats.json
meta/episodes/chunk-000/file-000.parquet
```
and no `meta/tasks.parquet`.

## Instead
Copy or fetch the dataset again, or name the folder that has it all: `root` is the folder that holds `meta/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA401",
    dataset="tasks-missing",
    in_itself=True,
    stops=True,
    help=f"restore it {RESTORE}",
)
def missing_meta_file(dataset: Dataset) -> Iterator[Finding]:
    """Report the files that were not found."""
    yield from dataset.found("GA401")
