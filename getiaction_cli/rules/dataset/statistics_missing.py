"""A feature has no statistics.

## What it finds
A state, action, environment or camera feature that `meta/stats.json` does not mention, or without `mean`, `std`,
`min`, `max`.

## Why it matters
LeRobot only normalizes features with statistics: without them, the policy gets joint angles in degrees in addition to
normalized ones, and learns badly, silently. A camera without an entry stops training with `KeyError`. A vector that no
network reads (`observation.velocity`) is only noted.

## Example
```json
{"action": {"mean": [0.1, 0.2], "std": [1.0, 1.0], "min": [-1, -1], "max": [1, 1], "count": [66]}}
```
for a dataset that has `observation.state` too.

## Instead
```console
getiaction inspect-dataset FOLDER --deep --write-stats
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few, recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


_NEEDED = ("mean", "std", "min", "max")


@rule(
    "GA432",
    dataset="stats-feature-missing",
    cause=("meta/stats", "statistics"),
    breaks=("complete statistics",),
    stops=True,
)
def statistics_missing(dataset: Dataset) -> Iterator[Finding]:
    """Look for an entry of each feature that a policy reads or predicts."""
    if dataset.stats is None:
        return
    judged = dataset.by_role("state", "action", "environment", "image", "depth")
    absent = [feature for feature in judged if not dataset.stats.get(feature.key)]
    for unread, severity in ((False, None), (True, Severity.INFO)):
        keys = [feature.key for feature in absent if feature.is_unread is unread]
        if keys:
            note = ", which no network reads" if unread else ""
            yield Finding(
                f"{dataset.stats_source} has no statistics for {few(keys, 4)}{note}",
                file=dataset.stats_source,
                help=recompute(dataset),
                features=tuple(keys),
                statistics=_NEEDED,
                severity=severity,
            )
    for feature in judged:
        entry = dataset.stats.get(feature.key)
        lacking = [name for name in _NEEDED if entry and name not in entry]
        if lacking:
            yield Finding(
                f"the statistics of {feature.key} lack {few(lacking, 4)}",
                file=dataset.stats_source,
                key=feature.key,
                help=recompute(dataset),
                features=(feature.key,),
                statistics=tuple(lacking),
            )
