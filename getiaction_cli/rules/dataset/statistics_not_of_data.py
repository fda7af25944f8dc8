"""The statistics do not match the data.

## What it finds
`min`, `max`, `mean` or `std` in `meta/stats.json` that differ from those computed from the tables by more than 1 % of
the range. Only with `inspect-dataset --deep`.

## Why it matters
The data was changed after the statistics were computed, or they come from another dataset. Policies normalize with
the wrong range, silently: actions come out scaled and shifted on the robot.

## Example
```text
action x: max is 0.85 in meta/stats.json, 0.42 in the data
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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few, recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule(
    "GA477",
    dataset="stats-not-of-data",
    cause=("rows", "table rows", "tables", "table data", "columns", "consistent statistics", "values"),
    breaks=("true statistics",),
)
def statistics_not_of_data(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Compare the file's statistics with those of the scan."""
    for feature in dataset.by_role("state", "action", "environment", "reward"):
        found, entry = scan.features.get(feature.key), (dataset.stats or {}).get(feature.key)
        if found is None or not entry or not found.count:
            continue
        span = np.maximum(found.max - found.min, 1e-9 + 1e-6 * np.abs(found.max))
        for name in ("min", "max", "mean", "std"):
            true = getattr(found, name)
            if name not in entry or entry[name].size != true.size:
                continue
            declared = entry[name].reshape(-1)
            if not np.isfinite(declared).all():
                continue
            off = np.abs(declared - true) / span
            worst = int(np.nanargmax(off))
            if off[worst] > 0.01:
                wrong = few([feature.dimension(i) for i in np.nonzero(off > 0.01)[0].tolist()])
                yield Finding(
                    f"{name} of {feature.key} is not that of the data ({wrong}): {feature.dimension(worst)} has "
                    f"{declared[worst]:.4g}, the data gives {true[worst]:.4g}",
                    file=dataset.stats_source,
                    key=f"{feature.key}.{name}",
                    features=(feature.key,),
                    help=recompute(dataset),
                )
                break
