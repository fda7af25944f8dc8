"""The tables don't hold what info.json declares.

## What it finds
A declared feature without a column in a table under `data/`, or with vectors whose length or dimensions differ from
its shape; fractions or text where the dtype is a whole number; a column that is not declared.

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

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction_cli.datasets.features import LANGUAGE_KEYS, NUMERIC_DTYPES, TABLE_DTYPES, Feature
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_LENGTH = re.compile(r"\[(\d+)\]$")


@rule(
    "GA427",
    dataset="column-missing",
    breaks=("columns",),
    help="correct the features in meta/info.json, or restore the tables that match them",
)
def table_columns(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables' columns with the features."""
    needs_files(dataset)
    if not dataset.declared:
        return
    features = [feature for feature in dataset.features.values() if feature.key not in LANGUAGE_KEYS]
    wanted = [feature for feature in features if feature.dtype in TABLE_DTYPES | {"image"}]
    # Another rule reports index columns that are missing from info.json.
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
                features=tuple(lacking),
            )
        foreign = [column for column in header.columns if column not in declared]
        if foreign:
            yield Finding(
                f"{name} has the column {few(foreign)}, which info.json does not declare as one",
                file=name,
                related=(Related("the features", file="meta/info.json", key="features"),),
                help="declare it under features, or take it out of the tables",
            )
        if lacking or foreign:
            break  # all tables have the same columns
    for feature in wanted:
        yield from _stored_otherwise(dataset, feature)


def _stored_otherwise(dataset: Dataset, feature: Feature) -> Iterator[Finding]:
    """Return the first table whose column differs from the declared feature, and the number of further ones."""
    ways: dict[str, list[str]] = {}
    for name, header in dataset.tables.items():
        ways.setdefault(header.columns.get(feature.key, ""), []).append(name)
    at = f"features.{feature.key}"
    other = {stored: names for stored, names in ways.items() if not _fits(feature, stored)}
    if other:
        stored, where = next(iter(other)), _where(other)
        length = _LENGTH.search(stored)
        if length and len(feature.shape) == 1:
            message = f"{feature.key} has {length[1]} numbers in {where}, info.json declares {feature.shape[0]}"
        else:
            message = f"{feature.key} is {stored} in {where}, info.json declares the shape {list(feature.shape)}"
        yield Finding(message, file="meta/info.json", key=f"{at}.shape", features=(feature.key,))
        return
    alien = {kind: names for stored, names in ways.items() if (kind := _alien(feature, stored))}
    if alien:
        kind = next(iter(alien))
        yield Finding(
            f"{feature.key} is stored as {kind} in {_where(alien)}, info.json declares {feature.dtype}",
            file="meta/info.json",
            key=f"{at}.dtype",
            help=f"set its dtype to {kind}",
            features=(feature.key,),
            # LeRobot loads such an index if all its numbers are integers.
            severity=None if feature.role in ("state", "action", "environment") else Severity.WARNING,
        )


def _where(tables: dict[str, list[str]]) -> str:
    first, *rest = [name for names in tables.values() for name in names]
    return f"{first} and {count(len(rest), 'more table')}" if rest else first


def _alien(feature: Feature, stored: str) -> str:
    """Return the stored dtype if LeRobot can't convert it to the declared one on loading; else an empty string."""
    found = re.search(r"\b(float|double|halffloat|string)\b", stored)
    if found is None or feature.dtype not in NUMERIC_DTYPES - {"bool"}:
        return ""
    kind = {"float": "float32", "double": "float64", "halffloat": "float16"}.get(found[1], "string")
    return "" if feature.is_continuous and kind != "string" else kind


def _fits(feature: Feature, stored: str) -> bool:
    """True if the nesting of the stored lists matches the number of dimensions; a scalar is stored without a list."""
    if not stored or not feature.shape or feature.dtype == "image" or "extension" in stored:
        return True
    length = _LENGTH.search(stored)
    if length and len(feature.shape) == 1 and int(length[1]) != feature.shape[0]:
        return False
    return stored.count("list<") == (0 if feature.shape == (1,) else len(feature.shape))
