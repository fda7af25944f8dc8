"""The timestamps do not match the frame rate.

## What it finds
Frames whose `timestamp` is not `frame_index / fps` (within 0.1 ms): gaps, stretched time, real clock times. Only with
`inspect-dataset --deep`.

## Why it matters
LeRobot seeks pictures at `from_timestamp + timestamp`: with videos it stops at the first batch that holds such a
frame, with `One or several query timestamps unexpectedly violate the tolerance`. Without videos it takes the frames
as evenly spaced all the same.

## Example
```text
episode 0, frame 12: timestamp 1.6 s, at 10 fps it is 1.2 s
```

## Instead
Write `timestamp = frame_index / fps`, when the frames are evenly spaced; otherwise resample the recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, place

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA475", dataset="timestamps-stretched", cause=("lengths", "episode order", "table rows", "fps", "row order"))
def timestamp_mismatch(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Report the first frame whose timestamp does not match its index."""
    number, spot = scan.off_time
    if spot is None or dataset.fps is None:
        return
    yield Finding(
        f"{count(number, 'timestamp')} {'is' if number == 1 else 'are'} not "
        f"frame_index / fps{f', by up to {scan.off_time_by:.3g} s' if scan.off_time_by else ''}: "
        f"{place(spot)} says {spot.value:.4g} s, at {dataset.fps:g} fps it is {spot.frame / dataset.fps:.4g} s",
        file=spot.file,
        severity=None if dataset.video_keys else Severity.WARNING,
    )
