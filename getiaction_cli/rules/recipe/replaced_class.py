"""A class that replaces the one of an earlier file, whose arguments are dropped.

## What it finds

A recipe, a later `--config` or the command line names another class for a section than an earlier file did. The
`init_args` of the earlier file do not apply to the new class and are dropped.

## Why it matters

Arguments are chosen for a class: the learning rate or the number of observed frames of one policy is wrong for
another. This is a note, so that a dropped value is not searched for. Values that should stay are written beside the
new class.

## Example

The first file is `act.yaml`.

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

```yaml
base: act.yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
```

## Instead

```yaml
base: act.yaml
model:
  init_args:
    chunk_size: 20
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.classes import ANOTHER_CLASS
from getiaction_cli.rules import rule


@rule("GA157", severity=Severity.INFO)
def replaced_class(recipe: Recipe) -> Iterator[Finding]:
    """Report arguments that were dropped when the files were merged."""
    yield from recipe.found(ANOTHER_CLASS)
