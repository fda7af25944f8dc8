"""Temporal ensembling with more than one action per call.

## What it finds

`temporal_ensemble_coeff` is set while `n_action_steps` is greater than 1.

## Why it matters

Ensembling averages the predictions that several calls made for the same moment, so the policy has to be asked at
every step: `n_action_steps: 1`. LeRobot refuses anything else. The default of `n_action_steps` is 100, so it must be
written down.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    temporal_ensemble_coeff: 0.01
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 1
    temporal_ensemble_coeff: 0.01
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import refusal_of
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA203", dataset="pusht", stops=True)
def temporal_ensembling(
    recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected
) -> Iterator[Finding]:
    """Report LeRobot's error. The fix changes the steps, because the user set the coefficient explicitly."""
    values = Values(recipe, policy_class)
    if refusal_of(configured, values, "ensembling") is None:
        return
    yield contradiction(
        values,
        "`temporal_ensemble_coeff` averages the predictions of successive steps, so the policy must be asked at every "
        f"step; it executes {values.quoted('n_action_steps')} at once",
        "n_action_steps",
        "temporal_ensemble_coeff",
        fix=values.set_to("n_action_steps", 1, safe=not values.is_set("n_action_steps")),
    )
