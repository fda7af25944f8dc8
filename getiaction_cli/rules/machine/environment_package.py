"""An environment whose packages are not installed.

## What it finds

An environment in the `evaluation` section whose packages are not installed.

## Why it matters

The run stops before its first step. Some environments also need assets or a GPU, which their own documentation names.

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
    type: pusht
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

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.environments import Environment
from getiaction_cli.installed import install_command
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule


@rule("GA521")
def environment_package(environment: Environment, machine: Machine) -> Iterator[Finding]:
    """Look up each package of LeRobot's extra."""
    missing = [name for name in environment.packages if name not in machine.packages]
    if missing:
        yield Finding(
            f"the environment {environment.name} needs {', '.join(missing)}, not installed here",
            at="evaluation.env.type",
            help=install_command(f"getiaction[{environment.name}]"),
        )
