"""A video that the episodes need is missing.

## What it finds
An mp4 file under `videos/` that `meta/episodes` names and that does not exist.

## Why it matters
LeRobot takes the dataset for "not downloaded yet", asks the Hub for it, and ends in a network error that does not
name the file.

## Example
```text
meta/episodes                            videos/observation.images.top/file_index 0
videos/observation.images.top/chunk-000/ (empty)
```

## Instead
Fetch or copy the file; or leave the camera out of what the policy reads, by removing the feature from the dataset
(`lerobot-edit-dataset --operation.type remove_feature`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count, few, needs_all_files, rows_in

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA423",
    dataset="video-missing",
    cause=("video_path",),
    help=f"restore it {RESTORE}",
)
def missing_video(dataset: Dataset) -> Iterator[Finding]:
    """Compare the videos that the episodes name with the files."""
    needs_all_files(dataset)
    for key, files in dataset.video_files.items():
        missing = [name for name in files if dataset.listing.lacks(name)]
        if not missing:
            continue
        lost = sum(len(files[name]) for name in missing)
        linked = " (a link that leads nowhere)" if missing[0] in dataset.listing.broken_links else ""
        what = (
            f"{missing[0]} is missing{linked}"
            if len(missing) == 1
            else (f"{count(len(missing), 'video')} of {key} are missing{linked} ({few(missing)})")
        )
        yield Finding(
            f"{what}: {count(lost, 'episode')} without pictures of {key}", file=missing[0], rows=rows_in(files, missing)
        )
