"""Values that are empty.

## What it finds
Nulls in a column of the tables, as their footers count them. pandas turns NaN into null when it writes a table.

## Why it matters
LeRobot hands out `None` for such a value, and the step that first meets it stops: `TypeError: default_collate: batch
must contain tensors …`. It does not matter whether the policy reads that column.

## Example
```text
data/chunk-000/file-000.parquet    next.reward: 12 of 4,000 values are null
```

## Instead
Write numbers there, or delete the episodes: `lerobot-edit-dataset --operation.type delete_episodes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.datasets.features import LANGUAGE_KEYS
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import count, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA417", dataset="values-null", unless=("GA427",))
def empty_value(dataset: Dataset) -> Iterator[Finding]:
    """Name each column once, with the first table that has nulls in it."""
    needs_files(dataset)
    told = set(LANGUAGE_KEYS)
    for name, header in dataset.tables.items():
        for column, number in header.nulls.items():
            if column not in told:
                told.add(column)
                yield Finding(f"{count(number, 'value')} of {column} in {name} {_is(number)} empty (null)", file=name)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
