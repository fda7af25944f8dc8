"""An episode's stretch of video is not as long as the episode.

## What it finds
Episodes whose `to_timestamp - from_timestamp` is not `length / fps` (within one frame), or whose stretch overlaps
another's in the same file.

## Why it matters
LeRobot seeks a frame at `from_timestamp + timestamp`. With a shifted or overlapping stretch the pictures belong to
another moment, or to another episode, than the state and the action beside them: the policy learns from pairs that
never happened, silently. Merging datasets with older LeRobot versions did this.

## Example
```text
episode  length  fps  from_timestamp  to_timestamp
0        24      10   0.0             2.4
1        20      10   0.9             2.9
```

## Instead
```text
1        20      10   2.4             4.4
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA442",
    dataset="video-shifted",
    cause=("lengths", "episode order", "fps"),
    breaks=("video bounds",),
    help=f"restore meta/episodes {RESTORE}",
)
def video_bounds(dataset: Dataset) -> Iterator[Finding]:
    """Compare each episode's interval in the video with its length, and with its neighbours."""
    if dataset.fps is None:
        return
    frame = 1 / dataset.fps
    episodes = dataset.episodes
    for key, video in episodes.videos.items():
        data = episodes.length * frame
        order = np.lexsort((video.from_timestamp, video.file, video.chunk))
        here, after = order[:-1], order[1:]
        same = (video.chunk[here] == video.chunk[after]) & (video.file[here] == video.file[after])
        over = same & (video.from_timestamp[after] < video.from_timestamp[here] + data[here] - 0.51 * frame)
        if over.any():
            first = int(np.nonzero(over)[0][0])
            a, b = sorted((int(episodes.index[here[first]]), int(episodes.index[after[first]])))
            yield Finding(
                f"episodes {a} and {b} use overlapping parts of the video of {key}"
                + (f", and {int(over.sum()) - 1} more overlap" if over.sum() > 1 else ""),
                file=episodes.file_of(int(here[first])),
            )
            continue
        between = np.abs(video.from_timestamp / frame - np.round(video.from_timestamp / frame)) > 0.1
        if between.any():
            row = int(np.nonzero(between)[0][0])
            yield Finding(
                f"{count(int(between.sum()), 'episode')} of {key} beginning between two frames of the video: episode "
                f"{episodes.index[row]} at {video.from_timestamp[row]:.4g} s, with a frame every {frame:.4g} s",
                file=episodes.file_of(row),
            )
            continue
        seconds = video.to_timestamp - video.from_timestamp
        off = ~(np.abs(seconds - data) <= 1.01 * frame)  # true for NaN, too
        rows = np.nonzero(off)[0]
        if len(rows):
            # LeRobot only reads from_timestamp. A wrong end is a problem if the next episode starts there.
            carried = same & off[here] & (np.abs(video.from_timestamp[after] - video.to_timestamp[here]) < 0.5 * frame)
            # So is a start with a gap after the previous episode, or after the start of the file.
            first = np.concatenate([[True], ~same])
            ends = np.concatenate([[0.0], (video.from_timestamp + data)[here]])
            gap = off[order] & (video.from_timestamp[order] > np.where(first, 0.0, ends) + 0.51 * frame)
            row = int(rows[0])
            yield Finding(
                f"{count(len(rows), 'episode')} of {key} whose video and data differ in duration: episode "
                f"{episodes.index[row]} has {seconds[row]:.4g} s of video and {episodes.length[row]:,} frames "
                f"({data[row]:.4g} s)",
                file=episodes.file_of(row),
                severity=None
                if carried.any() or gap.any() or np.isnan(video.from_timestamp).any()
                else Severity.WARNING,
            )
