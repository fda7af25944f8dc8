"""A feature has a dtype that LeRobot does not support.

## What it finds
A `dtype` that is neither a number (`float32`, `int64`, `bool`, …) nor `string`, `image`, `video` or `language`.

## Why it matters
LeRobot stops while loading: `Value type 'float' not found` and the like, without the feature's name.

## Example
```json
{"action": {"dtype": "tensor", "shape": [2]}}
```

## Instead
```json
{"action": {"dtype": "float32", "shape": [2]}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.datasets.features import KNOWN_DTYPES, LANGUAGE_KEYS
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA468", dataset="dtype-unknown", breaks=("feature dtype",), stops=True)
def feature_dtype(dataset: Dataset) -> Iterator[Finding]:
    """Compare each dtype with those that LeRobot's tables can hold."""
    for feature in dataset.features.values():
        if feature.dtype and feature.dtype not in KNOWN_DTYPES and feature.key not in LANGUAGE_KEYS:
            yield Finding(
                f"{feature.key} has the dtype {feature.dtype!r}, which LeRobot does not support",
                file="meta/info.json",
                key=f"features.{feature.key}.dtype",
                help="a recorded vector is float32",
            )
