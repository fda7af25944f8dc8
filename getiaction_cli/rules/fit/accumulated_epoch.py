"""More batches to accumulate than an epoch has.

## What it finds

`trainer.accumulate_grad_batches` above the number of batches in an epoch of the chosen episodes.

## Why it matters

Lightning makes a step at the end of each epoch, however many batches it has accumulated until then. The step is
made of fewer samples than the recipe says, and with every batch size the same number of them.

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
trainer:
  max_steps: 1000
  accumulate_grad_batches: 64
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
  accumulate_grad_batches: 4
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_ROUTE = "trainer.accumulate_grad_batches"


@rule("GA371", severity=Severity.WARNING, dataset="pusht", cause=("samples",))
def accumulated_epoch(fit: Fit) -> Iterator[Finding]:
    """Compare accumulate_grad_batches with the batches of an epoch."""
    asked, batches = fit.recipe.get(_ROUTE), fit.batches
    if type(asked) is not int or not 0 < batches < asked or fit.recipe.trainer("fast_dev_run"):
        return
    yield Finding(
        f"{asked} batches can't be accumulated: an epoch has {batches}, and each ends with a step",
        at=_ROUTE,
        fix=Change(f"accumulate {batches}", set=((_ROUTE, batches),)),
    )
