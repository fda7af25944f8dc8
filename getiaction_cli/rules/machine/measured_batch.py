"""A batch that was measured not to fit the GPU.

## What it finds

A `train_batch_size` whose step needs more memory than the smallest GPU of this machine has, as
`validate-config --measure` has measured it. Without such a measurement nothing is found.

## Why it matters

`CUDA out of memory` at the first or second step. Where the measurement exceeds the memory by less than a tenth, it is
a warning: the measurement was off by up to 8 % on an H100.

## Example

This fires on a GPU of 24 GB, where a sample was measured to need 500 MB.

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
    train_batch_size: 64
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
    train_batch_size: 8
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.analysis.training_need import training_need
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen, gigabytes

_BATCH, _ACCUMULATED = "data.init_args.train_batch_size", "trainer.accumulate_grad_batches"
_SURE = 1.1


@rule("GA524", cause=("accelerator", "samples"))
def measured_batch(fit: Fit, machine: Machine) -> Iterator[Finding]:
    """Compare the measured peak of a step with the smallest GPU."""
    need = training_need(fit, machine, chosen(fit.recipe, machine))
    if need.card is None or need.need is None or need.room is None or need.largest is None:
        return
    batch = fit.batch_size
    if fit.recipe.data("train_batch_size") == "auto" or need.largest >= batch:
        return
    peak, memory = need.need.peak(batch, need.setting), need.memory or need.room
    samples = batch * fit.step.accumulated
    smaller = need.need.divisor(samples, need.room, need.setting)
    fix = None
    if smaller < batch and 2 * smaller >= need.largest > 0:  # a much smaller batch would only be slow
        values = ((_BATCH, smaller), (_ACCUMULATED, samples // smaller))
        fix = Change(f"train {smaller} at a time and accumulate: the same {samples:,} samples a step", set=values)
    yield Finding(
        f"a step of {batch:,} needs about {gigabytes(peak)} as measured, and {need.card.name} has {gigabytes(memory)}",
        at=_BATCH if fit.recipe.has(_BATCH) else "model.class_path",
        label=f"{need.largest:,} fits" if need.largest else "not even one sample fits",
        help="" if fix else "`train_batch_size: auto` trains with what fits",
        fix=fix,
        severity=None if peak > _SURE * memory else Severity.WARNING,
    )
