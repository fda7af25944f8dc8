"""A part of Lightning that can't work here.

## What it finds

`barebones: true` and `enable_checkpointing: false`, strategies that start their processes from within (`ddp_spawn`),
callbacks that look for something that LeRobot's policies don't have (`BatchSizeFinder`, `BackboneFinetuning`,
`WeightAveraging`), and callbacks that contradict themselves or the trainer: a `ModelCheckpoint` with two rhythms, a
progress bar beside `enable_progress_bar: false`.

## Why it matters

Lightning takes them, and training stops: every run writes its metrics and checkpoints, which `barebones` forbids; a run
can't be sent to a process that starts from nothing; and a callback that changes a `batch_size` finds none.

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

from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.recipe.objects import meant_class, object_routes

_CALLBACKS = {
    "BatchSizeFinder": "looks for a `batch_size` to change: set data.init_args.train_batch_size",
    "BackboneFinetuning": "looks for a `backbone`, which LeRobot's policies keep elsewhere",
    "WeightAveraging": "copies the policy before it is built from the dataset",
    "ModelPruning": "chooses what to prune before the policy is built from the dataset",
}
_FINDER = "LearningRateFinder"
_BAR = "trainer.enable_progress_bar"
_REFUSED = {
    "barebones": (True, "forbids the metrics and checkpoints that every run writes"),
    "enable_checkpointing": (False, "forbids the checkpoints that every run writes, to be stopped and resumed"),
}
_WHEN = ("every_n_train_steps", "every_n_epochs", "train_time_interval")
_STRATEGY = "trainer.strategy"


@rule("GA147")
def unusable_part(recipe: Recipe) -> Iterator[Finding]:
    """Find what Lightning has and a run of a LeRobot policy can't use."""
    for name, (value, why) in _REFUSED.items():
        if recipe.trainer(name) is value and not recipe.trainer("fast_dev_run"):
            yield Finding(
                f"`{name}: {str(value).lower()}` {why}",
                at=f"trainer.{name}",
                fix=Change(f"remove {name}", remove=(f"trainer.{name}",)),
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
        if route.startswith("trainer.callbacks"):
            meant, _ = meant_class("callbacks", str(recipe.get(f"{route}.class_path")))
            yield from _callback(recipe, route, meant.rpartition(".")[2])


def _callback(recipe: Recipe, route: str, name: str) -> Iterator[Finding]:
    at, arguments = f"{route}.class_path", f"{route}.init_args"
    if name in _CALLBACKS:
        yield Finding(f"{name} {_CALLBACKS[name]}", at=at)
    if name == _FINDER:
        yield Finding(
            f"{name} tries learning rates and sets none: the optimizer is made before",
            at=at,
            severity=Severity.WARNING,
            help="set model.init_args.learning_rate",
        )
    if name.endswith("ProgressBar") and recipe.get(_BAR) is False:
        yield Finding(
            f"{name} is asked for, and `enable_progress_bar` is off: Lightning takes only one of these",
            at=at,
            related=(Related("off", at=_BAR),),
            fix=Change("remove enable_progress_bar", remove=(_BAR,)),
        )
    given = [key for key in _WHEN if recipe.get(f"{arguments}.{key}")]
    if name == "ModelCheckpoint" and len(given) > 1:
        yield Finding(f"ModelCheckpoint takes one of {', '.join(given)}", at=f"{arguments}.{given[1]}")
    start, epochs = recipe.get(f"{arguments}.swa_epoch_start", 0.8), recipe.trainer("max_epochs")
    if name == "StochasticWeightAveraging" and isinstance(start, float) and (epochs is None or epochs == -1):
        yield Finding(
            f"{name} begins after a fraction of the epochs ({start:g}), and the run has no `max_epochs`",
            at=at,
            help="set trainer.max_epochs, or swa_epoch_start to the number of an epoch",
        )
