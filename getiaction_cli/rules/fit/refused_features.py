"""Features that the policy refuses.

## What it finds

Features of this dataset that LeRobot's `validate_features` rejects for this policy, if no more specific rule reports
them.

## Why it matters

The policy can't be built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    torch_dtype: float32
    action_dim: 2
    proprio_dim: 2
    action_horizon: 8
    n_action_steps: 8
    image_size: [224, 448]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/three-cameras
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    torch_dtype: float32
    action_dim: 2
    proprio_dim: 2
    action_horizon: 8
    n_action_steps: 8
    image_size: [224, 480]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/three-cameras
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, INPUTS, Fit
from getiaction_cli.diagnostics import Finding, Unavailable
from getiaction_cli.policies import Unjudgeable
from getiaction_cli.rules import rule


@rule(
    "GA329",
    stops=True,
    dataset="two-cameras",
    cause=(
        "chosen features",
        "camera",
        "state",
        "action",
        "cameras",
        "channels",
        "camera sizes",
        "square pictures",
        "crop",
        "reward",
        "inputs",
        "dimensions",
        "checkpoint cameras",
        "image shape",
    ),
    help="choose the cameras and states that the policy reads with `input_features`, or choose another policy",
)
def refused_features(fit: Fit) -> Iterator[Finding]:
    """Report features that LeRobot rejects."""
    if ACTION not in fit.dataset.features:
        return  # rules about the dataset report its own errors
    try:
        message = fit.policy.validate_features()
    except Unjudgeable as reason:
        raise Unavailable(str(reason)) from reason
    if message:
        yield Finding(
            f"{fit.policy.policy.class_name} refuses the features of {fit.dataset.repo_id}: {message}",
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
        )
