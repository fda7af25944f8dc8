"""A table that the episodes need is missing.

## What it finds
A file under `data/` that `meta/episodes` names and that does not exist.

## Why it matters
LeRobot takes the dataset for "not downloaded yet", asks the Hub for it, and ends in a network error. When other
tables are there, a recipe that asks for all episodes is refused the same way.

## Example
```text
meta/episodes     data/chunk_index 0, data/file_index 1
data/chunk-000/   file-000.parquet
```

## Instead
Fetch or copy the file, or train on the episodes that are here: `episodes: [0, 1, 2]` under `data.init_args`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count, few, needs_all_files, rows_in

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA421",
    dataset="table-missing",
    cause=("data_path",),
    breaks=("tables",),
    help=f"restore it {RESTORE}",
)
def missing_table(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables that the episodes name with the files."""
    needs_all_files(dataset)
    missing = [name for name in dataset.data_files if dataset.listing.lacks(name)]
    if not missing:
        return
    lost = sum(len(dataset.data_files[name]) for name in missing)
    what = f"{missing[0]} is" if len(missing) == 1 else f"{count(len(missing), 'table')} are"
    also = "" if len(missing) == 1 else f" ({few(missing)})"
    linked = " (a link that leads nowhere)" if missing[0] in dataset.listing.broken_links else ""
    yield Finding(
        f"{what} missing{also}{linked}: {count(lost, 'episode')} can't be read",
        file=missing[0],
        rows=rows_in(dataset.data_files, missing),
    )
