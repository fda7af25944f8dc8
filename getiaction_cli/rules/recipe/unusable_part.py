"""A part of Lightning that can't be used here.

## What it finds

`barebones: true`, a checkpoint callback beside `enable_checkpointing: false`, strategies that start their processes
from within (`ddp_spawn`), classes that need something LeRobot's policies don't have (`BatchSizeFinder`,
`BackboneFinetuning`, `WeightAveraging` and its subclasses), strategies that divide the policy between processes
(`fsdp`, `deepspeed`, `ModelParallelStrategy`), and callbacks that contradict themselves, each other or the trainer: a
`ModelCheckpoint` with two intervals, two that monitor the same metric at the same interval, a progress bar beside
`enable_progress_bar: false`.

## Why it matters

Lightning takes them, and training stops: every run writes its metrics and checkpoints, which `barebones` forbids; a run
can't be sent to a new process; with a divided policy, no process has the weights to save; and a callback that changes a
`batch_size` finds none.

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
from string import Formatter

from getiaction_cli.analysis.class_objects import intended_class, kind_of, object_routes
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.nodes import Kind
from getiaction_cli.recipe.signatures import lineage
from getiaction_cli.rules import rule

_SHARDED = "leaves each process a part of the policy, and its checkpoints and pretrained_model/ need the whole: set ddp"
_UNUSABLE = {
    "FSDPStrategy": _SHARDED,
    "DeepSpeedStrategy": _SHARDED,
    "BatchSizeFinder": "looks for a `batch_size` to change: set data.init_args.train_batch_size",
    "BackboneFinetuning": "looks for a `backbone`, which LeRobot's policies keep elsewhere",
    "WeightAveraging": "copies the policy before it is built, so that checkpoints are empty: set model.init_args.ema",
    "ModelPruning": "chooses what to prune before the policy is built from the dataset",
    "SpikeDetection": "can't be saved in a checkpoint: Lightning looks for a value in it that it never sets",
    "ModelParallelStrategy": "splits a model that builds itself in `configure_model`, which LeRobot's policies do not",
    "AsyncCheckpointIO": "writes checkpoints later than the run relies on them",
}
_FINDER = "LearningRateFinder"
_BARS = "ProgressBar"
_BAR = "trainer.enable_progress_bar"
_ACCUMULATE = "trainer.accumulate_grad_batches"
_UNIQUE_ARGUMENTS = {
    "ModelCheckpoint": ("monitor", "mode", "every_n_train_steps", "every_n_epochs", "train_time_interval"),
    "EarlyStopping": ("monitor", "mode"),
}
_ONE_OF_A_KIND = {"Precision": "precision", "CheckpointIO": "way to write checkpoints", "LayerSync": "layer sync"}
# Integers in file names of checkpoints; metrics are floats.
_COUNTED = ("epoch", "step")
_WHEN = ("every_n_train_steps", "every_n_epochs", "train_time_interval")
_STRATEGY = "trainer.strategy"
# Entries for a class apply to its subclasses.
_KNOWN = {*_UNUSABLE, *_UNIQUE_ARGUMENTS, _FINDER, _BARS, "GradientAccumulationScheduler", "StochasticWeightAveraging"}


@rule("GA147")
def unusable_part(recipe: Recipe) -> Iterator[Finding]:
    """Find features of Lightning that don't work with LeRobot policies."""
    if recipe.trainer("barebones") is True:  # with `fast_dev_run`, Lightning rejects it
        yield Finding(
            "`barebones: true` forbids the metrics and checkpoints that every run writes",
            at="trainer.barebones",
            fix=Change("remove barebones", remove=("trainer.barebones",)),
            help="`fast_dev_run` tries a few batches and leaves nothing behind",
        )
    unsaved = recipe.trainer("enable_checkpointing") is False
    strategy = recipe.trainer("strategy")
    if isinstance(strategy, str) and (way := re.search("_(spawn|fork|notebook)", strategy.lower())):
        meant = strategy.lower().replace(way[0], "")
        yield Finding(
            f"a run can't be sent to the processes that `{strategy}` starts, nor its checkpoints back",
            at=_STRATEGY,
            fix=Change(f"set strategy to {meant}", set=((_STRATEGY, meant),)),
        )
    elif isinstance(strategy, str) and re.match("fsdp|deepspeed", strategy.lower()):
        yield Finding(
            f"`{strategy}` {_SHARDED}",
            at=_STRATEGY,
            fix=Change("set strategy to ddp", set=((_STRATEGY, "ddp"),)),
            help="to save memory: `trainer.precision: bf16-true`, adapters (`peft`), or a smaller batch",
        )
    yield from _twice(recipe)
    earlier: dict[tuple[object, ...], str] = {}
    for route in object_routes(recipe):
        kind, stated = kind_of(route), str(recipe.get(f"{route}.class_path"))
        meant, _ = intended_class(kind, stated)
        bases = lineage(meant)
        if unsaved and "Checkpoint" in bases:
            yield Finding(
                "`enable_checkpointing: false` forbids the checkpoints that this callback writes",
                at=f"{route}.class_path",
                related=(Related("checkpoints are off", at="trainer.enable_checkpointing"),),
                fix=Change("remove enable_checkpointing", remove=("trainer.enable_checkpointing",)),
            )
        name = next((base for base in bases if base in _KNOWN), meant.rpartition(".")[2])
        if name in _UNUSABLE:
            yield Finding(
                f"{meant.rpartition('.')[2]} {_UNUSABLE[name]}",
                at=f"{route}.class_path",
                fix=Change("remove it", remove=(route,)),
            )
        elif kind == "callbacks":
            yield from _callback(recipe, route, name)
            if (same := earlier.setdefault(_unique_key(recipe, route, name), route)) != route:
                yield _second(route, same, name)


