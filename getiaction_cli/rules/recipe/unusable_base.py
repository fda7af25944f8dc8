"""A base recipe that cannot be used.

## What it finds

An entry of `base:` that is missing, is not a `.yaml` file named by a relative path, cannot be read, or leads back to
the recipe itself.

## Why it matters

The recipe is laid over its bases: sections merge key by key, and its own values win. Without a base, its values are
unknown, so the rest of the recipe is not checked. A base is named relative to the file that names it, so that the
files work together on any machine.

## Example

```yaml
base: act_on_pusht.yaml
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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.bases import BASE_PROBLEM
from getiaction_cli.rules import rule


@rule("GA156", breaks=("recipe",))
def unusable_base(recipe: Recipe) -> Iterator[Finding]:
    """Report bases that can't be used."""
    yield from recipe.found(BASE_PROBLEM)
