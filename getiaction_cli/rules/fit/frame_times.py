"""Timestamps in the tables at which the videos have no picture.

## What it finds

Frames whose `timestamp` in the tables lies further from the nearest picture of the videos than `tolerance_s`, in
videos of a constant frame rate. A recorder that writes the robot's own clock makes such datasets.

## Why it matters

LeRobot looks for the picture at exactly that time, and training stops: after all videos were decoded, or in the middle
of an epoch. `tolerance_s` below half a frame takes the nearest picture, which is the right one as long as the numbers
of the frames agree.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/robot-clock
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/robot-clock
    tolerance_s: 0.04
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, needs_files

_ROUTE = "data.init_args.tolerance_s"


@rule("GA357", dataset="robot-clock", cause=("meta/", "lengths", "episode order", "fps"))
def frame_times(fit: Fit) -> Iterator[Finding]:
    """Compare each timestamp with that of the nearest video frame."""
    dataset = fit.dataset
    if not dataset.video_keys or any(not header.even for header in dataset.videos.values()):
        return  # the frames of a video with a variable rate may match the tables
    needs_files(dataset)
    times = dataset.frame_times
    taken = np.isin(times.episode, fit.chosen)
    episode, frame, seconds = times.episode[taken], times.frame[taken], times.seconds[taken]
    nearest = np.round(seconds * fit.fps)
    gap = np.abs(seconds - nearest / fit.fps)
    # Tables store 32-bit floats, whose precision decreases over the episode.
    off = np.nonzero(gap >= fit.tolerance + np.abs(seconds) * 1.2e-7)[0]
    if not len(off):
        return
    first, worst = int(off[0]), float(gap.max())
    others = int((nearest != frame).sum())
    enough = _above(worst)
    rewrite = "write frame_index / fps into the column `timestamp` of the tables"
    works = enough < 0.5 / fit.fps
    how = f"; {count(others, 'frame')} would get a neighbour's picture" if works and others else ""
    yield Finding(
        f"{count(len(off), 'frame')} of {len(seconds):,} {'is' if len(off) == 1 else 'are'} at times at which the "
        f"videos have no picture: frame {frame[first]} of episode {episode[first]} says {seconds[first]:.4g} s, its "
        f"picture is at {nearest[first] / fit.fps:.4g} s (tolerance_s is {fit.tolerance:g})",
        at=_ROUTE if fit.recipe.has(_ROUTE) else "data.init_args.repo_id",
        help=f"or {rewrite}{how}" if works else rewrite,
        fix=Change(f"set tolerance_s to {enough:g}", set=((_ROUTE, enough),)) if works else None,
    )


def _above(gap: float) -> float:
    """Round up to three significant digits."""
    return float(f"{gap * 1.005:.3g}")
