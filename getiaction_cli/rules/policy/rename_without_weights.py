"""Renamed features without weights that need it.

## What it finds

`rename_map` without `pretrained_path`.

## Why it matters

The map says under which names a pretrained policy knows the dataset's features. A fresh policy takes the dataset's
own names, and LeRobot refuses the map.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    rename_map: {observation.image: observation.images.top}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
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
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_MAP, _PATH = "model.init_args.rename_map", "model.init_args.pretrained_path"


@rule("GA237", dataset="pusht", breaks=("rename map",), stops=True)
def rename_without_weights(recipe: Recipe) -> Iterator[Finding]:
    """Report a rename map without pretrained weights."""
    if recipe.get(_MAP) and not recipe.get(_PATH):
        yield Finding(
            "`rename_map` is for a pretrained policy, and there is no `pretrained_path`",
            at=_MAP,
            on="key",
            fix=Change("remove rename_map: a fresh policy takes the dataset's own names", remove=(_MAP,), safe=True),
        )
