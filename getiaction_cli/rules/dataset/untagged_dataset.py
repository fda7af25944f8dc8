"""The dataset on the Hub has no version tag.

## What it finds
A Hub dataset none of whose tags or branches is a version: `v3.0`.

## Why it matters
LeRobot asks the Hub for the tag of its own format before it downloads anything, and stops with
`RevisionNotFoundError: Your dataset must be tagged with a codebase version`.

## Example
A dataset that was uploaded with `huggingface-cli upload` instead of `dataset.push_to_hub()`: it has the branch `main`
only.

## Instead
`revision: main` under `data.init_args` reads it as it is; its owner sets the tag with
`HfApi().create_tag("owner/name", tag="v3.0", repo_type="dataset")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA406", severity=Severity.WARNING)
def untagged_dataset(dataset: Dataset) -> Iterator[Finding]:
    """Report the answer of the Hub."""
    if dataset.place.tagged:
        return
    yield Finding(
        f"{dataset.repo_id} has no version tag on the Hub: LeRobot will not load it by its id",
        file="meta/info.json",
        help=f"set revision: {dataset.place.revision}; its owner can run "
        f'HfApi().create_tag("{dataset.repo_id}", tag="{dataset.version or "v3.0"}", repo_type="dataset")',
    )
