"""Workers that need more memory than there is.

## What it finds

`num_workers` on a dataset with videos whose decoders and batches in flight take more than the machine's memory: each
worker keeps up to a hundred open decoders of about 5 MB.

## Why it matters

The system ends a worker: `killed by signal: Killed`.

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
    num_workers: 64
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
    num_workers: 4
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import gigabytes

_ROUTE = "data.init_args.num_workers"
_PREFETCH, _DECODERS, _DECODER, _WORKER = 2, 100, 5_000_000, 500_000_000


@rule("GA518", severity=Severity.WARNING, cause=("memory",))
def host_memory(fit: Fit, machine: Machine) -> Iterator[Finding]:
    """Estimate the memory of the data loader workers."""
    workers = fit.recipe.get(_ROUTE)
    if not isinstance(workers, int) or workers <= 0 or machine.memory is None or not fit.dataset.video_keys:
        return
    moments = len(fit.policy.observation_delta_indices or [0])
    pixels = sum(
        width * height for width, height in (f.resolution or (0, 0) for f in fit.dataset.by_role("image", "depth"))
    )
    files = sum(len(files) for files in fit.dataset.video_files.values())
    each = _WORKER + min(files, _DECODERS) * _DECODER + _PREFETCH * 3 * pixels * moments * fit.batch_size
    if workers * each > machine.memory:
        most = max(1, int(machine.memory * 0.7 // each))
        yield Finding(
            f"{workers} workers take about {gigabytes(workers * each)}, this machine has {gigabytes(machine.memory)}",
            at=_ROUTE,
            fix=Change(f"set num_workers to {most}", set=((_ROUTE, most),)),
        )
