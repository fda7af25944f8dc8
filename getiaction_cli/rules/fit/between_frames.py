"""Time steps that lie between two frames.

## What it finds

A number in `delta_timestamps` that is not a whole multiple of one frame (1/fps) within `tolerance_s`.

## Why it matters

LeRobot only uses recorded frames and never interpolates: it refuses such a list when the dataset is opened. Usually the
numbers were written for a dataset of another speed.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      action: [0.0, 0.02, 0.04, 0.06]
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import DELTAS, Fit
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._timing import derive


@rule("GA303", dataset="pusht", stops=True)
def between_frames(fit: Fit) -> Iterator[Finding]:
    """Find the stated times that don't match a recorded frame."""
    for key, times in fit.stated.items():
        if key not in fit.dataset.features or fit.steps(key) is not None:
            continue
        first = next(i for i, t in enumerate(times) if fit.is_between(t, key))
        yield Finding(
            f"`delta_timestamps` asks for `{key}` at {times[first]:g} s, but this dataset has a frame every "
            f"{1 / fit.fps:g} s",
            at=f"{DELTAS}.{key}.{first}",
            label="between two frames",
            related=(Related(f"{fit.fps:g} frames per second", file="meta/info.json", key="fps"),),
            fix=derive(fit, key),
        )
