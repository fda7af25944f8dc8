"""A validation interval longer than an epoch.

## What it finds

A `trainer.val_check_interval` in batches that is larger than one epoch of the chosen episodes, with
`check_val_every_n_epoch` not set to null; or a fraction of an epoch with it set to null. A note where the run ends
before its first validation.

## Why it matters

Lightning refuses to train: it counts the batches of `val_check_interval` inside each epoch. With
`check_val_every_n_epoch: null` it counts them over all epochs.

Episodes that are held out are always looked at: a run that would end before its first validation (the default is one
at the end of each epoch) validates after its last step instead.

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
    train_batch_size: 8
    val_split: 0.3
trainer:
  max_steps: 1000
  val_check_interval: 500
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
    train_batch_size: 8
    val_split: 0.3
trainer:
  max_steps: 1000
  val_check_interval: 500
  check_val_every_n_epoch: null
```
"""

import math
from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_ROUTE = "trainer.val_check_interval"
_EVERY = "trainer.check_val_every_n_epoch"


@rule("GA332", dataset="pusht", cause=("samples", "held out"), stops=True)
def validation_interval(fit: Fit) -> Iterator[Finding]:
    """Compare the interval with the batches of an epoch, and the first validation with the end of the run."""
    interval = fit.recipe.get(_ROUTE)
    batches = fit.batches
    if fit.recipe.trainer("fast_dev_run"):
        return
    over_epochs = fit.recipe.has(_EVERY) and fit.recipe.get(_EVERY) is None
    if type(interval) is int and 0 < batches < interval and not over_epochs:
        idle = not fit.held_out
        yield Finding(
            f"val_check_interval {interval} is more than the {batches} batches of an epoch",
            at=_ROUTE,
            help="nothing is held out to validate on (data.init_args.val_split)" if idle else "",
            fix=Change("remove val_check_interval", remove=(_ROUTE,))
            if idle
            else Change("count batches over epochs: set check_val_every_n_epoch to null", set=((_EVERY, None),)),
        )
        return
    if isinstance(interval, float) and over_epochs:
        yield Finding(
            f"val_check_interval {interval:g} is a fraction of an epoch, and `check_val_every_n_epoch: null` counts "
            "batches over all epochs",
            at=_ROUTE,
            help="write val_check_interval as a whole number of batches",
            fix=Change("remove check_val_every_n_epoch", remove=(_EVERY,)),
        )
        return
    steps, first = fit.recipe.trainer("max_steps", -1), _first_validation(fit)
    if fit.held_out and type(steps) is int and 0 < steps < first and fit.recipe.trainer("limit_val_batches") != 0:
        yield Finding(
            f"the run ends after {steps} steps, before its first validation after {first}: "
            "it validates after its last step instead",
            at="trainer.max_steps",
            help=f"to validate more often, set trainer.val_check_interval to fewer than {steps} batches",
            severity=Severity.INFO,
        )


def _first_validation(fit: Fit) -> int:
    """Return the step after which the held-out episodes are first evaluated; 0 if unknown."""
    interval, every = fit.recipe.trainer("val_check_interval", 1.0), fit.recipe.trainer("check_val_every_n_epoch", 1)
    accumulated = fit.recipe.trainer("accumulate_grad_batches", 1)
    limits = ("limit_train_batches", "overfit_batches", "max_epochs", "max_time")
    if any(fit.recipe.trainer(name) is not None for name in limits) or type(accumulated) is not int or accumulated < 1:
        return 0
    over_epochs = every is None and fit.recipe.has(_EVERY)
    if not over_epochs and (type(every) is not int or every < 1):
        return 0
    if type(interval) is int:
        batch = interval
    elif isinstance(interval, float) and 0 < interval <= 1 and not over_epochs:
        batch = int(fit.batches * interval)
    else:
        return 0
    before = 0 if over_epochs else (every - 1) * fit.batches
    return math.ceil((before + batch) / accumulated)
