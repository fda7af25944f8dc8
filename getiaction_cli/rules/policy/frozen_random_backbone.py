"""A random backbone that is never trained.

## What it finds

SmolVLA without `pretrained_path`, with `load_vlm_weights: false` (the default) and its vision-language model frozen
(`freeze_vision_encoder` or `train_expert_only`, both the default).

## Why it matters

The vision-language model is then built with random weights and stays so, and only the small action expert is trained
on its random features. The loss falls but the policy is useless, and LeRobot gives no warning.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
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
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    pretrained_path: lerobot/smolvla_base
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

from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values

_PATH = "model.init_args.pretrained_path"


@rule("GA233", dataset="pusht")
def frozen_random_backbone(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report a backbone that is both random and frozen."""
    if recipe.get(_PATH) or not policy.facts.random_backbone:
        return
    frozen = [name for name in policy.facts.freezes_backbone if policy.get(name)]
    if not frozen:
        return
    values = Values(recipe, policy.policy)
    at = "model.class_path" if not recipe.has("model.init_args.policy_name") else "model.init_args.policy_name"
    yield Finding(
        f"{policy.policy.title}'s vision-language model would be random and never trained: no `pretrained_path`, "
        f"{values.quoted('load_vlm_weights')}, and {' and '.join(values.quoted(name) for name in frozen)}",
        at=at,
        related=tuple(Related(f"{name} is true", at=values.at(name)) for name in frozen if values.is_set(name)),
        fix=Change(f"start from {policy.policy.base}", set=((_PATH, policy.policy.base),)),
        help="or `load_vlm_weights: true` to train a new action expert on the pretrained vision-language model",
    )
