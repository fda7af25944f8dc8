"""More observation steps than the policy can read.

## What it finds

`n_obs_steps` other than 1 for a policy that looks at the current frame only: ACT and TD-MPC refuse it.

## Why it matters

Diffusion and VQ-BeT stack past observations. ACT and TD-MPC have no input for them.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    n_obs_steps: 2
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
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import refusal_of
from getiaction_cli.rules.policy._values import Values


@rule("GA204", dataset="pusht", stops=True)
def one_observation_step(
    recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected
) -> Iterator[Finding]:
    """Report LeRobot's error."""
    values = Values(recipe, policy_class)
    if refusal_of(configured, values, "observation steps") is None:
        return
    at = values.at("n_obs_steps")
    yield Finding(
        f"{policy_class.class_name} reads one observation step; `n_obs_steps` is {values['n_obs_steps']}",
        at=at,
        help="diffusion, vqbet and multi_task_dit read several observation steps",
        fix=Change("remove n_obs_steps", remove=(at,)),
    )
