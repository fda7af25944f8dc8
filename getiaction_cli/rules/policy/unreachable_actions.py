"""More actions executed than predicted ahead.

## What it finds

For Diffusion and the multi-task DiT: `n_action_steps` is greater than `horizon - n_obs_steps + 1`.

## Why it matters

The first `n_obs_steps - 1` of the predicted actions belong to the past observations, so only `horizon - n_obs_steps +
1` of them lie ahead. LeRobot documents the bound and does not check it: Diffusion silently executes fewer actions
than the recipe says; for the multi-task DiT the number of dropped frames becomes negative and training stops.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 16
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
    horizon: 16
    n_action_steps: 15
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
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA211", dataset="pusht", breaks=("action steps",))
def unreachable_actions(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Count the predicted actions that are not in the past, and so can be executed."""
    if not policy.facts.horizon_includes_past or min(policy.horizon, policy.n_obs_steps) < 1:
        return
    ahead = policy.horizon - policy.n_obs_steps + 1
    if policy.n_action_steps <= ahead:
        return
    values = Values(recipe, policy.policy)
    past = "one belongs" if policy.n_obs_steps == 2 else f"{policy.n_obs_steps - 1} belong"
    yield contradiction(
        values,
        f"{values.quoted('n_action_steps')} are to be executed, but only {max(ahead, 0)} lie ahead: of "
        f"{values.quoted('horizon')}, {past} to the past observations ({values.quoted('n_obs_steps')})",
        "n_action_steps",
        "horizon",
        "n_obs_steps",
        fix=values.set_to("n_action_steps", ahead, safe=True) if ahead > 0 else None,
        help="" if ahead > 0 else "the horizon must be longer than the observations that it includes",
    )
