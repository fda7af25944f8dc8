"""A class that is not allowed in a recipe.

## What it finds

A `class_path` that names anything but what getiaction, LeRobot and Lightning provide for that place:
`os.system`, a class of your own, a function.

## Why it matters

People share recipes, so a recipe can't name code to run. The class was not imported. A policy of your own becomes
available as a LeRobot plugin (a distribution called `lerobot_policy_…`), through `LeRobotPolicy`.

## Example

```yaml
model:
  class_path: os.system
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

from getiaction_cli.analysis.class_paths import Verdict, class_paths
from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA131", in_itself=True, stops=True)
def foreign_class(recipe: Recipe) -> Iterator[Finding]:
    """Report class paths that are not allowed."""
    for found in class_paths(recipe):
        if found.verdict is Verdict.REFUSED:
            yield Finding(found.message, at=found.route, label="not imported", help=found.help)
