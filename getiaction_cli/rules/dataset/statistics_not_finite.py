"""The statistics hold NaN or infinity.

## What it finds
NaN, infinity or null among the numbers of `meta/stats.json`; a `count` of 0.

## Why it matters
Every normalized value becomes NaN, the loss becomes NaN at the first step, and LeRobot silently continues training. It
comes from a NaN in the recorded data itself (one frame is enough), or from an empty episode.

## Example
```json
{"action": {"mean": [NaN, 0.2], "std": [1.0, 1.0], "min": [-1, -1], "max": [1, 1], "count": [66]}}
```

## Instead
Find the frames with `getiaction inspect-dataset FOLDER --deep`, fix or delete their episodes, and write the
statistics again.
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


@rule("GA433", dataset="stats-nan", cause=("statistics",), breaks=("finite statistics",))
def statistics_not_finite(dataset: Dataset) -> Iterator[Finding]:
    """Look for numbers that are not finite."""
    for key, entry in (dataset.stats or {}).items():
        feature = dataset.features.get(key)
        wrong = {name: values for name, values in entry.items() if not np.isfinite(values).all()}
        if wrong:
            name, values = next(iter(wrong.items()))
            bad = np.nonzero(~np.isfinite(values.reshape(-1)))[0]
            where = few([feature.dimension(i) if feature else f"[{i}]" for i in bad.tolist()])
            yield Finding(
                f"{few(list(wrong), 4)} of {key} {'is' if len(wrong) == 1 else 'are'} not finite ({where})",
                file=dataset.stats_source,
                key=f"{key}.{name}",
                severity=Severity.INFO if feature is not None and feature.is_unread else None,
                help="`--deep` finds the frames; afterwards " + recompute(dataset),
                features=(key,),
                statistics=tuple(wrong),
            )
        elif "count" in entry and entry["count"].size and not entry["count"].flat[0] > 0:
            yield Finding(
                f"the statistics of {key} were computed from 0 frames",
                file=dataset.stats_source,
                key=f"{key}.count",
                features=(key,),
                statistics=("count",),
                severity=Severity.WARNING,  # policies don't read the count
            )
