"""The dataset is not portable: broken links or files that can't be opened.

## What it finds
Symbolic links under the dataset's folder that lead nowhere, and files that may not be read.

## Why it matters
A dataset that was copied with its links but without what they point to looks complete in a file manager. LeRobot stops
with `FileNotFoundError` or `PermissionError` when it opens such a file.

## Example
```text
data/chunk-000/file-001.parquet -> /mnt/old-disk/file-001.parquet
```

## Instead
Copy the files themselves: `cp -rL`, `rsync -rL`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA426", severity=Severity.WARNING, dataset="broken-link")
def broken_link(dataset: Dataset) -> Iterator[Finding]:
    """Look at the links and permissions found while listing the files."""
    needed = {*dataset.data_files, *(name for files in dataset.video_files.values() for name in files)}
    reported = {finding.file for _, finding in dataset.findings}
    needed |= reported
    stray = [name for name in dataset.listing.broken_links if name not in needed]
    if stray:
        lead = "leads" if len(stray) == 1 else "lead"
        yield Finding(f"{count(len(stray), 'link')} that {lead} nowhere: {few(stray)}", file=stray[0])
    # Other rules report problems of the file itself.
    reported |= {
        name for headers in (dataset.tables, dataset.videos) for name, header in headers.items() if header.problem
    }
    names = [name for name in dataset.listing.unreadable if name not in reported]
    if names:
        yield Finding(
            f"{count(len(names), 'file or folder', 'files or folders')} can't be read, permission denied: {few(names)}",
            file=names[0],
            severity=Severity.ERROR,
        )
