"""A table can't be read.

## What it finds
A parquet file under `data/` that is empty, cut off (its footer is missing), damaged, or a Git LFS pointer.

## Why it matters
One such file stops LeRobot from loading the whole dataset: `ArrowInvalid: Parquet magic bytes not found in footer`.
It is what an interrupted recording leaves behind: a parquet file gets its footer only when it is closed
(`dataset.finalize()`).

## Example
```text
data/chunk-000/file-000.parquet    2,048 of 4,731 bytes
```

## Instead
Restore the file from a backup or from the Hub; or delete it together with its episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count, few, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_MAX = 5


@rule(
    "GA422",
    dataset="table-cut",
    breaks=("tables",),
    help=f"restore it {RESTORE}",
)
def unreadable_table(dataset: Dataset) -> Iterator[Finding]:
    """Report the footers that could not be read."""
    needs_files(dataset)
    broken = {name: header.problem for name, header in dataset.tables.items() if header.problem}
    for name, problem in list(broken.items())[:_MAX]:
        rows = dataset.data_files.get(name)
        lost = "" if rows is None else f"; {count(len(rows), 'episode')} in it"
        yield Finding(f"{name} {problem}{lost}", file=name)
    if len(broken) > _MAX:
        name = list(broken)[_MAX]
        yield Finding(f"{len(broken) - _MAX} more tables can't be read: {few(list(broken)[_MAX:])}", file=name)
