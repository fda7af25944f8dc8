"""A feature's name has a slash.

## What it finds
A key under `features` with `/` in it.

## Why it matters
LeRobot refuses such names (`Feature names should not contain '/'`) when it writes, merges or edits a dataset, and
flattens statistics by `/`, so that those of this feature are not found: it is not normalized.

## Example
```json
{"features": {"observation/state": {"dtype": "float32", "shape": [2]}}}
```

## Instead
```json
{"features": {"observation.state": {"dtype": "float32", "shape": [2]}}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA461", dataset="slash-key", breaks=("feature names",))
def feature_name(dataset: Dataset) -> Iterator[Finding]:
    """Look for slashes."""
    for key in dataset.features:
        if "/" in key:
            yield Finding(
                f"the feature {key} has a slash in its name",
                file="meta/info.json",
                key=f"features.{key}",
                help=f"call it {key.replace('/', '.')}, in info.json, in stats.json and in the tables",
            )
