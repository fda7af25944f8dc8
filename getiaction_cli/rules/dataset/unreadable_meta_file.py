"""A file of meta/ can't be read.

## What it finds
invalid JSON, parquet files that are cut off, columns that LeRobot needs and that are not there, a file
of `meta/episodes` with a column that the first lacks.

## Why it matters
LeRobot stops at the first such file with `JSONDecodeError`, `ArrowInvalid: Parquet magic bytes not found in footer`
or `KeyError`, and does not say which file it was. A recording that was not finished (`dataset.finalize()`) leaves
parquet files without their footer: the episodes in them can't be read by anything.

## Example
```text
meta/episodes/chunk-000/file-000.parquet    2,048 of 9,310 bytes
```

## Instead
Restore the file from a backup or from the Hub, or record the missing episodes again.
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
    "GA402",
    dataset="episodes-cut",
    in_itself=True,
    help=f"correct the file, or restore it {RESTORE}",
)
def unreadable_meta_file(dataset: Dataset) -> Iterator[Finding]:
    """Report the files that could not be read."""
    yield from dataset.found("GA402")
