"""More cameras than the policy takes.

## What it finds

More cameras among the inputs than the policy can see: one for VQ-BeT and TD-MPC, `max_views` for Evo1. As an
information, more than VLA-JEPA's world model learns from.

## Why it matters

VQ-BeT and TD-MPC refuse to be built; Evo1 stops at the first batch. Which camera to keep is your choice.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: null
    n_vqvae_training_steps: 100
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/two-cameras
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: null
    n_vqvae_training_steps: 100
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/two-cameras
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit, listed
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._shorter import configured


@rule("GA310", dataset="two-cameras", breaks=("cameras",), stops=True)
def too_many_cameras(fit: Fit) -> Iterator[Finding]:
    """Count the cameras."""
    most = fit.facts.max_cameras
    cameras = list(fit.policy.image_features)
    views = fit.facts.world_model_cameras
    if views is not None and len(cameras) > views:
        yield Finding(
            f"{fit.policy.policy.title}'s world model learns from {listed(cameras[:views])} alone; only its policy "
            "sees all cameras",
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
            severity=Severity.INFO,
        )
    if most is None or len(cameras) <= most:
        return
    others = [key for key in fit.policy.input_features if key not in cameras]
    sizes = {key: camera.shape[1:] for key, camera in fit.policy.image_features.items()}
    fitting = sorted(cameras, key=lambda key: bool(fit.facts.square_cameras) and len(set(sizes[key])) > 1)
    keep = [*fitting[:most], *others]
    count = "one camera" if most == 1 else f"{most} cameras"
    parameter = fit.facts.parameter_of("max_cameras")
    at = fit.recipe.param_route(parameter) if parameter else INPUTS
    fix = Change(f"read {', '.join(keep)}", set=((INPUTS, keep),))
    if parameter:
        count += f" ({parameter})"
        if configured(fit, {parameter: len(cameras)}) is not None:
            fix = Change(f"set {parameter} to {len(cameras)}", set=((at, len(cameras)),))
    yield Finding(
        f"{fit.policy.policy.class_name} takes {count}, and gets {len(cameras)}: {listed(cameras)}",
        at=next((route for route in (at, INPUTS) if fit.recipe.has(route)), "data.init_args.repo_id"),
        help="choose with `input_features` what the policy reads",
        fix=fix,
    )
