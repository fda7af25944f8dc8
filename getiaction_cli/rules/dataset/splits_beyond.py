"""A split names episodes that don't exist.

## What it finds
`splits` in `info.json` with a range beyond the number of episodes, or one that is not a range.

## Why it matters
LeRobot itself ignores `splits`, other tools don't: the number of training episodes that they report is wrong.

## Example
```json
{"total_episodes": 3, "splits": {"train": "0:100"}}
```

## Instead
```json
{"total_episodes": 3, "splits": {"train": "0:3"}}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA415", severity=Severity.WARNING, dataset="splits-beyond", cause=("meta/episodes", "episodes", "rows"))
def splits_beyond(dataset: Dataset) -> Iterator[Finding]:
    """Compare the ranges with the number of episodes."""
    splits = dataset.info.get("splits")
    total = len(dataset.episodes)
    for name, value in (splits if isinstance(splits, dict) else {}).items():
        if isinstance(value, list):
            beyond = [e for e in value if not isinstance(e, int) or not 0 <= e < total]
            if beyond:
                yield _finding(name, f"names {len(beyond)} episodes that don't exist")
            continue
        match = re.fullmatch(r"\s*(\d{1,12})\s*:\s*(\d{1,12})\s*", value) if isinstance(value, str) else None
        if match is None:
            yield _finding(name, f"is {str(value)[:40]!r}, not a range like 0:{total}")
        elif int(match[2]) > total:
            yield _finding(name, f"ends at episode {match[2]}, the dataset has {total}")


def _finding(name: str, why: str) -> Finding:
    return Finding(f"the split {name} {why}", file="meta/info.json", key=f"splits.{name}")
