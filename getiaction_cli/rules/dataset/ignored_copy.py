"""LeRobot will not use this copy of the dataset.

## What it finds
A folder in LeRobot's home that an older LeRobot downloaded: it has a folder `.cache/huggingface/download`.

## Why it matters
LeRobot 0.6 does not trust such copies (they don't contain their revision): it asks the Hub and downloads the dataset
again, into another folder. Changes made by hand in the old copy are never seen; offline, it stops.

## Example
```text
~/.cache/huggingface/lerobot/lerobot/pusht/.cache/huggingface/download/meta/info.json.metadata
```

## Instead
Name the folder with `root`, or delete `.cache/huggingface/download` in it to keep using it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA407", severity=Severity.WARNING)
def ignored_copy(dataset: Dataset) -> Iterator[Finding]:
    """Look for the marker file that LeRobot requires."""
    if dataset.place.origin != "lerobot home":
        return
    download = dataset.root / ".cache" / "huggingface" / "download"
    if download.exists():
        yield Finding(
            f"LeRobot will download {dataset.repo_id} again: this copy was made by an older version",
            file=".cache/huggingface/download",
            help=f"to use it as it is, set root: {dataset.root}",
        )
