"""A table opens, but its rows can't be read.

## What it finds
Parquet files with an intact footer and damaged data: pages that can't be decompressed, or rows that hold another count
of numbers than the others. Only with `inspect-dataset --deep`, which reads them.

## Why it matters
LeRobot reads all tables before the first step and stops with an `ArrowInvalid` or `OSError` that names no file.

## Example
```text
data/chunk-000/file-000.parquet has damaged data: Corrupt snappy compressed data.
```

## Instead
Restore the file from the recording or from the Hub, or take its episodes out with `lerobot-edit-dataset`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan

_MAX = 5


@rule("GA484", dataset="pages-damaged", cause=("columns",), breaks=("table data",))
def damaged_rows(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the tables that could not be read, except those whose header is already reported."""
    damaged = {name: why for name, why in scan.unread.items() if not dataset.tables[name].problem}
    for name, why in list(damaged.items())[:_MAX]:
        yield Finding(f"{name} {why}", file=name)
    if len(damaged) > _MAX:
        rest = list(damaged)[_MAX:]
        yield Finding(f"{len(rest)} more tables can't be read: {few(rest)}", file=rest[0])
