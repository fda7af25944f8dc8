"""Too little shared memory for the workers.

## What it finds

`num_workers` whose batches in flight take more than /dev/shm has, as in a container with Docker's default of 64 MB.

## Why it matters

A worker dies: `DataLoader worker is killed by signal: Bus error`.

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
    num_workers: 8
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
    num_workers: 0
    train_batch_size: 32
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
_PREFETCH = 2


@rule("GA513", severity=Severity.WARNING, breaks=("memory",))
def shared_memory(fit: Fit, machine: Machine) -> Iterator[Finding]:
    """Estimate the size of the images in prefetched batches."""
    workers = fit.recipe.get(_ROUTE)
    if not isinstance(workers, int) or workers <= 0 or machine.shared_memory is None:
        return
    moments = len(fit.policy.observation_delta_indices or [0])
    pixels = sum(
        width * height for width, height in (f.resolution or (0, 0) for f in fit.dataset.by_role("image", "depth"))
    )
    batch = 3 * pixels * moments * fit.batch_size
    if (needed := batch * workers * _PREFETCH) > machine.shared_memory:
        fit_in = int(machine.shared_memory // (batch * _PREFETCH))
        yield Finding(
            f"{workers} workers keep about {gigabytes(needed)} of pictures in shared memory, and /dev/shm has "
            f"{gigabytes(machine.shared_memory)}",
            at=_ROUTE,
            help="a container gets more with `--shm-size`",
            fix=Change(f"set num_workers to {fit_in}", set=((_ROUTE, fit_in),)),
        )
