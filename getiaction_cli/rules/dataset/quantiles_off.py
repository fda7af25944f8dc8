"""The quantiles do not match the data.

## What it finds
`q01` … `q99` in `meta/stats.json` that differ from the true quantiles by more than 5 % of the range. Only with
`inspect-dataset --deep`.

## Why it matters
LeRobot 0.6.1 itself writes them wrong: it takes the mean of the episodes' quantiles, which is another number as soon
as episodes differ. Policies that normalize by quantiles (pi05, molmoact2, …) then cut or squeeze a part of the
actions, silently. Others don't read them.

## Example
```text
action x: q99 is 54.1 in meta/stats.json, 82.9 in the data (35 % of the range)
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
from getiaction_cli.rules.dataset._phrases import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import FeatureScan, Scan


@rule(
    "GA478",
    severity=Severity.WARNING,
    dataset="quantiles-of-lerobot",
    cause=(
        "rows",
        "table rows",
        "tables",
        "table data",
        "columns",
        "consistent statistics",
        "true statistics",
        "values",
    ),
)
def quantiles_off(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Compare the file's quantiles with those of the scan."""
    for feature in dataset.by_role("state", "action", "environment"):
        found, entry = scan.features.get(feature.key), (dataset.stats or {}).get(feature.key)
        if found is None or not entry or not found.count:
            continue
        worst = gap(found, entry)
        if worst is not None and worst[0] > 0.05:
            share, name, dimension = worst
            yield Finding(
                f"{name} of {feature.key} is {entry[name].reshape(-1)[dimension]:.4g} for "
                f"{feature.dimension(dimension)}, the data gives "
                f"{found.quantiles[name][dimension]:.4g}: off by {100 * share:.0f} % of the range",
                file=dataset.stats_source,
                key=f"{feature.key}.{name}",
                features=(feature.key,),
                help=recompute(dataset),
            )


def gap(found: FeatureScan, entry: dict[str, np.ndarray]) -> tuple[float, str, int] | None:
    """Return the largest difference of a quantile, as a share of the range, with its name and dimension."""
    span = np.maximum(found.max - found.min, 1e-9)
    worst: tuple[float, str, int] | None = None
    for name, true in found.quantiles.items():
        if name in entry and entry[name].size == true.size:
            off = np.nan_to_num(np.abs(entry[name].reshape(-1) - true) / span)
            dimension = int(off.argmax())
            if worst is None or off[dimension] > worst[0]:
                worst = float(off[dimension]), name, dimension
    return worst
