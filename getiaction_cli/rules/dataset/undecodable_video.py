"""Pictures can't be decoded, or are not where LeRobot looks for them.

## What it finds
Video files of which some of six frames, spread over the file, can't be decoded, or lie between the moments
`frame / fps` or after the first of them; tables of whose pictures some are missing, damaged or of another size.
Only with `inspect-dataset --deep`; frames are decoded with PyAV.

## Why it matters
Training stops at the first batch that needs such a frame, maybe after hours; some decoders return a grey picture
instead, silently.

## Example
```text
videos/observation.images.top/chunk-000/file-000.mp4: Invalid data found when processing input
```

## Instead
Restore the file, or leave its episodes out with `episodes: […]` under `data.init_args`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA481", dataset="video-scrambled", cause=("video files", "video bounds", "fps", "image shape", "table data"))
def undecodable_video(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the files that could not be decoded."""
    broken = [video for video in scan.videos if video.problem]
    for video in broken[:5]:
        yield Finding(
            f"{video.file} {video.problem} ({video.decoded} of {video.asked} frames decoded)", file=video.file
        )
    if len(broken) > 5:
        yield Finding(f"{count(len(broken) - 5, 'file')} more can't be decoded", file=broken[5].file)
