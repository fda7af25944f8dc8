"""A file that is not a recipe.

## What it finds

A file that is empty, larger than a megabyte, not UTF-8 text, nested deeper or holding more values than any
recipe needs, a list or a single word where the sections `model:` and `data:` should be, or a second YAML
document (`---`) after the first.

## Why it matters

This is probably the wrong file. The limits also stop aliases that multiply (the "billion laughs" attack): recipes come
from other people.

## Example

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
---
seed: 42
```

## Instead

```yaml
seed: 42
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
from getiaction_cli.rules import rule


@rule("GA103", breaks=("recipe",), stops=True, help="`getiaction recipes quickstart` prints a recipe")
def not_a_recipe(recipe: Recipe) -> Iterator[Finding]:
    """Report files that are not recipes."""
    yield from recipe.found("GA103")
