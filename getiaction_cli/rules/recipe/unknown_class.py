"""A class path that does not exist.

## What it finds

A `class_path` that is misspelt, that is in the wrong section, or that names something by another
project's path: a bare policy name (`act`), LeRobot's own class
(`lerobot.policies.act.modeling_act.ACTPolicy`), `physicalai.policies.lerobot.ACT`,
`pytorch_lightning.callbacks.…`.

## Why it matters

Only getiaction's policies and data module, and Lightning's callbacks, loggers and the like can be named in a
recipe. The rule knows their names without importing them, and finds the one that was meant.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Act
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
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA130", stops=True)
def unknown_class(recipe: Recipe) -> Iterator[Finding]:
    """Report class paths that are similar to an allowed one."""
    for found in class_paths(recipe):
        if found.verdict is not Verdict.MEANT:
            continue
        sets = ((found.route, found.meant), *found.also)
        certain = found.certain and not any(recipe.has(route) for route, _ in found.also)
        yield Finding(
            found.message,
            at=found.route,
            label=f"did you mean `{found.meant}`?" if not found.certain else "",
            fix=Change(f"set it to {found.meant}", set=sets, safe=certain),
            severity=Severity.WARNING if found.works else None,
        )
