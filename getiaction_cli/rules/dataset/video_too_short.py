"""A video ends before its last episode does.

## What it finds
A video file without the last frame of its last episode, at `from_timestamp + (length - 1) / fps`.

## Why it matters
Training runs until a batch asks for one of the missing frames, maybe after hours, and stops with `One or several
query timestamps unexpectedly violate the tolerance (tensor([460.4000]) > tolerance_s=0.0001)`.

## Example
```text
videos/observation.images.top/chunk-000/file-000.mp4    4.4 s
meta/episodes                                           22 frames from 4.4 s on, at 10 fps
```

## Instead
Restore the video, or leave out the episodes that run over its end with `episodes: […]` under `data.init_args`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, count, few, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA443",
    dataset="video-too-short",
    cause=("lengths", "fps", "video bounds"),
    breaks=("video bounds",),
    help=f"restore the video {RESTORE}",
)
def video_too_short(dataset: Dataset) -> Iterator[Finding]:
    """Compare the headers with the ends of the episodes."""
    needs_files(dataset)
    if dataset.fps is None:
        return
    for key, files in dataset.video_files.items():
        short = []
        for name, rows in files.items():
            header = dataset.videos.get(name)
            if header is None or header.problem or not header.frames:
                continue
            # LeRobot reads as many frames as the episode has, starting at from_timestamp.
            begins = np.zeros(len(rows)) if dataset.is_old else dataset.episodes.videos[key].from_timestamp[rows]
            ends = begins + dataset.episodes.length[rows] / dataset.fps
            late = rows[ends - 1 / dataset.fps > header.last + 0.51 / dataset.fps]
            if len(late):
                short.append(
                    (name, header.seconds, float(ends.max()), dataset.episodes.index[late].tolist(), late.tolist())
                )
        if short:
            name, seconds, wanted, late, _ = short[0]
            more = f", and {count(len(short) - 1, 'video')} more" if len(short) > 1 else ""
            yield Finding(
                f"{name} is {seconds:.6g} s long, its episodes need {wanted:.6g} s "
                f"(beyond its end: episode {few(late)}){more}",
                file=name,
                rows=np.concatenate([beyond for *_, beyond in short]),
            )
