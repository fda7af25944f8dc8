"""A camera that is not square.

## What it finds

A camera for TD-MPC whose height and width differ.

## Why it matters

TD-MPC refuses to be built: its random shift of the picture is written for squares.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/wide
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule


@rule("GA312", dataset="wide", cause=("cameras", "camera"), breaks=("square pictures",), stops=True)
def square_camera(fit: Fit) -> Iterator[Finding]:
    """Compare height and width."""
    if not fit.facts.square_cameras:
        return
    for key, camera in fit.policy.image_features.items():
        height, width = camera.shape[1:]
        if height != width:
            yield Finding(
                f"{fit.policy.policy.class_name} takes square pictures only, and `{key}` is {width}x{height}",
                at="data.init_args.repo_id",
                related=(Related(f"{width}x{height}", file="meta/info.json", key=f"features.{key}.shape"),),
                help="crop or resize the videos of the dataset, or choose another policy",
            )