def _second(route: str, first: str, name: str) -> Finding:
    """Report a callback that conflicts with an earlier one."""
    what = "Lightning takes one progress bar"
    if name in _UNIQUE_ARGUMENTS:
        keys = ", ".join(_UNIQUE_ARGUMENTS[name])
        what = f"two {name}s that differ in none of {keys}: Lightning can't tell them apart"
    return Finding(
        what,
        at=f"{route}.class_path",
        related=(Related("the first", at=f"{first}.class_path"),),
        fix=Change("remove it", remove=(route,)),
    )


def _unique_key(recipe: Recipe, route: str, name: str) -> tuple[object, ...]:
    """Return a key that two callbacks must not share: Lightning can't tell them apart, or only accepts one of them."""
    if name == _BARS:
        return (_BARS,)
    names = _UNIQUE_ARGUMENTS.get(name)
    return (name, *(str(recipe.get(f"{route}.init_args.{key}")) for key in names)) if names else (route,)


def _callback(recipe: Recipe, route: str, name: str) -> Iterator[Finding]:
    at, arguments = f"{route}.class_path", f"{route}.init_args"
    if name == _FINDER:
        yield Finding(
            f"{name} tries learning rates and sets none: the optimizer is made before",
            at=at,
            severity=Severity.WARNING,
            help="set model.init_args.learning_rate",
        )
    if name == _BARS and recipe.get(_BAR) is False:
        yield Finding(
            "a progress bar is asked for, and `enable_progress_bar` is off: Lightning takes only one of these",
            at=at,
            related=(Related("off", at=_BAR),),
            fix=Change("remove enable_progress_bar", remove=(_BAR,)),
        )
    given = [key for key in _WHEN if recipe.get(f"{arguments}.{key}")]
    if name == "ModelCheckpoint" and len(given) > 1:
        yield Finding(f"ModelCheckpoint takes one of {', '.join(given)}", at=f"{arguments}.{given[1]}")
    filename = recipe.get(f"{arguments}.filename")
    if name == "ModelCheckpoint" and isinstance(filename, str) and (fault := _fault(filename)):
        yield Finding(
            "braces enclose the name of a metric, as in `{epoch}-{step}`", at=f"{arguments}.filename", label=fault
        )
    if name == "GradientAccumulationScheduler":
        schedule = recipe.node(f"{arguments}.scheduling")
        pairs = schedule.pairs.items() if schedule is not None and schedule.kind is Kind.MAP else ()
        for epoch in (key for key, pair in pairs if type(pair.key.value) is not int):
            yield Finding(
                f"an epoch is a number, not the text `{epoch}`", at=f"{arguments}.scheduling.{epoch}", on="key"
            )
        if recipe.trainer("accumulate_grad_batches", 1) != 1:
            yield Finding(
                f"{name} and `accumulate_grad_batches` both say how many batches make a step: Lightning takes only one "
                "of these",
                at=at,
                related=(Related("the other", at=_ACCUMULATE),),
                fix=Change("remove accumulate_grad_batches", remove=(_ACCUMULATE,)),
            )
    start, epochs = recipe.get(f"{arguments}.swa_epoch_start", 0.8), recipe.trainer("max_epochs")
    if name == "StochasticWeightAveraging" and isinstance(start, float) and (epochs is None or epochs == -1):
        yield Finding(
            f"{name} begins after a fraction of the epochs ({start:g}), and the run has no `max_epochs`",
            at=at,
            help="set trainer.max_epochs, or swa_epoch_start to the number of an epoch",
        )


def _fault(pattern: str) -> str:
    """Return why Lightning can't format a file name pattern; empty if it can."""
    try:
        fields = [(field, spec or "") for _, field, spec, _ in Formatter().parse(pattern) if field is not None]
    except ValueError:
        return "not closed, or not opened"
    if any("{" in field or "{" in spec for field, spec in fields):
        return "not closed, or not opened"
    for field, spec in fields:
        if not field or field.isdigit():
            return "no name between the braces"
        try:
            format(1 if field in _COUNTED else 1.0, spec)
        except ValueError:
            kind = "a whole number" if field in _COUNTED else "a number with a fraction"
            return f"`{field}` is {kind}, which `:{spec}` can't show"
    return ""


def _twice(recipe: Recipe) -> Iterator[Finding]:
    """Report several plugins of a kind of which Lightning accepts one."""
    first: dict[str, str] = {"Precision": "trainer.precision"} if recipe.trainer("precision") is not None else {}
    for route in object_routes(recipe):
        meant, _ = intended_class(kind_of(route), str(recipe.get(f"{route}.class_path")))
        kind = next((base for base in _ONE_OF_A_KIND if base in lineage(meant)), "")
        if kind and route.startswith("trainer.plugins") and (same := first.setdefault(kind, route)) != route:
            yield Finding(
                f"Lightning takes one {_ONE_OF_A_KIND[kind]}, and there are two",
                at=f"{route}.class_path",
                related=(Related("the first", at=same if recipe.has(same) else ""),),
                fix=Change("remove it", remove=(route,)),
            )
