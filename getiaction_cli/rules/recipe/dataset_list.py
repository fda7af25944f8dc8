"""Several datasets in one recipe.

## What it finds

A list in `repo_id`.

## Why it matters

LeRobot trains on one dataset at a time (its multi-dataset class is not implemented). Merge them first.

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
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules import rule

_ROUTE = "data.init_args.repo_id"


@rule("GA140", stops=True)
def dataset_list(recipe: Recipe) -> Iterator[Finding]:
    """A list of datasets."""
    ids = recipe.get(_ROUTE)
    if not isinstance(ids, list):
        return
    if len(ids) == 1 and isinstance(ids[0], str):
        fix = Change(f"set it to {ids[0]}", set=((_ROUTE, ids[0]),), safe=True)
        yield Finding("`repo_id` is one dataset, not a list", at=_ROUTE, fix=fix)
        return
    merge = f"lerobot-edit-dataset --repo_id NAME --operation.type merge --operation.repo_ids '{write(ids)}'"
    yield Finding(
        f"a recipe trains on one dataset, and `repo_id` lists {len(ids)}", at=_ROUTE, help=f"merge them: {merge}"
    )
