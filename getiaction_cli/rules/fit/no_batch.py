"""An epoch without a batch.

## What it finds

A `trainer.limit_train_batches` that leaves no batch of the chosen episodes: 0, or a fraction of fewer batches than
that.

## Why it matters

Training ends at once, and says that it is done.

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

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.fitting import Fit

_ROUTE = "trainer.limit_train_batches"


@rule("GA333", dataset="pusht", unless=("GA122", "GA324", "GA325", "GA328"))
def no_batch(fit: Fit) -> Iterator[Finding]:
    """Count the batches that are left."""
    if fit.recipe.has(_ROUTE) and fit.steps_per_epoch and not fit.batches:
        yield Finding(
            f"limit_train_batches {fit.recipe.get(_ROUTE)} leaves none of {fit.steps_per_epoch} batches per epoch",
            at=_ROUTE,
            fix=Change("set it to 1: one batch", set=((_ROUTE, 1),)),
        )
