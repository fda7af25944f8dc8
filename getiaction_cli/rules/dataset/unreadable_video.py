"""A video can't be read.

## What it finds
An mp4 file of 0 bytes, one that is cut off (it has no index), one with a damaged header, or one that is not a video.
Only the header is read; `getiaction inspect-dataset --deep` decodes frames.

## Why it matters
LeRobot loads the dataset without an error and stops at the first batch that needs a frame of it, minutes or hours into
training.

## Example
```text
videos/observation.images.top/chunk-000/file-000.mp4    0 bytes
```

## Instead
Restore the file, or delete its episodes (`lerobot-edit-dataset --operation.type delete_episodes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count, few, needs_files, rows_in

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_MAX = 5


@rule(
    "GA424",
    dataset="video-empty",
    breaks=("video files",),
    help=f"restore it {RESTORE}",
)
def unreadable_video(dataset: Dataset) -> Iterator[Finding]:
    """Report the headers that could not be read."""
    needs_files(dataset)
    named = {name: rows for files in dataset.video_files.values() for name, rows in files.items()}
    broken = {name: "is empty (0 bytes)" for name in named if dataset.listing.sizes.get(name) == 0}
    broken |= {name: header.problem for name, header in dataset.videos.items() if header.problem}
    for name, problem in list(broken.items())[:_MAX]:
        yield Finding(
            f"{name} {problem}; {count(len(named[name]), 'episode')} in it", file=name, rows=rows_in(named, [name])
        )
    if len(broken) > _MAX:
        name = list(broken)[_MAX]
        yield Finding(
            f"{len(broken) - _MAX} more videos can't be read: {few(list(broken)[_MAX:])}",
            file=name,
            rows=rows_in(named, list(broken)[_MAX:]),
        )
