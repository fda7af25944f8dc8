"""A camera is frozen: its picture never changes.

## What it finds
Videos, and tables with pictures, of which six frames, spread over the file, are the same picture. Only with
`inspect-dataset --deep`.

## Why it matters
The camera or its driver stopped responding. The policy learns to ignore the camera, or to expect exactly this picture.

## Example
```text
videos/observation.images.top/chunk-000/file-000.mp4: 6 frames, no pixel differs by more than 8 of 255
```

## Instead
Leave the camera out of `input_features`, or delete the episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


_NOISE = 8  # of 255: differences that compression causes between identical images


@rule("GA483", severity=Severity.WARNING, dataset="video-frozen", cause=("pictures",))
def frozen_video(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Look for videos in which nothing changes."""
    for key in dataset.camera_keys:
        frozen = [
            video
            for video in scan.videos
            if video.key == key and video.decoded >= 4 and video.change <= _NOISE and video.frames > 10
        ]
        if frozen:
            names = few([video.file for video in frozen])
            yield Finding(f"{key} shows the same picture throughout {names}", file=frozen[0].file)
