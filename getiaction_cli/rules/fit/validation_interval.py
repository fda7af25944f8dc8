"""A validation that never comes.

## What it finds

A `trainer.val_check_interval` in batches that is larger than one epoch of the chosen episodes, with
`check_val_every_n_epoch` not set to null.

## Why it matters

Lightning refuses to train: it counts the batches of `val_check_interval` inside each epoch. With
`check_val_every_n_epoch: null` it counts on over epochs.

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

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule

_ROUTE = "trainer.val_check_interval"
_EVERY = "trainer.check_val_every_n_epoch"


@rule("GA332", dataset="pusht", unless=("GA324", "GA325", "GA328"))
def validation_interval(fit: Fit) -> Iterator[Finding]:
    """Compare the interval with the batches of an epoch."""
    interval = fit.recipe.get(_ROUTE)
    if isinstance(interval, bool) or not isinstance(interval, int) or fit.recipe.trainer("fast_dev_run"):
        return
    if fit.recipe.has(_EVERY) and fit.recipe.get(_EVERY) is None:
        return
    batches = fit.batches
    if 0 < batches < interval:
        idle = not fit.held_out
        yield Finding(
            f"val_check_interval {interval} is more than the {batches} batches of an epoch",
            at=_ROUTE,
            help="nothing is held out to validate on (data.init_args.val_split)" if idle else "",
            fix=Change("remove val_check_interval", remove=(_ROUTE,))
            if idle
            else Change("count batches over epochs: set check_val_every_n_epoch to null", set=((_EVERY, None),)),
        )
