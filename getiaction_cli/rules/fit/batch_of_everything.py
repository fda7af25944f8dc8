"""A batch larger than the dataset.

## What it finds

`train_batch_size` above the number of samples in the episodes that are trained on.

## Why it matters

Every step is then one pass over everything, in smaller batches than you asked for. Usually a selection of `episodes`
was meant for a first try.

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
    train_batch_size: 256
trainer:
  max_steps: 1000
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

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule


@rule("GA327", severity=Severity.WARNING, dataset="pusht", cause=("samples",))
def batch_of_everything(fit: Fit) -> Iterator[Finding]:
    """Compare the batch with the samples."""
    samples, at = int(fit.samples.sum()), "data.init_args.train_batch_size"
    if 0 < samples < fit.batch_size and fit.recipe.has(at):
        yield Finding(
            f"a batch of {fit.batch_size} holds more than all {samples} samples of {len(fit.lengths)} "
            f"{'episode' if len(fit.lengths) == 1 else 'episodes'}",
            at=at,
            fix=Change(f"set train_batch_size to {max(1, samples // 4)}", set=((at, max(1, samples // 4)),)),
        )
