"""The dataset has no episodes.

## What it finds
`total_episodes` or `total_frames` of 0, and no episodes in `meta/episodes`.

## Why it matters
There is nothing to train on. LeRobot does not look at the episodes when the count is 0 and stops with
`FileNotFoundError` or `'NoneType' object is not subscriptable`.

## Example
```json
{"total_episodes": 0, "total_frames": 0}
```

## Instead
Record at least one episode and call `dataset.finalize()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA410",
    dataset="no-episodes",
    cause=("meta/episodes",),
    breaks=("episodes",),
    help="record episodes first, or choose another dataset",
)
def no_episodes(dataset: Dataset) -> Iterator[Finding]:
    """Count."""
    if dataset.total_episodes is None or (len(dataset.episodes) and dataset.episodes.length.sum() > 0):
        return
    yield Finding("the dataset has no episodes", file="meta/info.json", key="total_episodes")
