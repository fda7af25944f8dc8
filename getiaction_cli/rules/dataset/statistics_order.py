"""The statistics contradict themselves.

## What it finds
`min` above `max`, a `mean` outside of both, a negative `std`, quantiles that fall (`q01 > q10`) or lie outside of
`min` and `max`.

## Why it matters
Such numbers were not computed from data. Normalizing with them turns axes around or blows values up, silently.

## Example
```json
{"action": {"min": [1.0, 1.0], "max": [-1.0, -1.0], "mean": [0.0, 0.0], "std": [0.5, 0.5], "count": [66]}}
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

# In ascending order. Most policies never read the quantiles.
_BOUNDS = (("min", "max"), ("min", "mean"), ("mean", "max"))
_QUANTILES = (("q01", "q10"), ("q10", "q50"), ("q50", "q90"), ("q90", "q99"), ("min", "q01"), ("q99", "max"))


@rule("GA435", dataset="stats-turned", cause=("statistics",), breaks=("consistent statistics",))
def statistics_order(dataset: Dataset) -> Iterator[Finding]:
    """Compare the statistics of each feature with each other."""
    for key, entry in (dataset.stats or {}).items():
        for pairs, severity in ((_BOUNDS, Severity.ERROR), (_QUANTILES, Severity.WARNING)):
            found = next(((low, high, bad) for low, high in pairs if (bad := _above(entry, low, high))), None)
            if found is not None:
                low, high, bad = found
                yield _finding(dataset, key, f"{low} is above {high}", (low, high), bad, severity)
                break
        std = entry.get("std")
        if std is not None and (std < 0).any():
            yield _finding(
                dataset, key, "std is negative", ("std",), np.nonzero(std.reshape(-1) < 0)[0].tolist(), Severity.ERROR
            )


def _above(entry: dict[str, np.ndarray], low: str, high: str) -> list[int]:
    """Return the dimensions in which a statistic exceeds its upper bound by more than rounding."""
    if low not in entry or high not in entry or entry[low].shape != entry[high].shape:
        return []
    a, b = entry[low].reshape(-1), entry[high].reshape(-1)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return []
    # Histograms and float32 sums cause small errors; real mistakes are larger.
    with np.errstate(over="ignore", invalid="ignore"):
        span = _range(entry)
        span = np.abs(span) if span.shape == a.shape else np.zeros(1)
        slack = 1e-3 * span + 1e-4 * np.maximum(np.abs(a), np.abs(b))
        return np.nonzero(a > b + slack + 1e-6)[0].tolist()


def _range(entry: dict[str, np.ndarray]) -> np.ndarray:
    if "min" in entry and "max" in entry and entry["min"].shape == entry["max"].shape:
        return (entry["max"] - entry["min"]).reshape(-1)
    return np.zeros(1)


def _finding(
    dataset: Dataset, key: str, what: str, names: tuple[str, ...], dimensions: list[int], severity: Severity
) -> Finding:
    feature = dataset.features.get(key)
    where = few([feature.dimension(i) if feature else f"[{i}]" for i in dimensions])
    return Finding(
        f"{what} in the statistics of {key} ({where})",
        file=dataset.stats_source,
        key=f"{key}.{names[0]}",
        help=recompute(dataset),
        features=(key,),
        statistics=names,
        severity=Severity.INFO if feature is not None and feature.is_unread else severity,
    )
