"""The tables don't hold what info.json declares.

## What it finds
A declared feature without a column in a table under `data/`, or with vectors of another length or other dimensions than
its shape; a column that is not declared.

## Why it matters
LeRobot reads the tables by the features of `info.json`: a missing column is filled with nothing or stops the loading
(`CastError: Couldn't cast`, shown as `DatasetGenerationError`), another length or a column too many does the same.

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

from getiaction_cli.datasets.features import INDEX_KEYS, LANGUAGE_KEYS, TABLE_DTYPES, Feature
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import few, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA427", dataset="column-missing")
def table_columns(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables' columns with the features."""
    needs_files(dataset)
    if not dataset.declared:
        return
    features = [feature for feature in dataset.features.values() if feature.key not in LANGUAGE_KEYS]
    wanted = [feature for feature in features if feature.dtype in TABLE_DTYPES | {"image"}]
    # Missing index columns of info.json have a code of their own.
    declared = {*dataset.declared, *INDEX_KEYS} - {feature.key for feature in features if feature.dtype == "video"}
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
        foreign = [column for column in header.columns if column not in declared]
        if foreign:
            yield Finding(
                f"{name} has the column {few(foreign)}, which info.json does not declare as one",
                file=name,
                related=(Related("the features", file="meta/info.json", key="features"),),
                help="declare it under features, or take it out of the tables",
            )
        for feature in wanted:
            stored = header.columns.get(feature.key, "")
            length = re.search(r"\[(\d+)\]$", stored)
            if length and len(feature.shape) == 1 and int(length[1]) != feature.shape[0]:
                yield Finding(
                    f"{feature.key} has {length[1]} numbers in {name}, info.json declares {feature.shape[0]}",
                    file="meta/info.json",
                    key=f"features.{feature.key}.shape",
                )
            elif not _fits(feature, stored):
                yield Finding(
                    f"{feature.key} is {stored} in {name}, info.json declares the shape {list(feature.shape)}",
                    file="meta/info.json",
                    key=f"features.{feature.key}.shape",
                )
        if lacking or foreign:
            return  # one table speaks for all


def _fits(feature: Feature, stored: str) -> bool:
    """Whether the stored lists are nested as deep as the shape is long; one number is stored as itself."""
    if not stored or not feature.shape or feature.dtype == "image" or "extension" in stored:
        return True
    return stored.count("list<") == (0 if feature.shape == (1,) else len(feature.shape))
