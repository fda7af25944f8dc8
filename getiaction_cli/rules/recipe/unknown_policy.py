"""An unknown policy.

## What it finds

A `policy_name` that the installed LeRobot and its plugins don't know.

## Why it matters

A typo, a policy that was renamed (`pi0fast` became `pi0_fast`) or removed (`sac`), or a plugin that is not
installed.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: difusion
    config_kwargs:
      horizon: 16
      n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: diffusion
    config_kwargs:
      horizon: 16
      n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli import policies
from getiaction_cli.analysis.class_paths import intended_policies
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_GONE = {
    "sac": "LeRobot has taken it out; what it shared with others is in gaussian_actor, which learns from rewards",
}
_ROUTE = "model.init_args.policy_name"


@rule("GA132", stops=True)
def unknown_policy(recipe: Recipe) -> Iterator[Finding]:
    """Report policy names that are not registered."""
    name = recipe.get(_ROUTE)
    if not recipe.uses_wrapper or not isinstance(name, str) or name in policies.names():
        return
    if not name:
        return
    near, same = intended_policies(name)
    yield Finding(
        f"no policy is called `{name[:60]}`",
        at=_ROUTE,
        label=f"did you mean `{near[0]}`?" if near else "",
        help=_GONE.get(name) or f"installed are {', '.join(policies.names())}",
        fix=Change(f"set it to {near[0]}", set=((_ROUTE, near[0]),), safe=same) if near else None,
    )
