"""A key in the wrong section.

## What it finds

A key that another section of the recipe takes: a parameter of the policy directly under `model` instead of
`model.init_args`, `max_steps` outside of `trainer`, `repo_id` outside of `data.init_args`.

## Why it matters

Nothing reads it there.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  chunk_size: 10
  init_args:
    n_action_steps: 10
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


@rule("GA112")
def misplaced_key(recipe: Recipe) -> Iterator[Finding]:
    """Report known keys in the wrong section."""
    for stray in strays(recipe, "misplaced"):
        home = stray.target.rpartition(".")[0]
        fix = None
        if not recipe.has(stray.target):
            # Moving a key into or out of `init_args` of its section does not change its meaning.
            same = stray.route.split(".")[0] == stray.target.split(".")[0]
            move = ((stray.target, recipe.get(stray.route)),)
            fix = Change(f"move it to {stray.target}", set=move, remove=(stray.route,), safe=same)
        yield Finding(
            f"`{stray.key}` belongs under `{home}`" if home else f"`{stray.key}` belongs at the top level",
            at=stray.route,
            on="key",
            label=f"{stray.section.name} does not take it",
            fix=fix,
        )
