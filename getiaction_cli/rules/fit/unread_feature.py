"""A feature that the policy is given and its network does not read.

## What it finds

A vector in the policy's inputs that its network does not read: any `observation.…` other than `observation.state`, and
`observation.environment_state` for policies without an input for it.

## Why it matters

LeRobot gives every `observation.…` of a dataset to the policy and normalizes it, but its networks take cameras and
`observation.state` only. Training runs; what the feature measures (a touch, a force) has no effect on the actions. To
use it, join its numbers to `observation.state` in the dataset.

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
    repo_id: made/velocity
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
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/velocity
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit, listed
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule


@rule("GA353", severity=Severity.INFO, dataset="velocity", cause=("inputs", "number type"))
def unread_feature(fit: Fit) -> Iterator[Finding]:
    """Compare the policy's input features with those that its network reads."""
    unread = fit.unread()
    if unread:
        yield Finding(
            f"{fit.policy.policy.class_name} does not read {listed(unread)}",
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
            related=tuple(Related("not read", file="meta/info.json", key=f"features.{key}") for key in unread[:3]),
            features=tuple(unread),
            help="to use its numbers, join them to `observation.state` in the dataset",
        )
