"""A joint does not move where it should.

## What it finds
A joint that keeps one value for a whole episode, although it moves in nearly all others; or a stretch of a second and
more in which no number of the state changes while the action does. Only with `inspect-dataset --deep`.

## Why it matters
A sensor or a driver stopped responding. The policy learns that its actions have no effect.

## Example
```text
episode 1: action y = 0.31 in all of its 20 frames
```

## Instead
Delete the episode: `lerobot-edit-dataset --operation.type delete_episodes --operation.episode_indices "[1]"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few, place

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA473", severity=Severity.WARNING, dataset="frozen-episode")
def frozen_joint(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Look for joints that don't move in a few episodes, and for intervals in which no joint moves."""
    reported: set[int] = set()
    for feature in dataset.by_role("state", "action"):
        found = scan.features.get(feature.key)
        if found is None or len(found.still) < 3 or not feature.is_continuous:
            continue
        times = found.still.sum(axis=0)
        # A joint that doesn't move in many episodes is not always used.
        together: dict[tuple[int, ...], list[int]] = {}
        for dimension in np.nonzero((times > 0) & (times <= max(1, 0.1 * len(found.still))))[0].tolist():
            together.setdefault(tuple(np.nonzero(found.still[:, dimension])[0].tolist()), []).append(dimension)
        for episodes, dimensions in together.items():
            long = [e for e in episodes if e < len(dataset.episodes) and dataset.episodes.length[e] >= 10]
            if long:
                reported.update(long if len(dimensions) == feature.size else ())
                one = len(dimensions) == 1
                yield Finding(
                    f"{few([feature.dimension(i) for i in dimensions], 6)} of {feature.key} "
                    f"{'does' if one else 'do'} not move in all of episode {few(long)}, "
                    f"{'it moves' if one else 'they move'} in {len(found.still) - len(episodes):,} others",
                    file=_table(dataset, long[0]),
                )
    stretches = [(spot, frames) for spot, frames in scan.frozen if spot.episode not in reported]
    if stretches:
        spot, frames = max(stretches, key=lambda entry: entry[1])
        yield Finding(
            f"observation.state does not move for {frames} frames from {place(spot)} on, while the action moves"
            + (f"; {len(stretches) - 1} more such stretches" if len(stretches) > 1 else ""),
            file=spot.file,
        )


def _table(dataset: Dataset, row: int) -> str:
    return next((name for name, rows in dataset.data_files.items() if row in rows), "")
