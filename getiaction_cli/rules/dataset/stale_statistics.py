"""The statistics are not those of these episodes.

## What it finds
`meta/stats.json` disagrees with the statistics that `meta/episodes` holds for every episode: another number of
frames, another `min` or `max`, another mean.

## Why it matters
Episodes were added, deleted or merged and the statistics were not computed again, or the file comes from another
dataset. Policies normalize with the wrong range, silently; no other tool notices it.

## Example
```json
{"action": {"min": [-10.0, -10.0], "max": [10.0, 10.0], "mean": [4.0, 4.0], "std": [5.0, 5.0], "count": [66]}}
```
where the episodes' own minima and maxima lie between -1 and 1.

## Instead
```console
getiaction inspect-dataset FOLDER --deep --write-stats
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.datasets.stats import STATS, episode_columns
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA438", dataset="stats-stale", unless=("GA40", "GA41", "GA431", "GA432", "GA433", "GA434", "GA435"))
def stale_statistics(dataset: Dataset) -> Iterator[Finding]:
    """Compare the whole's statistics with the sum of the episodes' own."""
    if dataset.stats is None or dataset.stats_source != STATS or not dataset.is_v3:
        return
    for feature in dataset.by_role("state", "action", "environment"):
        entry = dataset.stats.get(feature.key, {})
        columns = episode_columns(dataset.root, feature.key)
        why = _difference(entry, columns) if columns else ""
        if why:
            yield Finding(
                f"the statistics of {feature.key} are not those of these episodes: {why}",
                file=STATS,
                key=feature.key,
                related=(Related("the episodes' own statistics", file="meta/episodes"),),
                help=recompute(dataset),
            )


def _difference(entry: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> str:
    """In words, the first statistic that does not follow from the episodes' own; empty when all do."""
    if any(name not in entry for name in ("min", "max", "mean", "count")):
        return ""
    if entry["min"].size != columns["min"].shape[1] or not all(
        np.isfinite(column).all() for column in columns.values()
    ):
        return ""
    counts = columns["count"][:, 0]
    frames, said = int(counts.sum()), int(entry["count"].flat[0])
    if frames != said:
        return f"they are of {said:,} frames, the episodes have {frames:,}"
    low, high = columns["min"].min(axis=0), columns["max"].max(axis=0)
    span = np.maximum(high - low, 1e-9 + 1e-6 * np.abs(high))
    mean = (columns["mean"] * counts[:, None]).sum(axis=0) / max(frames, 1)
    for name, true in (("min", low), ("max", high), ("mean", mean)):
        off = np.abs(entry[name].reshape(-1) - true) / span
        worst = int(off.argmax())
        if off[worst] > 0.01:
            return f"{name} is {entry[name].reshape(-1)[worst]:.4g}, the episodes give {true[worst]:.4g}"
    return ""
