"""An epoch without batches.

## What it finds

A `trainer.limit_train_batches` that leaves no batch of the chosen episodes: 0, or a fraction of fewer batches than
that. The same for a fraction in `limit_val_batches`, of the episodes held out, and in `overfit_batches`, of both.

## Why it matters

Training ends at once and says that it is done, or Lightning refuses to begin.

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
    train_batch_size: 44
trainer:
  max_steps: 1000
  limit_train_batches: 0.2
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
trainer:
  max_steps: 1000
  limit_train_batches: 0.2
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule

_TRAIN, _VAL, _BOTH = "trainer.limit_train_batches", "trainer.limit_val_batches", "trainer.overfit_batches"


@rule("GA333", dataset="pusht", cause=("samples", "held out"), stops=True)
def no_batch(fit: Fit) -> Iterator[Finding]:
    """Count the batches per epoch after the limits of the trainer."""
    both = isinstance(fit.recipe.get(_BOTH), float) and bool(fit.recipe.get(_BOTH))
    asked = (
        (_TRAIN, fit.batches_per_epoch, "per epoch", not fit.batches),
        (_VAL, fit.val_batches, "of the episodes held out", False),
        (_BOTH, fit.batches_per_epoch, "per epoch", False),
        (_BOTH, fit.val_batches, "of the episodes held out", False),
    )
    for route, batches, what, nothing in asked:
        limit = fit.recipe.get(route)
        if not fit.recipe.has(route) or not batches or (both and route != _BOTH):
            continue  # overfit_batches replaces the other limits
        if nothing or (isinstance(limit, float) and 0 < limit < 1 and not int(batches * limit)):
            name = route.rpartition(".")[2]
            yield Finding(
                f"{name} {limit} leaves none of the {batches} batches {what}",
                at=route,
                fix=Change("set it to 1: one batch", set=((route, 1),)),
            )
            return
