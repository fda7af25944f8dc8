"""A recipe for lerobot-train.

## What it finds

The sections of LeRobot's own configuration files (`policy:`, `dataset:`, `wandb:` …) instead of `model:` and
`data:`.

## Why it matters

`getiaction train` reads another layout: a class path and its arguments for the policy and for the data, and Lightning's
trainer. `getiaction migrate FILE` writes the recipe that trains the same, with a table of the outcome of every key; the
fix writes it in place, where nothing is lost.

## Example

```yaml
dataset:
  repo_id: lerobot/pusht
policy:
  type: act
  chunk_size: 10
  n_action_steps: 10
```

## Instead

```yaml
seed: 1000
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
  max_steps: 100000
  log_every_n_steps: 200
  devices: 1
```
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from getiaction_cli.analysis.migration import migrate
from getiaction_cli.analysis.unknown_keys import foreign_sections
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import Unjudgeable
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA116", stops=True)
def lerobot_recipe(recipe: Recipe) -> Iterator[Finding]:
    """Report sections in LeRobot's layout."""
    foreign = foreign_sections(recipe)
    if not foreign:
        return
    fix = _rewritten(recipe, foreign)
    reason = "" if fix else "; its table lists what has no counterpart in a recipe"
    yield Finding(
        "this is a configuration for `lerobot-train`, which is laid out differently",
        at=next(name for name in ("policy", "dataset") if recipe.has(name)),
        on="key",
        help=f"`getiaction migrate {shlex.quote(recipe.file)}` writes it as a recipe{reason}",
        fix=fix,
    )


def _rewritten(recipe: Recipe, foreign: list[str]) -> Change | None:
    """Return the whole file as a recipe; None if something would be lost."""
    try:
        migration = migrate(recipe)
    except Unjudgeable:
        return None
    if migration is None or migration.lost:
        return None
    gone = tuple(name for name in foreign if name not in migration.recipe)
    return Change("lay it out as a recipe", set=tuple(migration.recipe.items()), remove=gone)
