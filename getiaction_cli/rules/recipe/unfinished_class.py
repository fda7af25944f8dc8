"""A base class of Lightning that can't be used itself.

## What it finds

A `class_path` that names an abstract class (`lightning.pytorch.loggers.Logger`), or one that leaves a method to its
subclasses (`BaseFinetuning`).

## Why it matters

It can't be built, or training stops when Lightning calls the missing method. A subclass of your own can't be named in
a recipe, which takes Lightning's classes only.

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
  logger:
    class_path: lightning.pytorch.loggers.Logger
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
  logger:
    class_path: lightning.pytorch.loggers.CSVLogger
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.class_objects import kind_of, object_routes
from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import OBJECT_HOMES
from getiaction_cli.recipe.signatures import exported, lineage, read_signature, unfinished
from getiaction_cli.rules import rule

_MAX = 6


@rule("GA148", stops=True)
def unfinished_class(recipe: Recipe) -> Iterator[Finding]:
    """Look for abstract methods of the class."""
    for route in object_routes(recipe):
        path = recipe.get(f"{route}.class_path")
        module = OBJECT_HOMES.get(kind_of(route), "")
        if not module or not isinstance(path, str) or not path.startswith(f"{module}.") or read_signature(path) is None:
            continue
        if not unfinished(path):
            continue
        name = path.rpartition(".")[2]
        own = [f"{module}.{known}" for known in exported(module)]
        ready = [known.rpartition(".")[2] for known in own if name in lineage(known)[1:] and not unfinished(known)]
        yield Finding(
            f"{name} is a base class: it leaves `{unfinished(path)}` to its subclasses",
            at=f"{route}.class_path",
            help=f"use one of {module}: {', '.join(ready[:_MAX])}" if ready else f"use another class of {module}",
        )
