"""Pretrained weights that are missing or can't be read.

## What it finds

A `pretrained_path` that leads to no folder, to a folder without `config.json` or `model.safetensors`, or to a file
that is cut off.

## Why it matters

Training stops before its first step. (LeRobot's pi0 family would continue with random weights.)

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    pretrained_path: ./checkpoints/nowhere
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.checkpoint import ROUTE, Checkpoint
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule


@rule("GA340", breaks=("checkpoint",), stops=True)
def checkpoint_unreadable(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Report what is missing."""
    if checkpoint.problem:
        yield Finding(
            checkpoint.problem,
            at=ROUTE,
            help="name a `pretrained_model` folder of LeRobot or getiaction, or a Hub id such as lerobot/smolvla_base",
        )
