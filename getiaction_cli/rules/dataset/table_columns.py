"""The tables don't hold what info.json declares.

## What it finds
A declared feature without a column in a table under `data/`, or with vectors of another length than its shape.

## Why it matters
LeRobot reads the tables by the features of `info.json`: a missing column is filled with nothing or stops the loading
(`CastError: Couldn't cast`), another length does the same.

## Example
```json
{"features": {"action": {"dtype": "float32", "shape": [3]}}}
```
where the table has `action: fixed_size_list<float>[2]`.

## Instead
```json
{"features": {"action": {"dtype": "float32", "shape": [2]}}}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.datasets.features import KNOWN_DTYPES, LANGUAGE_KEYS
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import few, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA427", dataset="column-missing")
def table_columns(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables' columns with the features."""
    needs_files(dataset)
    wanted = [
        f
        for f in dataset.features.values()
        if f.dtype in KNOWN_DTYPES - {"video", "language"} and f.key not in LANGUAGE_KEYS
    ]
    for name, header in dataset.tables.items():
        if header.problem:
            continue
        lacking = [feature.key for feature in wanted if feature.key not in header.columns]
        if lacking:
            yield Finding(
                f"{name} has no column {few(lacking)}",
                file=name,
                related=(Related("declared here", file="meta/info.json", key=f"features.{lacking[0]}"),),
            )
        for feature in wanted:
            length = re.search(r"\[(\d+)\]$", header.columns.get(feature.key, ""))
            if length and len(feature.shape) == 1 and int(length[1]) != feature.shape[0]:
                yield Finding(
                    f"{feature.key} has {length[1]} numbers in {name}, info.json declares {feature.shape[0]}",
                    file="meta/info.json",
                    key=f"features.{feature.key}.shape",
                )
        if lacking:
            return  # one table speaks for all
