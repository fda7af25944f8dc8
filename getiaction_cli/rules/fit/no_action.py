"""No action to learn.

## What it finds

A dataset (or a choice of `output_features`) without a feature that is called exactly `action`.

## Why it matters

Policies predict `action` and nothing else. Another name, as `actions` or `action.joints`, is not found: building the
policy stops with `'NoneType' object has no attribute 'shape'`.

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
    repo_id: made/openpi
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
from difflib import get_close_matches

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.fitting import ACTION, OUTPUTS, Fit


@rule("GA309", dataset="openpi", unless=("GA306",))
def no_action(fit: Fit) -> Iterator[Finding]:
    """Ask for the feature that every policy predicts."""
    if fit.policy.action_feature is not None:
        return
    if ACTION in fit.writable:
        yield Finding("`output_features` leaves out `action`, which every policy predicts", at=OUTPUTS)
        return
    close = get_close_matches(ACTION, fit.dataset.features, 1)
    yield Finding(
        f"{fit.dataset.repo_id} has no feature called `action`, which every policy predicts",
        at="data.init_args.repo_id",
        label=f"`{close[0]}` is close, but LeRobot knows the action by name only" if close else "",
        help="rename the feature in the dataset (`lerobot-edit-dataset`)",
    )
