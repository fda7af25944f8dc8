"""`use_peft` without adapters to train.

## What it finds

`use_peft: true`. Adapters (LoRA) are trained with the section `model.init_args.peft`.

## Why it matters

The flag alone does not make LeRobot wrap the policy: it tells that a checkpoint holds adapters. The whole policy
would be trained, or building it stops.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    config_kwargs:
      use_peft: true
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

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA236", dataset="pusht", stops=True)
def adapters_without_base(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report the flag, which has no effect in a recipe."""
    if not policy.get("use_peft") or "use_peft" not in recipe.params():
        return
    at = recipe.param_route("use_peft")
    yield Finding(
        "`use_peft` does not add adapters: it says that a checkpoint holds them",
        at=at,
        on="key",
        fix=Change("remove use_peft: the whole policy is trained", remove=(at,)),
        help="adapters are trained with model.init_args.peft, for example {r: 16}",
    )
