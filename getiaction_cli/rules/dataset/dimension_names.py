"""The number of a feature's names differs from its dimensions.

## What it finds
`names` of a vector with more or fewer entries than its `shape` says.

## Why it matters
Training does not use the names. Plots, messages and robots that are driven by name do.

## Example
```json
{"action": {"dtype": "float32", "shape": [2], "names": ["shoulder", "elbow", "gripper"]}}
```

## Instead
```json
{"action": {"dtype": "float32", "shape": [2], "names": ["shoulder", "gripper"]}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA466", severity=Severity.WARNING, dataset="names-too-many", cause=("columns",))
def dimension_names(dataset: Dataset) -> Iterator[Finding]:
    """Count the names of each vector."""
    for feature in dataset.features.values():
        if not feature.is_vector or feature.names is None or feature.role == "ignored":
            continue
        # One name for the whole vector ("state") is common and not a mistake.
        if len(feature.names) not in (1, feature.shape[0]):
            yield Finding(
                f"{feature.key} has {len(feature.names)} names and {feature.shape[0]} dimensions",
                file="meta/info.json",
                key=f"features.{feature.key}.names",
                features=(feature.key,),
            )
