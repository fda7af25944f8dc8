"""A state or an action that is not a plain vector.

## What it finds

`action`, `observation.state` or `observation.environment_state`, where the policy's network reads it, whose shape in
info.json does not have exactly one dimension: `[1, 14]`, `[2, 7]`, or an empty list.

## Why it matters

LeRobot's policies take the first number of the shape for the number of joints. The network is built for as many, and
the first batch stops with a matrix of another size.

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
    repo_id: made/matrix-action
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
    repo_id: made/small
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule


@rule("GA335", dataset="matrix-action", cause=("meta/", "format", "columns"), stops=True)
def flat_vector(fit: Fit) -> Iterator[Finding]:
    """Check the shapes of the vectors that the network reads and predicts."""
    for key, feature in {**fit.policy.input_features, **fit.policy.output_features}.items():
        declared = fit.dataset.features.get(key)
        if declared is None or feature.type.value == "VISUAL" or len(declared.shape) == 1:
            continue
        if key in fit.policy.input_features and not fit.network_reads(key):
            continue
        yield Finding(
            f"{key} has the shape {list(declared.shape)}: policies take vectors, of one dimension",
            file="meta/info.json",
            key=f"features.{key}.shape",
            features=(key,),
            help="write the feature flat, one number per joint (info.json, stats.json and the tables)",
        )
