"""A standard deviation that contradicts `min` and `max`.

## What it finds
A `std` that no set of numbers between `min` and `max` has: 0 although `min` and `max` differ, or more than their
distance.

## Why it matters
Policies divide by the spread. LeRobot computes it in a way that loses it where values are large and change little
(10000 to 10002): it writes 0, and normalizing then makes numbers in the hundred millions of them.

## Example
```json
{"observation.state": {"min": [10000.0], "max": [10002.0], "mean": [10001.0], "std": [0.0], "count": [120]}}
```

## Instead
```console
getiaction inspect-dataset FOLDER --deep --write-stats
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few, recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA485", dataset="stats-no-spread", cause=("statistics", "finite statistics", "consistent statistics"))
def statistics_spread(dataset: Dataset) -> Iterator[Finding]:
    """Compare each std with the minimum and maximum that the range allows."""
    for feature in dataset.by_role("state", "action", "environment"):
        entry = (dataset.stats or {}).get(feature.key, {})
        wrong = impossible(entry, len(dataset.episodes) and int(dataset.episodes.length.sum()))
        if not wrong:
            continue
        low, high, std = (entry[name].reshape(-1)[wrong[0]] for name in ("min", "max", "std"))
        yield Finding(
            f"std of {feature.key} is {std:.4g} for {few([feature.dimension(i) for i in wrong], 6)}, whose values go "
            f"from {low:.8g} to {high:.8g}",
            file=dataset.stats_source,
            key=f"{feature.key}.std",
            help=recompute(dataset),
            features=(feature.key,),
            statistics=("std",),
            severity=Severity.INFO if feature.is_unread else None,
        )


def impossible(entry: dict[str, np.ndarray], frames: int = 0) -> list[int]:
    """The dimensions whose std can't be that of numbers between min and max, both of which occur."""
    if not {"min", "max", "std"} <= entry.keys() or len({entry[name].shape for name in ("min", "max", "std")}) != 1:
        return []
    low, high, std = (entry[name].reshape(-1) for name in ("min", "max", "std"))
    if not all(np.isfinite(numbers).all() for numbers in (low, high, std)):
        return []
    counted = entry["count"].flat[0] if "count" in entry and entry["count"].size else frames
    count = max(counted, frames, 2) if np.isfinite(counted) else max(frames, 2)
    with np.errstate(over="ignore", invalid="ignore"):
        span = high - low
        # The rounding errors of 32-bit numbers are smaller than this.
        wide = span > 1e-6 * np.maximum(np.abs(low), np.abs(high)) + 1e-12
        least, most = 0.5 * span / np.sqrt(2 * count), 0.75 * span
        return np.nonzero(wide & (std >= 0) & ((std < least) | (std > most)))[0].tolist()
