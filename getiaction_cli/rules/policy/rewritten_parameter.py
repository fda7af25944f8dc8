"""A parameter that LeRobot silently replaces.

## What it finds

A value in the recipe that LeRobot's configuration class accepts and then overwrites with another one, without an
error: GR00T takes some values for old defaults, Diffusion derives `crop_shape` from `resize_shape` and `crop_ratio`,
EVO1's stage decides what is fine-tuned.

## Why it matters

Training runs with a value that differs from the recipe's, and the saved configuration says so only
afterwards.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    resize_shape: [96, 96]
    crop_shape: [84, 84]
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
    resize_shape: [96, 96]
    crop_ratio: 0.875
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.policies import PolicyConfig, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import shown


@rule("GA207", severity=Severity.WARNING, dataset="pusht")
def rewritten_parameter(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report every parameter that LeRobot changes."""
    for name, (given, became) in policy.rewritten.items():
        if name not in recipe.params():
            continue  # it comes from a checkpoint
        at = recipe.param_route(name)
        warned = next((" ".join(stated.split()) for stated in policy.warnings if name in stated), "")
        yield Finding(
            f"`{name}: {shown(plain(given))}` is not what is trained: LeRobot makes it {shown(plain(became))}",
            at=at,
            help=f"LeRobot says: {warned}" if warned else _why(policy, name),
            fix=Change(f"write what is trained: {name} {shown(plain(became))}", set=((at, plain(became)),)),
        )


def _why(policy: PolicyConfig, name: str) -> str:
    if name == "crop_shape" and policy.get("resize_shape") is not None:
        ratio = policy.get("crop_ratio")
        return f"with `resize_shape` the crop is `resize_shape` times `crop_ratio` ({ratio:g}); 1 means no crop"
    return ""
