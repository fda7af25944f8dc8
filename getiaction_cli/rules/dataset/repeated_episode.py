"""An episode occurs twice.

## What it finds
Episodes whose first 16 frames of state and action are the same, number for number. Only with `inspect-dataset
--deep`.

## Why it matters
A dataset that was merged with itself, or uploaded twice, counts its episodes double: they weigh more in training, and
an episode that is held out for validation was seen in training.

## Example
```text
episode 2 begins with the same frames as episode 0
```

## Instead
Delete one of them: `lerobot-edit-dataset --operation.type delete_episodes --operation.episode_indices "[2]"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA479", severity=Severity.WARNING, dataset="episodes-twice", cause=("table rows",))
def repeated_episode(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the pairs that the scan found."""
    if scan.duplicates:
        pairs = [f"{b} as {a}" for a, b in scan.duplicates]
        yield Finding(
            f"{count(len(pairs), 'episode')} "
            f"that {'begins' if len(pairs) == 1 else 'begin'} with the same frames as another: episode {few(pairs)}",
            file=next((name for name, rows in dataset.data_files.items() if scan.duplicates[0][1] in rows), ""),
        )
