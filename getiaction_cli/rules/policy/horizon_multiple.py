"""A horizon that is not a multiple of the U-Net's factor.

## What it finds

Diffusion's `horizon` is not a multiple of 2 to the power of the number of `down_dims`.

## Why it matters

The U-Net halves the sequence of actions once per entry of `down_dims` and doubles it again on the way up; with three
entries, only multiples of 8 keep their length. LeRobot refuses others.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 20
    n_action_steps: 8
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import refusal_of
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA202", dataset="pusht", stops=True)
def horizon_multiple(
    recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected
) -> Iterator[Finding]:
    """Report LeRobot's error, with a horizon rounded up."""
    values = Values(recipe, policy_class)
    if refusal_of(configured, values, "horizon") is None:
        return
    stages = len(values["down_dims"])
    factor = 2**stages
    rounded = max(factor, -(-values["horizon"] // factor) * factor)
    yield contradiction(
        values,
        f"{values.quoted('horizon')} is not a multiple of {factor}: "
        f"the U-Net halves it {stages} times, once per entry of `down_dims`",
        "horizon",
        "down_dims",
        fix=values.set_to("horizon", rounded),
    )
