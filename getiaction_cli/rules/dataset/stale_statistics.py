"""The statistics do not match the episodes.

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

from getiaction_cli.datasets.stats import STATS
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.episodes import EpisodeSums


@rule(
    "GA438",
    dataset="stats-stale",
    cause=("meta/episodes", "episodes", "rows"),
    breaks=("consistent statistics",),
)
def stale_statistics(dataset: Dataset) -> Iterator[Finding]:
    """Compare the statistics of the dataset with those aggregated from its episodes."""
    if dataset.stats is None or dataset.stats_source != STATS or not dataset.is_v3:
        return
    for key, sums in dataset.episodes.sums.items():
        entry = {name: values.reshape(-1) for name, values in dataset.stats.get(key, {}).items()}
        if any(len(entry.get(name, ())) != len(sums.min) for name in ("min", "max", "mean")):
            continue
        numbers = np.array([entry["min"], entry["max"], entry["mean"], sums.min, sums.max, sums.mean])
        if not np.isfinite(numbers).all() or (entry["min"] > entry["max"]).any():
            continue  # other rules report statistics that are not finite or out of order
        all_of_them = sums.episodes == len(dataset.episodes)
        why = _difference(entry, sums) if all_of_them else _exceeds_dataset(entry, sums)
        feature = dataset.features.get(key)
        of_others = _of_other_frames(entry, sums) if all_of_them and not why else ""
        if why or of_others:
            yield Finding(
                f"the statistics of {key} are not those of these episodes: {why or of_others}",
                file=STATS,
                key=key,
                related=(Related("the episodes' own statistics", file="meta/episodes"),),
                help=recompute(dataset),
                features=(key,),
                statistics=(),
                # Without `why`, the statistics that policies read are correct.
                severity=Severity.INFO if feature and feature.is_unread else None if why else Severity.WARNING,
            )


def _difference(entry: dict[str, np.ndarray], sums: EpisodeSums) -> str:
    """Describe the first statistic that differs from the aggregate of the episodes; empty if none does."""
    span = np.maximum(sums.max - sums.min, 1e-9 + 1e-6 * np.abs(sums.max))
    for name, true in (("min", sums.min), ("max", sums.max), ("mean", sums.mean)):
        off = np.abs(entry[name] - true) / span
        worst = int(off.argmax())
        if off[worst] > 0.01:
            return f"{name} is {entry[name][worst]:.4g}, the episodes give {true[worst]:.4g}"
    return ""


def _exceeds_dataset(entry: dict[str, np.ndarray], sums: EpisodeSums) -> str:
    """Describe a difference if only the first episodes were aggregated: their range must lie within the dataset's."""
    span = np.maximum(sums.max - sums.min, 1e-9 + 1e-6 * np.abs(sums.max))
    for name, off in (("min", entry["min"] - sums.min), ("max", sums.max - entry["max"])):
        worst = int((off / span).argmax())
        if off[worst] > 0.01 * span[worst]:
            seen = sums.min if name == "min" else sums.max
            first = f"the first {sums.episodes:,} episodes"
            return f"{name} is {entry[name][worst]:.4g}, {first} go to {seen[worst]:.4g}"
    return ""


def _of_other_frames(entry: dict[str, np.ndarray], sums: EpisodeSums) -> str:
    declared = float(entry["count"][0]) if len(entry.get("count", ())) else sums.frames
    if not np.isfinite([sums.frames, declared]).all() or declared <= 0 or sums.frames == declared:
        return ""
    return f"they are of {int(declared):,} frames, the episodes have {int(sums.frames):,}"
