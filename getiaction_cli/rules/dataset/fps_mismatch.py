"""The dataset's fps is not its videos' fps.

## What it finds
`fps` in `info.json` differs from the frame rate that is noted for a camera there, or that the video files themselves
have.

## Why it matters
LeRobot finds pictures by time: frame 30 of a 30 fps dataset is at 1.0 s, in a 10 fps video that is frame 10. With
torchcodec and a large tolerance it silently trains on the wrong pictures; otherwise it stops in the first
batches with `One or several query timestamps unexpectedly violate the tolerance`. Action windows in seconds are wrong
as well.

## Example
```json
{"fps": 30, "features": {"observation.images.top": {"info": {"video.fps": 10}}}}
```

## Instead
```json
{"fps": 10, "features": {"observation.images.top": {"info": {"video.fps": 10}}}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA441",
    dataset="fps-30-over-10",
    breaks=("fps",),
    help="correct fps in meta/info.json if the videos are right; encode the videos again if fps is right",
)
def fps_mismatch(dataset: Dataset) -> Iterator[Finding]:
    """Compare the dataset's fps with that in the features of the videos, then with their headers."""
    if dataset.fps is None:
        return
    for key in dataset.video_keys:
        noted = dataset.features[key].video("fps")
        if isinstance(noted, int | float) and noted > 0 and not close(noted, dataset.fps):
            yield Finding(
                f"fps is {dataset.fps:g}, info.json records {noted:g} for the videos of {key}",
                file="meta/info.json",
                key="fps",
                related=(Related(f"{noted:g} fps", file="meta/info.json", key=f"features.{key}.info.video.fps"),),
            )
            continue
        if not dataset.has_data:
            continue
        for name in dataset.video_files.get(key, {}):
            header = dataset.videos.get(name)
            if header is not None and header.fps is not None and not close(header.fps, dataset.fps):
                yield Finding(
                    f"fps is {dataset.fps:g}, {name} has {header.fps:.4g} frames per second",
                    file="meta/info.json",
                    key="fps",
                    related=(Related(f"{header.frames:,} frames in {header.seconds:.4g} s", file=name),),
                )
                break


def close(fps: float, other: float) -> bool:
    """True for frame rates that only differ by rounding (29.97 differs from 30)."""
    return abs(fps - other) <= 0.0005 * max(fps, other)
