"""Weights of another policy.

## What it finds

A `pretrained_path` whose `config.json` names a policy that differs from the recipe's.

## Why it matters

Its weights don't fit the network. LeRobot's own loader would start from random weights, with only a log message.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    pretrained_path: me/act-pusht
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.checkpoint import ROUTE, Checkpoint
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.policies import PolicyClass, load, names
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule(
    "GA341",
    cause=("checkpoint",),
    breaks=("checkpoint policy",),
    help="train the policy that the checkpoint holds, or name another checkpoint",
)
def checkpoint_policy(recipe: Recipe, checkpoint: Checkpoint, policy_class: PolicyClass) -> Iterator[Finding]:
    """Compare the names of the policies."""
    if not checkpoint.config or checkpoint.policy == policy_class.name:
        return
    other = load(checkpoint.policy) if checkpoint.policy in names() else None
    yield Finding(
        f"{checkpoint.path} holds a policy of type {checkpoint.policy!r}, the recipe trains {policy_class.class_name}",
        at=ROUTE,
        related=(Related(f"{policy_class.class_name} is asked for", at="model.class_path"),),
        fix=Change(f"train {other.class_name}", set=(("model.class_path", other.class_path),))
        if other is not None and set(recipe.params()) <= set(other.parameter_names)
        else None,
    )
