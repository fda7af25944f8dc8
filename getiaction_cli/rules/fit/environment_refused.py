"""Fields that the environment refuses.

## What it finds

Values of `evaluation.env` that LeRobot's own configuration of the environment refuses.

## Why it matters

The run would stop when the environment is created.

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
trainer:
  max_steps: 1000
evaluation:
  env:
    type: libero
    fps: 0
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
evaluation:
  env:
    type: pusht
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.environments import Environment, Simulation
from getiaction_cli.policies import Rejected
from getiaction_cli.rules import rule


@rule("GA351", help="correct this field of `evaluation.env`")
def environment_refused(environment: Environment, simulated: Simulation | Rejected) -> Iterator[Finding]:
    """Report LeRobot's error."""
    if isinstance(simulated, Rejected):
        yield Finding(
            f"the environment {environment.name} refuses its fields: {simulated.message}", at="evaluation.env"
        )
