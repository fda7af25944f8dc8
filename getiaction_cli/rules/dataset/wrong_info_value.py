"""info.json holds a value that LeRobot can't use.

## What it finds
`fps` of 0 or as text, counts that are not whole numbers, features without `dtype` or `shape`, a
`codebase_version` that is missing or is not that of the files.

## Why it matters
LeRobot stops with a `TypeError`, `KeyError` or `ValueError` deep inside the reader, or, for counts that are missing,
takes the dataset for empty.

## Example
```json
{"codebase_version": "v3.0", "fps": 0}
```

## Instead
```json
{"codebase_version": "v3.0", "fps": 10}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA403", dataset="fps-zero", in_itself=True, stops=True, help="correct this value in meta/info.json")
def wrong_info_value(dataset: Dataset) -> Iterator[Finding]:
    """Report the values that could not be used."""
    yield from dataset.found("GA403")
