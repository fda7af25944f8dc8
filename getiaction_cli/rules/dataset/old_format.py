"""The dataset is in a format that LeRobot no longer reads.

## What it finds
`codebase_version` v2.1, v2.0 or older: one file per episode, `episodes.jsonl` and `tasks.jsonl`.

## Why it matters
LeRobot 0.6 reads v3.0 only: for v2.1 it stops with `BackwardCompatibilityError`, for anything older with
`NotImplementedError: Contact the maintainer on Discord`. Its converter takes v2.1; v2.0 first needs the step to v2.1,
which only LeRobot 0.3 could do.

## Example
```json
{"codebase_version": "v2.1", "fps": 10}
```

## Instead
```console
python -m lerobot.scripts.convert_dataset_v21_to_v30 --repo-id lerobot/pusht --root FOLDER --push-to-hub false
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

TO_V30 = "python -m lerobot.scripts.convert_dataset_v21_to_v30"
TO_V21 = "python -m lerobot.datasets.v21.convert_dataset_v20_to_v21"


def conversion(dataset: Dataset) -> list[str]:
    """Return the commands, in order, that convert the dataset to v3.0; empty if there are none."""
    if dataset.format is None or dataset.format[0] != 2:
        return []
    root = "" if dataset.place.is_cached_copy else f" --root {dataset.root}"
    commands = [f"{TO_V30} --repo-id {dataset.repo_id}{root} --push-to-hub false"]
    if dataset.format == (2, 0):
        commands.insert(0, f"uvx --from 'lerobot==0.3.3' {TO_V21} --repo-id {dataset.repo_id}")
    return commands


@rule("GA404", dataset="version-21", cause=("codebase_version",), breaks=("format",))
def old_format(dataset: Dataset) -> Iterator[Finding]:
    """Compare the version with 3."""
    if dataset.format is None or dataset.format[0] >= 3:
        return
    commands = conversion(dataset)
    help = (
        "convert it: " + " ; then ".join(commands)
        if commands
        else "record it again, or ask its owner for a newer version"
    )
    yield Finding(
        f"the dataset is in format {dataset.version}, LeRobot reads v3.0",
        file="meta/info.json",
        key="codebase_version",
        label="old format",
        help=help,
    )
