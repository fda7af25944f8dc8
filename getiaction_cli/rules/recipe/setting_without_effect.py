"""A policy parameter that changes nothing here.

## What it finds

Parameters that every LeRobot config has and that something else decides in getiaction: `device` and `use_amp`
(the trainer's accelerator and precision). `repo_id`, `private`, `tags` and `license` have an effect only with
`push_to_hub: true`.

## Why it matters

Training runs on the trainer's accelerator and ignores `device`. Without `push_to_hub: true` training uploads nothing:
a `repo_id` alone does not publish the policy. `getiaction push RUN USER/NAME` uploads it after training.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    config_kwargs:
      device: cpu
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
  accelerator: cpu
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.renamed_keys import UPLOAD, WITHOUT_EFFECT
from getiaction_cli.analysis.unknown_keys import is_stray, policy_of
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA143", severity=Severity.WARNING)
def setting_without_effect(recipe: Recipe) -> Iterator[Finding]:
    """Report parameters of the policy that other settings determine."""
    params = recipe.params() if policy_of(recipe) else {}
    for name, instead in WITHOUT_EFFECT.items():
        if name not in params or (params.get("push_to_hub") is True and name in UPLOAD):
            continue
        route = recipe.param_route(name)
        if is_stray(recipe, route):
            continue
        yield Finding(
            f"`{name}` has no effect: {instead}",
            at=route,
            on="key",
            fix=Change(f"remove {name}", remove=(route,)),
        )
