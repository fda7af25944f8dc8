"""An environment whose pictures have another size.

## What it finds

A camera whose pictures the environment of the `evaluation` section renders in a size that differs from the dataset's.

## Why it matters

Most policies accept any size, and see everything at a scale that they were not trained on: they fail without an error.

## Example

The pictures of this dataset are 40x30.

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/aloha
trainer:
  max_steps: 1000
evaluation:
  env:
    type: aloha
```

## Instead

Evaluate in the environment that the dataset was recorded in, or record in its size (640x480 for aloha).

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/aloha
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.environments import Simulation
from getiaction_cli.rules import rule

_ROUTE = "evaluation.env"


@rule("GA348", dataset="aloha", severity=Severity.WARNING, cause=("environment",))
def environment_pictures(fit: Fit, simulation: Simulation) -> Iterator[Finding]:
    """Compare the sizes of the cameras that the policy reads."""
    for key, provided in simulation.provides.items():
        feature = fit.dataset.features.get(key)
        if (
            provided.kind != "VISUAL"
            or provided.shape is None
            or feature is None
            or key not in fit.policy.input_features
        ):
            continue
        size = feature.resolution
        _, height, width = provided.shape
        if size is None or size == (width, height):
            continue
        wanted = (("observation_height", size[1]), ("observation_width", size[0]))
        other = simulation.with_value(*wanted[0])
        other = other and other.with_value(*wanted[1])
        shape = other.provides[key].shape if other else None
        fix = None
        if shape is not None and shape[1:] == (size[1], size[0]):
            fix = Change(
                f"render {size[0]}x{size[1]}", set=tuple((f"{_ROUTE}.{name}", value) for name, value in wanted)
            )
        yield Finding(
            f"the environment {simulation.environment.name} renders `{key}` in {width}x{height}, and the dataset has "
            f"{size[0]}x{size[1]}",
            at=f"{_ROUTE}.type",
            fix=fix,
        )
