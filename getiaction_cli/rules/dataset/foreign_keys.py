"""The features have the names of another framework.

## What it finds
No feature `action`; `actions`, `state`, `image`, `wrist_image` and similar names instead of `action`,
`observation.state` and `observation.images.…`.

## Why it matters
LeRobot finds features by their names only. `actions` counts as an action but is never predicted (`'NoneType' object
has no attribute 'shape'`), no time window is made for it; `state` is ignored silently.

## Example
```json
{"features": {"state": {"dtype": "float32", "shape": [8]}, "actions": {"dtype": "float32", "shape": [7]}}}
```

## Instead
```json
{"features": {"observation.state": {"dtype": "float32", "shape": [8]}, "action": {"dtype": "float32", "shape": [7]}}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


_MEANT = {
    "actions": "action",
    "act": "action",
    "state": "observation.state",
    "states": "observation.state",
    "qpos": "observation.state",
    "joint_positions": "observation.state",
    "proprio": "observation.state",
    "observation.qpos": "observation.state",
    "image": "observation.images.image",
    "wrist_image": "observation.images.wrist_image",
    "reward": "next.reward",
}


@rule("GA462", dataset="openpi-keys", cause=("unseen camera",), breaks=("foreign names",), stops=True)
def foreign_keys(dataset: Dataset) -> Iterator[Finding]:
    """Look for `action`, and for names that other formats use."""
    if not dataset.declared:
        return
    foreign = {key: _MEANT[key] for key in dataset.features if key in _MEANT and _MEANT[key] not in dataset.declared}
    rename = ", ".join(f"{key} → {meant}" for key, meant in foreign.items())
    help = f"rename the features (info.json, stats.json, tables, videos): {rename}" if rename else ""
    if "action" not in dataset.declared:
        if any("action" in header.columns for header in dataset.tables.values()):
            return  # reported as a column that is not declared
        near = next((key for key in foreign if foreign[key] == "action"), "")
        only = f", only {near}" if near else ""
        at = f"features.{near}" if near else "features"
        yield Finding(
            f"there is no feature action{only}: policies have nothing to predict",
            file="meta/info.json",
            key=at,
            help=help,
        )
        return
    for key, meant in foreign.items():
        yield Finding(
            f"no policy sees {key}: LeRobot looks for {meant}",
            file="meta/info.json",
            key=f"features.{key}",
            severity=Severity.WARNING,
            help=help,
            features=(key,),
        )
