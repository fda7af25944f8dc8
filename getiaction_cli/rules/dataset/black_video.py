"""A camera shows nothing.

## What it finds
Video files of which six frames, spread over the file, are black or of one colour. Only with `inspect-dataset --deep`.

## Why it matters
The camera was covered, off, or not the one that was meant. The policy trains on it without a word.

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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._words import count, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.deep import Scan


@rule("GA482", dataset="video-black")
def black_video(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Look for pictures without contrast."""
    blank = [video for video in scan.videos if video.decoded and video.contrast < 2]
    if blank:
        first = blank[0]
        colour = "black" if first.brightness < 8 else "of one colour"
        names = few([video.file for video in blank])
        yield Finding(
            f"{count(len(blank), 'video')} {'is' if len(blank) == 1 else 'are'} {colour} "
            f"in all frames looked at: {names}",
            file=first.file,
        )
