"""An environment that getiaction does not create.

## What it finds

An environment type that downloads code from the Hub and runs it, or that drives a real robot.

## Why it matters

People share recipes: a recipe never runs code from other sources, and never moves a robot.

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
    type: isaaclab_arena
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

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.environments import Environment
from getiaction_cli.rules import rule


@rule("GA522")
def environment_not_simulated(environment: Environment) -> Iterator[Finding]:
    """Look up whether the environment is a simulation."""
    if environment.refused:
        yield Finding(
            f"the environment {environment.name} {environment.refused}, and getiaction does not create it",
            at="evaluation.env.type",
            help="evaluate the trained policy with `lerobot-eval`, which asks for --trust_remote_code",
            fix=Change("remove the section evaluation", remove=("evaluation",)),
        )
