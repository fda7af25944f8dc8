"""Rollouts under another trainer's keys.

## What it finds

`env`, `eval` and `env_eval_freq` of `lerobot-train`, and `eval_gyms`, `val_gyms` and `num_rollouts…` in the arguments
of the data module.

## Why it matters

Nothing reads them. Rollouts in simulation have a section of their own, `evaluation`, which the fix writes.

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
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
env:
  type: pusht
eval:
  n_episodes: 20
env_eval_freq: 500
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
evaluation:
  env:
    type: pusht
  episodes: 20
  every_n_steps: 500
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.unknown_keys import foreign_sections
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA352", dataset="pusht")
def rollouts_elsewhere(recipe: Recipe) -> Iterator[Finding]:
    """Report settings for rollouts outside `evaluation`, with a fix that moves them there."""
    found = foreign_evaluation(recipe)
    if found is None or foreign_sections(recipe):
        return
    first, *others = found.routes
    taken = bool(recipe.get("evaluation"))
    fix = None
    if taken:
        fix = Change(f"remove {', '.join(found.routes)}", remove=found.routes)
    elif found.section is not None and not found.lost:
        fix = Change("write the section evaluation", set=(("evaluation", found.section),), remove=found.routes)
    elif not recipe.get("env") and all(r == "env_eval_freq" or not recipe.get(r) for r in found.routes):
        fix = Change(
            "remove it: it has no effect",
            remove=found.routes,
            safe=all(recipe.get(route) is None for route in found.routes),
        )
    example = "write `evaluation: {env: {type: …}, episodes: 20, every_n_steps: 1000}`"
    lost = f"; without a counterpart: {', '.join(found.lost)}" if found.lost else ""
    yield Finding(
        f"`{first.rpartition('.')[2]}` is not read: rollouts belong in the section `evaluation`",
        at=first,
        on="key",
        related=tuple(Related("and this", at=route, on="key") for route in others),
        help="" if fix else example + lost,
        fix=fix,
    )
