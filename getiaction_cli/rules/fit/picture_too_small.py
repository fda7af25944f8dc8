"""A picture that is too small for the network.

## What it finds

A picture (after `resize_shape` and `crop_shape`) that the convolutions shrink to nothing: 32x32 or less for the
ResNet of diffusion and VQ-BeT with batch norm, less than 39x39 for TD-MPC.

## Why it matters

The policy can't be built: `Expected more than 1 value per channel when training`, or a kernel larger than its input.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    crop_shape: [32, 32]
    resize_shape: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/toy
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/toy
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from math import ceil

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.policies.networks import convolutions
from getiaction_cli.rules import rule


@rule(
    "GA316",
    stops=True,
    dataset="toy",
    cause=("cameras", "channels", "camera sizes", "square pictures", "crop", "camera"),
    breaks=("crop",),
)
def picture_too_small(fit: Fit) -> Iterator[Finding]:
    """Compute the size of the feature map from the strides."""
    for key, camera in list(fit.policy.image_features.items())[:1]:
        name = next((n for n in ("crop_shape", "resize_shape") if fit.policy.get(n) is not None), "")
        size = tuple(fit.policy.get(name) if name else camera.shape[1:])
        if len(size) != 2:
            continue
        least = _least(fit)
        if not (min(size) < least if least else fit.facts.resnet_built_on_picture and _is_a_point(fit, size)):
            continue
        height, width = size
        yield Finding(
            f"{fit.policy.policy.class_name} can't see anything in a picture of {height}x{width}: "
            "its convolutions leave nothing of it",
            at=fit.recipe.param_route(name) if name else "data.init_args.repo_id",
            related=(Related("the picture", file="meta/info.json", key=f"features.{key}.shape"),),
            help=f"{least}x{least} is the least" if least else "one side at least must be longer than 32",
        )


def _least(fit: Fit) -> int:
    """Return the minimum image size for convolutions without padding; 0 if there are none."""
    file = fit.facts.image_convolutions
    size = 1 if file else 0
    for kernel, stride in reversed(convolutions(file) if file else ()):
        size = (size - 1) * stride + kernel
    return size


def _is_a_point(fit: Fit, size: tuple[int, ...]) -> bool:
    # The network is built in training mode, in which batch norm can't be computed over a single point.
    return min(size) < 1 or (ceil(size[0] / 32) * ceil(size[1] / 32) <= 1 and not fit.policy.get("use_group_norm"))
