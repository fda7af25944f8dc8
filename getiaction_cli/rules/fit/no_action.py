"""No `action` among the predicted features.

## What it finds

A choice of `output_features` without `action`.

## Why it matters

Policies predict the feature that is called exactly `action`, and nothing else: building the policy stops with
`'NoneType' object has no attribute 'shape'`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    output_features: [action.gripper]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/gripper
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
    output_features: [action]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/gripper
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, OUTPUTS, Fit
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule


@rule("GA309", dataset="gripper", cause=("chosen features",), breaks=("action",), stops=True)
def no_action(fit: Fit) -> Iterator[Finding]:
    """Look for the feature that every policy predicts."""
    if fit.policy.action_feature is None and ACTION in fit.writable:
        yield Finding(
            "`output_features` leaves out `action`, the one feature that policies predict",
            at=OUTPUTS,
            fix=Change("remove output_features: `action` is predicted", remove=(OUTPUTS,)),
        )
