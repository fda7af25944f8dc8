"""A parameter of another policy.

## What it finds

A parameter that some policies have, but not this one: `chunk_size` under a diffusion policy, `horizon` under
ACT, `gradient_checkpointing` where there is none.

## Why it matters

It comes from copying a recipe and changing the policy. LeRobot refuses it; where it would be ignored, you would train
without a setting that the recipe shows.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    horizon: 16
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
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.unknown_keys import strays
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA113", stops=True)
def key_of_another_policy(recipe: Recipe) -> Iterator[Finding]:
    """Report parameters that only other policies have."""
    for stray in strays(recipe, "foreign"):
        shown = ", ".join(stray.others[:4]) + (f" and {len(stray.others) - 4} more" if len(stray.others) > 4 else "")
        own = stray.target.rpartition(".")[2]
        free = bool(own) and not recipe.has(stray.target)
        yield Finding(
            f"{stray.section.name} has no parameter `{stray.key}`: it is one of {shown}",
            at=stray.route,
            on="key",
            label=f"{stray.section.name} calls it `{own}`" if own else "",
            fix=Change(f"rename it to {own}", rename=((stray.route, own),))
            if free
            else Change(f"remove {stray.key}", remove=(stray.route,)),
        )
