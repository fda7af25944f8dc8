"""A part of Lightning that can't work here.

## What it finds

`trainer.barebones`, strategies that start their processes from within (`ddp_spawn`), callbacks that look for an
attribute that LeRobot's policies don't have (`BatchSizeFinder`, `LearningRateFinder`, `BackboneFinetuning`), and a
`ModelCheckpoint` with two rhythms at once.

## Why it matters

Lightning takes them, and training stops: every run writes its metrics and checkpoints, which `barebones` forbids; a run
can't be sent to a process that starts from nothing; and a callback that tunes the module's `lr` finds none.

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
    - class_path: lightning.pytorch.callbacks.BatchSizeFinder
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
    train_batch_size: 32
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.recipe.objects import object_routes

_CALLBACKS = {
    "BatchSizeFinder": "looks for a `batch_size` to change: set data.init_args.train_batch_size",
    "LearningRateFinder": "looks for an `lr` to change: set model.init_args.learning_rate",
    "BackboneFinetuning": "looks for a `backbone`, which LeRobot's policies keep elsewhere",
}
_WHEN = ("every_n_train_steps", "every_n_epochs", "train_time_interval")
_STRATEGY = "trainer.strategy"


@rule("GA147")
def unusable_part(recipe: Recipe) -> Iterator[Finding]:
    """Find what Lightning has and a run of a LeRobot policy can't use."""
    if recipe.trainer("barebones") is True:
        yield Finding(
            "`barebones` forbids the metrics and checkpoints that every run writes",
            at="trainer.barebones",
            fix=Change("remove barebones", remove=("trainer.barebones",)),
            help="`fast_dev_run` tries a few batches and leaves nothing behind",
        )
    strategy = recipe.trainer("strategy")
    if isinstance(strategy, str) and (way := re.search("_(spawn|fork|notebook)", strategy.lower())):
        meant = strategy.lower().replace(way[0], "")
        yield Finding(
            f"a run can't be sent to the processes that `{strategy}` starts, nor its checkpoints back",
            at=_STRATEGY,
            fix=Change(f"set strategy to {meant}", set=((_STRATEGY, meant),)),
        )
    for route in object_routes(recipe):
        name = str(recipe.get(f"{route}.class_path")).rpartition(".")[2]
        given = [key for key in _WHEN if recipe.get(f"{route}.init_args.{key}")]
        if name == "ModelCheckpoint" and len(given) > 1:
            yield Finding(f"ModelCheckpoint takes one of {', '.join(given)}", at=f"{route}.init_args.{given[1]}")
        if route.startswith("trainer.callbacks") and name in _CALLBACKS:
            yield Finding(f"{name} {_CALLBACKS[name]}", at=f"{route}.class_path")
