"""A joint never moves in the whole dataset.

## What it finds
A dimension of a state or action whose `std` is 0, or whose `min` equals its `max`.

## Why it matters
Normalization divides by the standard deviation plus 1e-8: at run time, the slightest deviation, such as sensor noise,
becomes a value in the millions, and so does the policy's output. Training does not show this.

## Example
```json
{"action": {"min": [-1.0, 0.5], "max": [1.0, 0.5], "std": [0.6, 0.0]}}
```

## Instead
Leave the dimension out of the dataset when it is a joint that the robot does not have; when the gripper or joint was
simply never used, record episodes in which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few
from getiaction_cli.rules.dataset.statistics_spread import impossible

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA436",
    severity=Severity.WARNING,
    dataset="constant-joint",
    cause=("statistics", "finite statistics"),
    help="leave this feature out of `input_features` if it is not needed; check the recording if the joint should move",
)
def constant_dimension(dataset: Dataset) -> Iterator[Finding]:
    """Look for dimensions without spread."""
    for feature in dataset.by_role("state", "action", "environment"):
        dimensions = [] if feature.is_unread else constant(dataset, feature.key)
        if dimensions:
            still = few([feature.dimension(i) for i in dimensions], 6)
            yield Finding(
                f"{still} of {feature.key} never {'changes' if len(dimensions) == 1 else 'change'}",
                file=dataset.stats_source,
                key=f"{feature.key}.std",
                features=(feature.key,),
            )


def constant(dataset: Dataset, key: str) -> list[int]:
    """Return the dimensions of a feature that have a single value according to its statistics."""
    entry = (dataset.stats or {}).get(key, {})
    count = entry.get("count")
    if count is not None and count.size and count.flat[0] < 2:
        return []
    still = np.zeros(0, bool)
    if "std" in entry:
        still = entry["std"].reshape(-1) == 0
        still[impossible(entry)] = False
    if "min" in entry and "max" in entry and entry["min"].shape == entry["max"].shape:
        same = (entry["min"] == entry["max"]).reshape(-1)
        still = still | same if still.shape == same.shape else same
    return np.nonzero(still)[0].tolist()
