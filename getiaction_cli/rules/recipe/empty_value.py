"""A key without a value.

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

from getiaction_cli.analysis.type_errors import STRICT, mistaken
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_NAMES = ("model.class_path", "model.init_args.policy_name", "data.class_path", "data.init_args.repo_id")


@rule("GA115", in_itself=True)
def empty_value(recipe: Recipe) -> Iterator[Finding]:
    """Report null where the key does not accept it, and blank text instead of a name."""
    for route, mistake in mistaken(recipe).items():
        if mistake.node.plain() is not None:
            continue
        needed = mistake.key.required or route in ("model", "data")
        off = mistake.key.type.has("bool") and route.startswith(("trainer.", "data.")) and route not in STRICT
        yield Finding(
            f"`{mistake.name}` is empty" + (", which is false" if off else f"; it takes {mistake.expected}"),
            at=route,
            help="write its value" if needed else "",
            fix=None if needed else Change("leave it out, to get the default", remove=(route,)),
            severity=Severity.WARNING if off else None,
        )
    for route in _NAMES:
        if isinstance(name := recipe.get(route), str) and not name.strip():
            yield Finding(f"`{route.rpartition('.')[2]}` is empty", at=route, help="write its value")
