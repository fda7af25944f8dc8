"""The dataset has no statistics.

## What it finds
`meta/stats.json` is missing (for v2.1: `meta/episodes_stats.jsonl` too).

## Why it matters
Policies normalize their inputs and outputs with these statistics. Without them, LeRobot stops with `'NoneType' object
is not subscriptable` when the dataset has cameras; without cameras it trains on raw numbers, silently.

## Example
```text
meta/info.json
meta/tasks.parquet
```

## Instead
```console
getiaction inspect-dataset FOLDER --deep --write-stats
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.datasets.stats import STATS
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA431", dataset="stats-missing", cause=("episodes",), breaks=("statistics",), stops=True)
def no_statistics(dataset: Dataset) -> Iterator[Finding]:
    """Look for the file."""
    if dataset.stats is not None or any(f.file == STATS for f in dataset.found("GA402")):
        return
    yield Finding(f"{STATS} is missing: nothing can be normalized", file=STATS, help=recompute(dataset))
