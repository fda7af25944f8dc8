"""A duplicate key.

## What it finds

The same key written twice in the same section.

## Why it matters

Every YAML reader silently keeps the last one, so the value you look at may not be the one that trains.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    chunk_size: 20
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
    chunk_size: 20
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


@rule("GA102", help="delete one of them")
def duplicate_key(recipe: Recipe) -> Iterator[Finding]:
    """Report keys that occur twice in a section."""
    yield from recipe.found("GA102")
