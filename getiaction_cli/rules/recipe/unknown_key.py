"""An unknown key.

## What it finds

A key that its section does not take: at the top level, under `model`, `data` and `trainer`, in the arguments
of the policy, the data module, the trainer, of callbacks and loggers, and on the command line. The known keys
are read from the installed LeRobot, Lightning and getiaction.

## Why it matters

A misspelt key is a setting that you rely on and training never reads.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_sise: 10
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

from getiaction_cli.analysis.spelling import same_letters
from getiaction_cli.analysis.unknown_keys import Stray, strays
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA110")
def unknown_key(recipe: Recipe) -> Iterator[Finding]:
    """Report keys that their section does not have."""
    for stray in strays(recipe, "unknown"):
        free = [name for name in stray.near if not recipe.has(stray.section.at(name))]
        same = bool(free) and same_letters(stray.key, free[0])
        fix = Change(f"rename it to {free[0]}", rename=((stray.route, free[0]),), safe=same) if free else None
        yield Finding(
            f"{stray.section.name} has no key `{stray.key}`",
            at=stray.route,
            on="key",
            label=f"did you mean `{stray.near[0]}`?" if stray.near else "",
            help=stray.why or _known(stray),
            fix=fix,
        )


def _known(stray: Stray) -> str:
    """List the keys of the section if none is similar and the list is short."""
    if stray.near or not 0 < len(stray.section.keys) <= 15:
        return ""
    return "it takes " + ", ".join(stray.section.keys)
