"""A validation split that can't be made.

## What it finds

A `val_split` for episodes of which none can be spared: there is only one. As a warning, one that holds out far more
than it says, because each task has few episodes.

## Why it matters

Whole episodes are held out, the last ones of each task and never all of them. With one episode nothing can be held
out, and training doesn't start.

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
    episodes: [0]
    val_split: 0.1
trainer:
  max_steps: 1000
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
    episodes: [0, 1, 2]
    val_split: 0.3
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_ROUTE = "data.init_args.val_split"
_MUCH = 0.3


@rule("GA328", dataset="pusht", cause=("held out",), breaks=("held out",), stops=True)
def nothing_to_hold_out(fit: Fit) -> Iterator[Finding]:
    """Split the episodes as training does, and check that both parts have some."""
    if not fit.val_split or not len(fit.chosen):
        return
    if not fit.held_out:
        yield Finding(
            f"val_split {fit.val_split:g} can't hold out one of {len(fit.chosen)} "
            f"{'episode' if len(fit.chosen) == 1 else 'episodes'}",
            at=_ROUTE,
            fix=Change("set val_split to 0: no validation", set=((_ROUTE, 0.0),)),
        )
    elif len(fit.held_out) > max(_MUCH, 2 * fit.val_split) * len(fit.chosen):
        yield Finding(
            f"val_split {fit.val_split:g} holds out {len(fit.held_out)} of {len(fit.chosen)} episodes: at least one of "
            "each task",
            at=_ROUTE,
            severity=Severity.WARNING,
        )
