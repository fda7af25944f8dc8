"""More actions executed than predicted.

## What it finds

`n_action_steps` is greater than the number of actions that the policy predicts at once (`chunk_size`, for some
policies `horizon` or `action_horizon`). LeRobot refuses to build such a policy.

## Why it matters

`n_action_steps` says how many of the predicted actions are executed before the next prediction. Often only one of the
two was changed: a smaller `chunk_size` also needs a smaller `n_action_steps`, whose default does not change with it.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import refusal_of, steps_limit
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA201", dataset="pusht", stops=True)
def action_steps(recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected) -> Iterator[Finding]:
    """Report LeRobot's error for the two parameters."""
    values = Values(recipe, policy_class)
    if refusal_of(configured, values, "action steps") is None:
        return
    limit = steps_limit(values)
    most = values[limit]
    yield contradiction(
        values,
        f"{values.quoted('n_action_steps')} are executed at once, but only {values.quoted(limit)} are predicted",
        "n_action_steps",
        limit,
        label="" if values.is_set("n_action_steps") else f"n_action_steps stays {values['n_action_steps']}",
        fix=values.set_to("n_action_steps", most, safe=not values.is_set("n_action_steps"))
        if isinstance(most, int) and most > 0
        else None,
    )
