"""A policy that can't learn from demonstrations.

## What it finds

`gaussian_actor`: LeRobot's actor for online reinforcement learning.

## Why it matters

Its forward pass returns actions, not a loss: there is nothing to train from recorded episodes.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: gaussian_actor
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
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: act
    config_kwargs: {chunk_size: 10, n_action_steps: 10}
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
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA235", dataset="pusht", stops=True)
def not_trainable(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Report the reason from the table of policies."""
    if not policy_class.trainable:
        yield Finding(
            f"`{policy_class.name}` can't be trained from demonstrations: {policy_class.why_not}",
            at="model.init_args.policy_name" if recipe.has("model.init_args.policy_name") else "model.class_path",
            help="`getiaction list-policies --trainable` lists those that can",
        )
