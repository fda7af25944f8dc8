"""An environment with another frame rate.

## What it finds

An environment in the `evaluation` section whose frame rate differs from the dataset's.

## Why it matters

A chunk of 10 actions covers one second at 10 fps and a fifth of a second at 50 fps: the policy moves at
another speed.

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
    fps: 30
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

from getiaction_cli.analysis.recipe_on_dataset import Fit, ordinal
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.environments import Simulation
from getiaction_cli.rules import rule


@rule("GA349", dataset="pusht", severity=Severity.WARNING, cause=("environment",))
def environment_fps(fit: Fit, simulation: Simulation) -> Iterator[Finding]:
    """Compare the two rates."""
    rate, recorded = simulation.config.fps, fit.dataset.fps
    apart = fit.frames_apart
    if not recorded or rate * apart == recorded:
        return
    name = "fps" if fit.recipe.has("evaluation.env.fps") else "type"
    yield Finding(
        f"the environment {simulation.environment.name} runs at {rate:g} fps, and the dataset was recorded at "
        f"{recorded:g} fps" + (f", of which every {ordinal(apart)} frame is a step" if apart > 1 else ""),
        at=f"evaluation.env.{name}",
    )
