"""Several datasets in one recipe.

## What it finds

A list in `repo_id`.

## Why it matters

`repo_id` names one dataset. Several are listed under `datasets`, each with its own weight, episodes and names.

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
    repo_id: [lerobot/pusht, lerobot/aloha_sim_insertion_human]
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
    datasets:
      - {repo_id: lerobot/pusht, weight: 2}
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_HOME = "data.init_args"
_ROUTE = f"{_HOME}.repo_id"


@rule("GA140", stops=True)
def dataset_list(recipe: Recipe) -> Iterator[Finding]:
    """Report problems of a list of datasets."""
    ids = recipe.get(_ROUTE)
    if not isinstance(ids, list):
        return
    if len(ids) == 1 and isinstance(ids[0], str):
        fix = Change(f"set it to {ids[0]}", set=((_ROUTE, ids[0]),), safe=True)
        yield Finding("`repo_id` is one dataset, not a list", at=_ROUTE, fix=fix)
        return
    entries = [{"repo_id": name} for name in ids]
    yield Finding(
        f"`repo_id` is one dataset, and lists {len(ids)}",
        at=_ROUTE,
        help="`datasets` takes several",
        fix=Change("list them under `datasets`", set=((f"{_HOME}.datasets", entries),), remove=(_ROUTE,))
        if all(isinstance(name, str) for name in ids) and ids
        else None,
    )
