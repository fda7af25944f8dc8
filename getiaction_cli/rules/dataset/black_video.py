"""A camera's pictures are black or one colour.

## What it finds
Videos, and tables with pictures, of which six frames, spread over the file, are black or of one colour; as a warning,
those of which two or more are. Only with `inspect-dataset --deep`.

## Why it matters
The camera was covered or switched off, or it is the wrong camera. The policy silently trains on it.

## Example
```text
videos/observation.images.wrist/chunk-000/file-000.mp4: brightness 0 of 255
```

## Instead
Leave the camera out of `input_features`, or delete the episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA482", dataset="video-black", breaks=("pictures",))
def black_video(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Look for pictures without contrast."""
    for key in dataset.camera_keys:
        looked = [video for video in scan.videos if video.key == key and video.decoded]
        blank = [video for video in looked if video.blank == video.decoded]
        if blank:
            colour = "black" if blank[0].brightness < 8 else "one colour"
            names = few([video.file for video in blank])
            yield Finding(f"{key} is {colour} in every sampled frame of {names}", file=blank[0].file)
        partly = [video for video in looked if 2 <= video.blank < video.decoded]
        if partly:
            first = partly[0]
            more = f", and in {count(len(partly) - 1, 'other file')}" if len(partly) > 1 else ""
            yield Finding(
                f"{key} is blank in {first.blank} of {first.decoded} sampled frames of {first.file}{more}",
                file=first.file,
                severity=Severity.WARNING,
            )
