"""A YAML tag.

## What it finds

A tag such as `!!python/object:…` or `!include` in front of a value.

## Why it matters

Tags make other YAML readers construct objects, which is a way to run code. Here they never do anything: the
value is read as if the tag were not there.

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
  max_steps: !steps 100
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
from getiaction_cli.rules import rule


@rule("GA104", stops=True, help="delete the tag and write the value itself")
def yaml_tag(recipe: Recipe) -> Iterator[Finding]:
    """Report tags, which are ignored."""
    yield from recipe.found("GA104")
