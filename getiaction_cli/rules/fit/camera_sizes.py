"""Cameras of different sizes.

## What it finds

Cameras of different height or width for a policy that stacks their pictures.

## Why it matters

Diffusion, VQ-BeT and the multi-task DiT refuse to be built; GR00T, X-VLA and VLA-JEPA stop at the first batch with an
error about array shapes. ACT, the pi0 family and SmolVLA accept different sizes.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/two-sizes
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
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/two-sizes
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule


@rule("GA311", dataset="two-sizes", cause=("channels", "camera"), breaks=("camera sizes",), stops=True)
def camera_sizes(fit: Fit) -> Iterator[Finding]:
    """Compare each camera with the first."""
    cameras = fit.policy.image_features
    if len({tuple(camera.shape[1:]) for camera in cameras.values()}) < 2 or not fit.facts.stacks_cameras:
        return
    first = next(iter(cameras))
    height, width = cameras[first].shape[1:]
    same = [key for key, camera in cameras.items() if tuple(camera.shape[1:]) == (height, width)]
    odd = next(key for key in cameras if key not in same)
    keep = [key for key in fit.policy.input_features if key in same or key not in cameras]
    h, w = cameras[odd].shape[1:]
    yield Finding(
        f"{fit.policy.policy.class_name} stacks its cameras, but `{odd}` is {w}x{h} and `{first}` is {width}x{height}",
        at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
        related=(Related(f"{w}x{h}", file="meta/info.json", key=f"features.{odd}.shape"),),
        help="choose cameras of one size with `input_features`, or resize the videos of the dataset",
        fix=Change(f"leave out the cameras that are not {width}x{height}", set=((INPUTS, keep),)),
    )
