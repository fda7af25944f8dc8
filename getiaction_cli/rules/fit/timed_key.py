"""Time steps for a feature that is missing or not read.

## What it finds

A key of `delta_timestamps` that the dataset doesn't have, or that the policy doesn't read.

## Why it matters

LeRobot looks up every key for every sample: one that isn't there stops the first batch. A window for a feature that the
policy doesn't read costs time and changes nothing; for `task_index` it breaks the look-up of the task's text, and for
`timestamp` that of the pictures.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      actions: [0.0, 0.1, 0.2, 0.3]
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      action: [0.0, 0.1, 0.2, 0.3]
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from difflib import get_close_matches

from getiaction_cli.analysis.recipe_on_dataset import DELTAS, Fit, listed
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._timing import derive


@rule("GA304", dataset="pusht")
def timed_key(fit: Fit) -> Iterator[Finding]:
    """Look up each key of delta_timestamps."""
    useful = [key for key in fit.dataset.features if fit.reads(key)]
    for key in fit.recipe.keys(DELTAS):
        if key not in fit.dataset.features:
            close = get_close_matches(key, useful, 1)
            rename = close and close[0] not in fit.recipe.keys(DELTAS)
            yield Finding(
                f"`delta_timestamps` names `{key}`, which {fit.dataset.repo_id} doesn't have",
                at=f"{DELTAS}.{key}",
                on="key",
                label=f"did you mean `{close[0]}`?" if close else "no such feature",
                help="" if close else f"this policy reads {listed(useful)}",
                fix=Change(f"rename it to {close[0]}", rename=((f"{DELTAS}.{key}", close[0]),))
                if rename
                else derive(fit, key),
            )
        elif key == "task_index" or (key == "index" and fit.facts.known and fit.facts.reads_index):
            yield Finding(
                f"`{key}` says which sample this is; with time steps of its own it becomes several",
                at=f"{DELTAS}.{key}",
                on="key",
                fix=derive(fit, key),
            )
        elif key == "timestamp" and fit.dataset.video_keys and fit.recipe.get(f"{DELTAS}.{key}") not in ([0], [0.0]):
            yield Finding(
                "`timestamp` says which pictures belong to a sample; other time steps select other pictures, or none",
                at=f"{DELTAS}.{key}",
                on="key",
                fix=derive(fit, key),
            )
        elif not fit.derives(key) and fit.recipe.get(f"{DELTAS}.{key}") == []:
            yield Finding(
                f"`delta_timestamps` gives `{key}` no time step at all, not even the current frame",
                at=f"{DELTAS}.{key}",
                label="an empty list",
                fix=derive(fit, key),
            )
        elif not fit.derives(key):
            yield Finding(
                f"`delta_timestamps` gives `{key}` time steps, but {fit.policy.policy.class_name} doesn't read it",
                at=f"{DELTAS}.{key}",
                on="key",
                label="has no effect",
                fix=derive(fit, key),
                severity=Severity.WARNING,
            )
