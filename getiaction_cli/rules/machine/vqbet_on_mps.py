"""VQ-BeT on Apple's GPU.

## What it finds

VQ-BeT where training would use the `mps` accelerator.

## Why it matters

An operation that it needs is not there: the policy refuses to be built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
    n_vqvae_training_steps: 100
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
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
    n_vqvae_training_steps: 100
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  accelerator: cpu
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen

_ROUTE = "trainer.accelerator"


@rule("GA515", cause=("accelerator",))
def vqbet_on_mps(recipe: Recipe, policy_class: PolicyClass, machine: Machine) -> Iterator[Finding]:
    """Compare policy and accelerator."""
    if policy_class.facts.refuses_mps and chosen(recipe, machine) == "mps":
        yield Finding(
            f"{policy_class.class_name} doesn't run on mps, which this machine's trainer would choose",
            at=_ROUTE if recipe.has(_ROUTE) else "model.class_path",
            fix=Change("train on the CPU", set=((_ROUTE, "cpu"),)),
        )
