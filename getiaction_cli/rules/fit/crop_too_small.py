"""A crop that covers less than half of the picture.

## What it finds

A `crop_shape` that covers less than half of the picture, with no `resize_shape` before it; with the multi-task DiT an
`image_crop_shape` without `image_resize_shape`.

## Why it matters

The policy sees very little: 84x84 out of 640x480 is 2 % of the picture, at another random place each step. It trains,
the loss falls, and the robot fails. The number usually comes from a PushT recipe, whose pictures are 96x96.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    crop_shape: [48, 48]
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
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule

_HALF = 0.5
_CROPS = ("crop_shape", "image_crop_shape")


@rule("GA315", severity=Severity.WARNING, dataset="pusht", cause=("crop", "camera"))
def crop_too_small(fit: Fit) -> Iterator[Finding]:
    """Compare the area of the crop with that of the picture."""
    name = next((name for name in _CROPS if name in fit.policy.policy.parameter_names), "")
    resize = name.replace("crop", "resize")
    crop = fit.policy.get(name)
    if not isinstance(crop, list | tuple) or len(crop) != 2 or fit.policy.get(resize) is not None:
        return
    for key, camera in fit.policy.image_features.items():
        height, width = camera.shape[1:]
        share = crop[0] * crop[1] / (height * width)
        if share >= _HALF or min(crop) <= 0:
            continue
        at = fit.recipe.param_route(name)
        default = "" if fit.recipe.has(at) else ", its default,"
        resizes = resize in fit.policy.policy.parameter_names
        help = "" if resizes else f"set {name} nearer to the size of the picture"
        if fit.policy.get("crop_ratio") is not None:  # which crops the resized images
            help = f"{resize} [{round(240 * height / width / 8) * 8}, 240] with crop_ratio 0.9 keeps the whole view"
        no_crop = Change("set crop_shape to null: no crop", set=((at, None),))
        whole = Change(
            f"set {resize} to {list(crop)}: the whole view, in the size of the crop",
            set=((fit.recipe.param_route(resize), list(crop)),),
        )
        yield Finding(
            f"{name} {crop[0]}x{crop[1]}{default} shows {share:.1%} of `{key}`, which is {height}x{width}",
            at=at,
            related=(Related(f"{height}x{width}", file="meta/info.json", key=f"features.{key}.shape"),),
            help=help,
            fix=whole if resizes and not help else no_crop,
        )
        return
