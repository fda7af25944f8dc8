"""A metric that no run writes.

## What it finds

A `monitor` of `EarlyStopping` or `ModelCheckpoint` that isn't among what is logged: `train/loss` and the policy's other
losses as `train/…`, `train/loss_smooth`, `train/lr`, `train/grad_norm`, `val/loss` where episodes are held out, and
`eval/success_rate`, `eval/max_reward`, `eval/sum_reward` and `eval/episode_length` where the recipe
has a section `evaluation`. As a warning, a `filename` of `ModelCheckpoint` that shows such a metric: it is 0 there.

## Why it matters

Lightning looks for the metric by its name when an epoch or the run is over, and stops there: hours of training end in
an error, and no best checkpoint was ever kept.

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
    val_split: 0.3
trainer:
  max_steps: 1000
  callbacks:
    - class_path: lightning.pytorch.callbacks.EarlyStopping
      init_args:
        monitor: val_loss
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
    val_split: 0.3
trainer:
  max_steps: 1000
  callbacks:
    - class_path: lightning.pytorch.callbacks.EarlyStopping
      init_args:
        monitor: val/loss
```
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from getiaction.spec.evaluation import METRICS
from getiaction_cli.analysis.class_objects import intended_class
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_WATCHERS = ("EarlyStopping", "ModelCheckpoint")
_TRAINING, _VALIDATION = "train/loss", "val/loss"


@rule("GA336", dataset="pusht", cause=("samples", "held out"))
def monitored_metric(fit: Fit) -> Iterator[Finding]:
    """Look up each monitored name in the metrics of the run."""
    if fit.recipe.trainer("fast_dev_run"):
        return
    callbacks = fit.recipe.trainer("callbacks")
    count = len(callbacks) if isinstance(callbacks, list) else 0
    for section in [f"trainer.callbacks.{index}" for index in range(count)] or ["trainer.callbacks"]:
        name = intended_class("callbacks", str(fit.recipe.get(f"{section}.class_path")))[0].rpartition(".")[2]
        route = f"{section}.init_args.monitor"
        monitor = fit.recipe.get(route)
        kept = fit.recipe.get(f"{section}.init_args.save_top_k")
        if name == "ModelCheckpoint" and monitor is None and isinstance(kept, int) and kept > 1:
            yield Finding(
                f"ModelCheckpoint can't choose the best {kept}: `monitor` is not set",
                at=f"{section}.init_args.save_top_k",
                fix=Change(f"watch {_TRAINING}", set=((route, _TRAINING),)),
            )
        if name == "ModelCheckpoint":
            yield from _named(fit, f"{section}.init_args.filename")
        if name not in _WATCHERS or not isinstance(monitor, str):
            continue
        if name == "EarlyStopping" and fit.recipe.get(f"{section}.init_args.strict") is False:
            continue
        if name == "EarlyStopping" and monitor in METRICS and _evaluates(fit):
            yield Finding(
                f"EarlyStopping watches `{monitor}`, which is missing until the first rollouts: an earlier check fails",
                at=route,
                fix=Change("wait for the first rollouts", set=((f"{section}.init_args.strict", False),)),
            )
            continue
        meant, complaint = _intended_metric(fit, monitor), _complaint(fit, monitor)
        if complaint:
            yield Finding(
                f"{name} watches `{monitor}`, {complaint}",
                at=route,
                fix=Change(f"watch {meant}", set=((route, meant),)) if meant != monitor else None,
                help="`train/loss` is there in every run" if meant == monitor else "",
            )


def _named(fit: Fit, route: str) -> Iterator[Finding]:
    """Report metrics in the file names of checkpoints that no run logs."""
    pattern = fit.recipe.get(route)
    if not isinstance(pattern, str):
        return
    for field in re.findall(r"\{([^{}:!]+)", pattern):
        if field in ("epoch", "step") or not (complaint := _complaint(fit, field)):
            continue
        meant = _intended_metric(fit, field)
        meant = _TRAINING if _complaint(fit, meant) else meant
        new = re.sub(r"\{" + re.escape(field) + r"(?=[:!}])", "{" + meant, pattern)
        yield Finding(
            f"the names of the checkpoints show `{field}`, {complaint}: it is 0 in all of them",
            at=route,
            fix=Change(f"show {meant}", set=((route, new),)),
            severity=Severity.WARNING,
        )


def _complaint(fit: Fit, monitor: str) -> str:
    if monitor.startswith(("train/", "lr-")) and not get_close_matches(monitor, [_TRAINING], 1, 0.93):
        return ""
    if monitor == _TRAINING:
        return ""
    if monitor in METRICS:
        return "" if _evaluates(fit) else "and the recipe has no section `evaluation`"
    if monitor != _VALIDATION:
        return "which no run writes"
    return "" if fit.held_out else "and no episode is held out (`data.init_args.val_split`)"


def _evaluates(fit: Fit) -> bool:
    return isinstance(fit.recipe.get("evaluation.env"), dict)


def _intended_metric(fit: Fit, monitor: str) -> str:
    """Return the metric that a name such as "val_loss" or "success_rate" stands for, or the loss."""
    if _evaluates(fit):
        word = monitor.lower().replace("eval_", "eval/")
        rollouts = {metric: metric for metric in METRICS} | {metric.removeprefix("eval/"): metric for metric in METRICS}
        if near := get_close_matches(word, rollouts, 1, 0.75):
            return rollouts[near[0]]
    held_out = monitor.lower().startswith(("val", "eval", "test"))
    return _VALIDATION if held_out else _TRAINING
