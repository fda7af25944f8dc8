"""The size of the videos differs from info.json.

## What it finds
A video file whose width and height are not those of the camera's `shape`.

## Why it matters
The policy is built for the declared size and gets pictures of the other: it stops at the first batch, or, with
cropping and pooling, trains on another part of the picture than meant.

## Example
```json
{"features": {"observation.images.top": {"dtype": "video", "shape": [480, 640, 3]}}}
```
where the videos are 48 wide and 32 high.

## Instead
```json
{"features": {"observation.images.top": {"dtype": "video", "shape": [32, 48, 3]}}}
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
    "GA444",
    dataset="video-size",
    cause=("video_path", "image shape"),
    help="correct the shape in meta/info.json, or encode the videos in the declared size",
)
def video_size(dataset: Dataset) -> Iterator[Finding]:
    """Compare the headers with the shapes."""
    if not dataset.has_data:
        return
    for key, files in dataset.video_files.items():
        declared = dataset.features[key].resolution
        for name in files:
            header = dataset.videos.get(name)
            if declared is None or header is None or not header.width or (header.width, header.height) == declared:
                continue
            turned = " (width and height are swapped)" if (header.height, header.width) == declared else ""
            yield Finding(
                f"{key} is declared {declared[0]}x{declared[1]}, {name} is {header.width}x{header.height}{turned}",
                file="meta/info.json",
                key=f"features.{key}.shape",
                related=(Related(f"{header.width} wide, {header.height} high", file=name),),
                features=(key,),
            )
            break
