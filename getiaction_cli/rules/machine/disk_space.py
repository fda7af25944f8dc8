"""A disk that is too small for the checkpoints.

## What it finds

Less free space where the run writes than its checkpoints take: last.ckpt, best.ckpt and the next one while it is
written (weights and the state of Adam), and `pretrained_model/`. The number of parameters is exact for act, diffusion,
vqbet and tdmpc, an estimate for the large ones.

## Why it matters

The run stops when it saves a checkpoint.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    down_dims: [64, 128]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from pathlib import Path

from getiaction_cli.analysis.model_size import parameters
from getiaction_cli.analysis.training_need import checkpoints_of
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import gigabytes
from getiaction_cli.units import magnitude


@rule("GA510")
def disk_space(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Compare the checkpoints with the free space."""
    given = recipe.get("output_dir")
    free = machine.free_space(Path(given if isinstance(given, str) and given else "outputs"))
    count = parameters(policy)
    checkpoints = checkpoints_of(recipe, count)
    if free is None or not count or checkpoints is None:
        return
    least, most = checkpoints
    if most > free:
        yield Finding(
            f"the checkpoints of {magnitude(count)} parameters take up to {gigabytes(most)}, and "
            f"{gigabytes(free)} are free",
            at="output_dir" if isinstance(given, str) else "model.class_path",
            help="set output_dir to a folder on a larger disk",
            severity=None if least > free else Severity.WARNING,
        )
