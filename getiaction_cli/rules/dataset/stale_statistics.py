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
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA438",
    dataset="stats-stale",
    unless=("GA401", "GA402", "GA403", "GA41", "GA431", "GA432", "GA433", "GA434", "GA435"),
)
def stale_statistics(dataset: Dataset) -> Iterator[Finding]:
    """Compare the whole's statistics with the sum of the episodes' own."""
    if dataset.stats is None or dataset.stats_source != STATS or not dataset.is_v3:
        return
    for feature in dataset.by_role("state", "action", "environment"):
        entry = dataset.stats.get(feature.key, {})
        columns = episode_columns(dataset.root, feature.key)
        why = _difference(entry, columns) if columns else ""
        of_others = _of_other_frames(entry, columns) if columns and not why else ""
        if why or of_others:
            yield Finding(
                f"the statistics of {feature.key} are not those of these episodes: {why or of_others}",
                file=STATS,
                key=feature.key,
                related=(Related("the episodes' own statistics", file="meta/episodes"),),
                help=recompute(dataset),
                severity=None if why else Severity.WARNING,  # the numbers that policies read are right
            )


def _difference(entry: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> str:
    """In words, the first statistic that does not follow from the episodes' own; empty when all do."""
    if any(name not in entry for name in ("min", "max", "mean")):
        return ""
    if entry["min"].size != columns["min"].shape[1] or not all(
        np.isfinite(column).all() for column in columns.values()
    ):
        return ""
    counts = columns["count"][:, 0]
    low, high = columns["min"].min(axis=0), columns["max"].max(axis=0)
    span = np.maximum(high - low, 1e-9 + 1e-6 * np.abs(high))
    mean = (columns["mean"] * counts[:, None]).sum(axis=0) / max(counts.sum(), 1)
    for name, true in (("min", low), ("max", high), ("mean", mean)):
        off = np.abs(entry[name].reshape(-1) - true) / span
        worst = int(off.argmax())
        if off[worst] > 0.01:
            return f"{name} is {entry[name].reshape(-1)[worst]:.4g}, the episodes give {true[worst]:.4g}"
    return ""


def _of_other_frames(entry: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> str:
    frames = columns["count"][:, 0].sum()
    said = entry["count"].reshape(-1)[0] if entry.get("count") is not None and entry["count"].size else frames
    if not np.isfinite([frames, said]).all() or frames == said:
        return ""
    return f"they are of {int(said):,} frames, the episodes have {int(frames):,}"
