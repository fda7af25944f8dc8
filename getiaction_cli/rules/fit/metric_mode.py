"""A metric of rollouts that is minimised.

## What it finds

A `ModelCheckpoint` or `EarlyStopping` with `mode: min` on `eval/success_rate`, `eval/sum_reward` or `eval/max_reward`.

## Why it matters

It keeps the policy that fails most, or stops when the policy becomes better.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  callbacks:
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args:
        monitor: eval/success_rate
        mode: min
evaluation:
  env:
    type: pusht
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  callbacks:
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args:
        monitor: eval/success_rate
        mode: max
evaluation:
  env:
    type: pusht
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction.spec.evaluation import HIGHER_IS_BETTER
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA350", dataset="pusht")
def metric_mode(recipe: Recipe) -> Iterator[Finding]:
    """Look at the mode of each callback that monitors a metric of rollouts."""
    callbacks = recipe.trainer("callbacks")
    count = len(callbacks) if isinstance(callbacks, list) else 0
    for section in [f"trainer.callbacks.{index}" for index in range(count)] or ["trainer.callbacks"]:
        monitor, route = recipe.get(f"{section}.init_args.monitor"), f"{section}.init_args.mode"
        if monitor in HIGHER_IS_BETTER and recipe.get(route) == "min":
            yield Finding(
                f"`{monitor}` is better when it is higher, and `mode: min` prefers the lowest",
                at=route,
                fix=Change("write mode: max", set=((route, "max"),)),
            )
