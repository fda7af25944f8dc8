"""Image transforms that change nothing.

## What it finds

An `image_transforms` section that leaves every training picture as it is: no transform in `tfs`, transforms that all
have a weight of 0, a `ColorJitter` without arguments, a probability of 0.

## Why it matters

Training runs without augmentation, and nothing says so.

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
    image_transforms:
      tfs:
        brightness: {weight: 0.0, type: ColorJitter, kwargs: {brightness: [0.8, 1.2]}}
trainer:
  max_steps: 1000
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
    image_transforms:
      tfs:
        brightness: {weight: 1.0, type: ColorJitter, kwargs: {brightness: [0.8, 1.2]}}
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.image_transforms import ROUTE, is_built, is_class, transform_routes
from getiaction_cli.analysis.transform_arguments import changes_nothing
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule(
    "GA372",
    severity=Severity.WARNING,
    help="write `image_transforms: {enable: false}` to train without augmentation, or leave the section out",
)
def no_augmentation(recipe: Recipe) -> Iterator[Finding]:
    """Look for a transform that changes a picture."""
    section = recipe.get(ROUTE)
    if not isinstance(section, dict) or recipe.get(f"{ROUTE}.enable") is False:
        return
    if is_class(recipe):
        idle = _idle(section)
        why = "this transform leaves every picture as it is"
    elif isinstance(section.get("tfs"), dict):
        routes = list(transform_routes(recipe))
        built = [route for route in routes if is_built(recipe, route)]
        idle = all(
            _changes_nothing(recipe.get(f"{route}.type", "Identity"), recipe.get(f"{route}.kwargs")) for route in built
        )
        why = (
            "`tfs` has no transform"
            if not routes
            else "every transform has a weight of 0"
            if not built
            else "its transforms leave every picture as it is"
        )
    else:
        return  # LeRobot's own transforms
    if idle:
        yield Finding(
            f"training has no augmentation: {why}", at=f"{ROUTE}.tfs" if "tfs" in section else ROUTE, on="key"
        )


def _idle(section: Any) -> bool:
    """True for a transform by class path that changes nothing, one that contains others included."""
    if not isinstance(section, dict) or not isinstance(section.get("class_path"), str):
        return False
    arguments = section.get("init_args")
    inside = arguments.get("transforms") if isinstance(arguments, dict) else None
    if _changes_nothing(section["class_path"], arguments):
        return True
    return isinstance(inside, list) and bool(inside) and all(map(_idle, inside))


def _changes_nothing(name: Any, arguments: Any) -> bool:
    return isinstance(name, str) and changes_nothing(name, arguments if isinstance(arguments, dict) else {})
