"""The dataset is in a format that this LeRobot does not support.

## What it finds
A `codebase_version` newer than v3, or one that is not a version.

## Why it matters
LeRobot lets a newer version pass with no more than a warning in the log, and then reads files by the rules of v3.0.

## Example
```json
{"codebase_version": "v4.0"}
```

## Instead
A newer LeRobot, or the dataset's revision that was made for this one: `revision: v3.0` under `data.init_args`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA405", dataset="version-future")
def unknown_format(dataset: Dataset) -> Iterator[Finding]:
    """Compare the version with 3."""
    if dataset.version is None or (dataset.format is not None and dataset.format[0] <= 3):
        return
    what = "is not a version" if dataset.format is None else "is newer than v3.0, the format that this LeRobot reads"
    yield Finding(
        f"codebase_version {dataset.version!r} {what}",
        file="meta/info.json",
        key="codebase_version",
        severity=None if dataset.format is None else Severity.WARNING,
        help="update lerobot, or take the revision v3.0 of the dataset",
    )
