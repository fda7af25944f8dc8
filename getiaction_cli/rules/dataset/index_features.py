"""A feature that LeRobot itself needs is not declared.

## What it finds
`timestamp`, `frame_index`, `episode_index`, `index` or `task_index` missing under `features`.

## Why it matters
LeRobot reads only declared columns from the tables, and needs these five in every sample: it stops with `KeyError` or
with `CastError: Couldn't cast` because the table has columns that are not declared.

## Example
```json
{"features": {"action": {}, "timestamp": {}, "frame_index": {}, "episode_index": {}, "index": {}}}
```

## Instead
```json
{"features": {"task_index": {"dtype": "int64", "shape": [1], "names": null}}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA467", dataset="index-feature-missing", stops=True)
def index_features(dataset: Dataset) -> Iterator[Finding]:
    """Look for the five columns of every table."""
    lacking = [key for key in INDEX_KEYS if key not in dataset.declared]
    if dataset.declared and lacking:
        yield Finding(
            f"{few(lacking, 5)} {'is' if len(lacking) == 1 else 'are'} not declared",
            file="meta/info.json",
            key="features",
            help='declare it: {"dtype": "int64", "shape": [1], "names": null} (timestamp: "float32")',
        )
