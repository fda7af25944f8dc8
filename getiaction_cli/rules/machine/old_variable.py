"""An environment variable that stops LeRobot.

## What it finds

`LEROBOT_HOME` in the environment.

## Why it matters

LeRobot 0.4 renamed it, and refuses to be imported while the old one is set.

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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule


@rule("GA514")
def old_variable(machine: Machine) -> Iterator[Finding]:
    """Look for the variable."""
    if "LEROBOT_HOME" in machine.env:
        yield Finding(
            f"the environment sets LEROBOT_HOME ({machine.env['LEROBOT_HOME']}), and LeRobot refuses to start with it",
            help="rename it: `export HF_LEROBOT_HOME=$LEROBOT_HOME; unset LEROBOT_HOME`",
        )
