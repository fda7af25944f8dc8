"""Frames dropped for another horizon.

## What it finds

Diffusion's `drop_n_last_frames` is not `horizon - n_action_steps - n_obs_steps + 1`, by more than the actions that
are executed.

## Why it matters

The last frames of an episode are left out as starting points, so that the actions which are executed are not mostly
copies of the last one. LeRobot's default of 7 was computed for a horizon of 16; it does not follow the horizon.
Training still runs.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 32
    n_action_steps: 8
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
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 32
    n_action_steps: 8
    drop_n_last_frames: 23
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA225", severity=Severity.INFO, dataset="pusht", cause=("action steps",))
def dropped_frames(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare the number with the formula in LeRobot's comment."""
    made_for = policy.facts.drops_frames_for_horizon
    if made_for is None:
        return
    values = Values(recipe, policy.policy)
    wanted = policy.horizon - policy.n_action_steps - policy.n_obs_steps + 1
    if values.is_set("drop_n_last_frames") or not values.is_set("horizon") or wanted <= policy.drop_n_last_frames:
        return
    yield contradiction(
        values,
        f"{values.quoted('drop_n_last_frames')} was made for a horizon of {made_for}; "
        f"for this one LeRobot's own formula gives {wanted}",
        "horizon",
        "n_action_steps",
        fix=values.set_to("drop_n_last_frames", wanted),
        help="horizon - n_action_steps - n_obs_steps + 1: samples in which more than the executed actions are real",
    )
