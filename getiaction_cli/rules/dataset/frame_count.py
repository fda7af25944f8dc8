"""info.json and the episodes disagree on how many frames there are.

## What it finds
`total_frames` differs from the sum of the episodes' lengths.

## Why it matters
LeRobot takes its length from `total_frames`: counted too high, the sampler asks for frames that don't exist; counted
too low, the last frames are silently never seen.

## Example
```json
{"total_frames": 1000}
```
where the episodes add up to 66 frames.

## Instead
```json
{"total_frames": 66}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA412",
    dataset="total-frames-wrong",
    cause=("meta/episodes", "rows"),
    help="correct total_frames in meta/info.json, or restore the frames that are missing",
)
def frame_count(dataset: Dataset) -> Iterator[Finding]:
    """Compare `total_frames` with the lengths."""
    episodes, declared = dataset.episodes, dataset.total_frames
    there = int(episodes.length.sum())
    # If lengths contradict the bounds, those that add up to the total are right: GA413 reports the others.
    if episodes.from_index is not None and episodes.to_index is not None:
        there = there if declared == there else int((episodes.to_index - episodes.from_index).sum())
    if declared is not None and there != declared:
        yield Finding(
            f"info.json counts {declared:,} frames, the episodes add up to {there:,}",
            file="meta/info.json",
            key="total_frames",
        )
