"""A frame store that can't hold the dataset.

## What it finds

Decoded frames that don't fit: into the `max_gb` that `frame_store` allows, or into half of the free disk.

## Why it matters

The store is then not used at all: frames are decoded again and again during training, which is slower.

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
    frame_store:
      max_gb: 0.001
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
    frame_store:
      max_gb: 1
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_ROUTE = "data.init_args.frame_store"


@rule("GA512", severity=Severity.INFO)
def frame_store_bound(fit: Fit) -> Iterator[Finding]:
    """Compare the size of the frame store with its limit."""
    plan = fit.frames_plan
    if plan is None or plan.method == "store" or fit.recipe.data("frame_store") in ("off", False):
        return
    bounded = isinstance(fit.recipe.get(f"{_ROUTE}.max_gb"), int | float)
    fix = None
    if bounded:
        room = round(1.05 * plan.bytes / 1e9, 3)
        fix = Change(f"allow {room:g} GB", set=((f"{_ROUTE}.max_gb", room),))
    yield Finding(
        f"the decoded frames are not kept: {plan.reason}",
        at=f"{_ROUTE}.max_gb" if bounded else _ROUTE if fit.recipe.has(_ROUTE) else "data.init_args.repo_id",
        help=""
        if bounded
        else "name a larger disk with frame_store: {path: …}; otherwise frames are decoded during training",
        fix=fix,
    )
