"""A key with nothing after it.

## What it finds

A key without a value (or with `null`) where a value is needed.

## Why it matters

An empty value is not the default: it is None, and training fails on it. Leave the key out to get the default.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size:
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

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.recipe.values import mistaken


@rule("GA115")
def empty_value(recipe: Recipe) -> Iterator[Finding]:
    """None where the key does not take it."""
    for route, mistake in mistaken(recipe).items():
        if mistake.node.plain() is not None:
            continue
        needed = mistake.key.required or route in ("model", "data")
        yield Finding(
            f"`{mistake.name}` is empty; it takes {mistake.expected}",
            at=route,
            help="" if not needed else "write its value",
            fix=None if needed else Change("leave it out, to get the default", remove=(route,)),
        )
