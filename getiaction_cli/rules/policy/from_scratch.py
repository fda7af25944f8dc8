"""A large model trained from random weights.

## What it finds

A policy that is made to be fine-tuned (pi0, pi05, pi0_fast) without `pretrained_path`.

## Why it matters

Without it, LeRobot builds billions of random parameters and trains those. A few hundred demonstrations are not enough
for that.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0
  init_args:
    chunk_size: 10
    n_action_steps: 10
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
  class_path: getiaction.policies.lerobot.PI0
  init_args:
    pretrained_path: lerobot/pi0_base
    chunk_size: 10
    n_action_steps: 10
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
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_PATH = "model.init_args.pretrained_path"


@rule("GA234", severity=Severity.WARNING, dataset="pusht")
def from_scratch(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report a large policy without pretrained weights."""
    if not policy.facts.random_without_checkpoint or recipe.get(_PATH):
        return
    yield Finding(
        f"{policy.policy.title} would be trained from random weights: there is no `pretrained_path`",
        at="model.init_args.policy_name" if recipe.has("model.init_args.policy_name") else "model.class_path",
        fix=Change(f"start from {policy.policy.base}", set=((_PATH, policy.policy.base),)),
    )
