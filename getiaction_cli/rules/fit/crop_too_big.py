"""A crop that is larger than the picture.

## What it finds

A `crop_shape` that is higher or wider than a camera's picture. VQ-BeT crops to 84x84 by default.

## Why it matters

The policy refuses to be built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    crop_shape: [100, 84]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    crop_shape: [84, 84]
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
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule


@rule("GA314", dataset="pusht", cause=("cameras", "channels", "camera sizes", "camera"), breaks=("crop",), stops=True)
def crop_too_big(fit: Fit) -> Iterator[Finding]:
    """Find the first camera whose images are smaller than the crop."""
    crop = fit.policy.get("crop_shape")
    if not isinstance(crop, list | tuple) or len(crop) != 2 or fit.policy.get("resize_shape") is not None:
        return
    for key, camera in fit.policy.image_features.items():
        height, width = camera.shape[1:]
        if crop[0] <= height and crop[1] <= width:
            continue
        at = fit.recipe.param_route("crop_shape")
        default = "" if fit.recipe.has(at) else ", its default,"
        yield Finding(
            f"crop_shape {crop[0]}x{crop[1]} (height x width){default} doesn't fit into `{key}`, "
            f"which is {height}x{width}",
            at=at,
            label="larger than the picture",
            related=(Related(f"{height}x{width}", file="meta/info.json", key=f"features.{key}.shape"),),
            fix=Change("set crop_shape to null: no crop", set=((at, None),)),
        )
        return
