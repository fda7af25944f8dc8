"""Recorded values that are NaN or infinite.

## What it finds
NaN or infinity in a number of the tables. Only `inspect-dataset --deep` reads them.

## Why it matters
One such frame makes the loss NaN the first time it is drawn, and every weight with it; LeRobot
silently continues. Statistics computed over it are NaN too.

## Example
```text
episode 1, frame 6: action = [nan, 0.21]
```

## Instead
Fix the value, or delete the episode: `lerobot-edit-dataset --operation.type delete_episodes
--operation.episode_indices "[1]"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few, place, recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA471", dataset="data-nan", breaks=("values",))
def data_not_finite(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the values that the scan found."""
    for key, feature in scan.features.items():
        if feature.not_finite:
            spot = feature.first_not_finite[0]
            name = dataset.features[key].dimension(spot.dimension)
            episodes = sorted({s.episode for s in feature.first_not_finite})
            yield Finding(
                f"{count(feature.not_finite, 'value')} of {key} "
                f"{'is' if feature.not_finite == 1 else 'are'} NaN or infinite, first {name} in {place(spot)}",
                file=spot.file,
                features=(key,),
                severity=Severity.WARNING if dataset.features[key].is_unread else None,
                help=f"fix or delete episode {few(episodes)}, then " + recompute(dataset),
            )
