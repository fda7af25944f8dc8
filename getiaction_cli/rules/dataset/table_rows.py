"""The number of frames in the tables disagrees with the episode metadata.

## What it finds
A file under `data/` whose footer counts a number of rows that differs from the sum of its episodes.

## Why it matters
LeRobot reads the rows by position: with rows missing, every later frame gets the bounds, the task and the pictures of
another one; at the end it stops with `IndexError`.

## Example
```text
data/chunk-000/file-000.parquet    61 rows
meta/episodes                      66 frames in that file
```

## Instead
Restore the file, or remove the episodes that lost their rows (`lerobot-edit-dataset --operation.type
delete_episodes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_MAX = 5


@rule(
    "GA414",
    dataset="table-rows-lost",
    cause=("meta/episodes", "rows", "lengths", "data_path"),
    breaks=("table rows",),
    help=f"restore it {RESTORE}",
)
def table_rows(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables' footers with the lengths of their episodes."""
    needs_files(dataset)
    shown = 0
    for name, rows in dataset.data_files.items():
        header = dataset.tables.get(name)
        if header is None or header.problem:
            continue
        wanted = int(dataset.episodes.length[rows].sum())
        if header.rows == wanted:
            continue
        shown += 1
        if shown <= _MAX:
            file = dataset.episodes.file_of(int(rows[0]))
            yield Finding(
                f"{name} has {header.rows:,} rows, its episodes have {wanted:,} frames",
                file=name,
                related=(Related(f"{len(rows):,} episodes of that file", file=file),),
            )
    stray = sorted(set(dataset.tables) - set(dataset.data_files)) if dataset.data_files else []
    if stray:
        rows_lost = sum(dataset.tables[name].rows for name in stray)
        more = f" and {len(stray) - 1} more" if len(stray) > 1 else ""
        yield Finding(
            f"{stray[0]}{more}: {rows_lost:,} rows that no episode names",
            file=stray[0],
            help="LeRobot loads every table under data/, by name: rows in between shift all later frames",
            severity=None if stray[0] < max(dataset.data_files) else Severity.WARNING,
        )
