"""More joints than the policy has room for.

## What it finds

A state or an action with more numbers than the policy's `max_state_dim` or `max_action_dim`.

## Why it matters

These policies pad every robot to one width. A robot with more numbers stops at the first batch with a matrix error,
after billions of weights were loaded. Raising the maximum is possible only when training from scratch: the pretrained
layers have its width. EO-1 and EVO-1 train these layers anew anyway, as long as there is no `pretrained_path`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    max_action_dim: 8
    pretrained_path: lerobot/smolvla_base
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    pretrained_path: lerobot/smolvla_base
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._shorter import configured


@rule("GA320", dataset="aloha", breaks=("dimensions",))
def too_many_dimensions(fit: Fit) -> Iterator[Finding]:
    """Compare the dataset's number of dimensions with the policy's maximum."""
    for key, most in fit.facts.room.items():
        room = fit.policy.get(most)
        # Use the dataset's feature: some policies replace theirs by one with the padded width.
        feature = {**fit.readable, **fit.writable}.get(key)
        if not isinstance(room, int) or feature is None or feature.shape[0] <= room:
            continue
        larger = configured(fit, {most: feature.shape[0]}) is not None
        new = larger and fit.facts.new_robot_layers and not fit.recipe.get("model.init_args.pretrained_path")
        help = f"train from scratch with a larger {most}, or drop" if larger else "drop"
        at = fit.recipe.param_route(most)
        yield Finding(
            f"`{key}` has {feature.shape[0]} numbers, and {fit.policy.policy.class_name} has room for {room} ({most})",
            at=at if fit.recipe.has(at) else "data.init_args.repo_id",
            related=(Related(f"{feature.shape[0]} numbers", file="meta/info.json", key=f"features.{key}.shape"),),
            help="" if new else f"{help} dimensions from the dataset",
            fix=Change(f"set {most} to {feature.shape[0]}", set=((at, feature.shape[0]),)) if new else None,
        )
