"""An environment whose state or action has another size.

## What it finds

A state, environment state or action whose number of values differs between the dataset and the environment of the
`evaluation` section.

## Why it matters

It is another robot, or another control mode: every rollout fails at its first step.

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
    type: metaworld
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

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.environments import Simulation
from getiaction_cli.rules import rule


@rule("GA347", dataset="pusht", breaks=("environment",))
def environment_dimensions(fit: Fit, simulation: Simulation) -> Iterator[Finding]:
    """Compare the shapes of all plain vectors."""
    for key, provided in simulation.provides.items():
        feature = fit.dataset.features.get(key)
        if provided.kind == "VISUAL" or provided.shape is None or feature is None:
            continue
        used = provided.kind == "ACTION" or key in fit.policy.input_features
        if used and tuple(feature.shape) != provided.shape:
            yield Finding(
                f"`{key}` has {_values(provided.shape)} in the environment {simulation.environment.name} and "
                f"{_values(feature.shape)} in the dataset",
                at="evaluation.env.type",
                help="evaluate in the environment that the dataset was recorded in",
            )


def _values(shape: tuple[int, ...]) -> str:
    size = 1
    for length in shape:
        size *= length
    return f"{size} value{'' if size == 1 else 's'}"
