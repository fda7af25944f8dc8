"""A frame store that is not allowed to hold the dataset.

## What it finds

A `frame_store` with a `max_gb` below what the decoded frames of the chosen episodes take.

## Why it matters

The store is then not used at all: frames are decoded again and again as training goes on, which is slower.

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

from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fitting import Fit
from getiaction_cli.rules.machine._asked import gigabytes

_ROUTE = "data.init_args.frame_store.max_gb"


@rule("GA512", severity=Severity.INFO)
def frame_store_bound(fit: Fit) -> Iterator[Finding]:
    """Compute the size of the store."""
    bound = fit.recipe.get(_ROUTE)
    if not isinstance(bound, int | float) or isinstance(bound, bool) or bound < 0:
        return
    frame = 0
    for key in fit.dataset.camera_keys:
        width, height = fit.dataset.features[key].resolution or (0, 0)
        frame += width * height * (2 if key in fit.dataset.depth_keys else 3)
    size = frame * int(fit.dataset.episodes.length[fit.chosen].sum())
    if size > bound * 1e9:
        yield Finding(
            f"the decoded frames take {gigabytes(size)}, frame_store allows {gigabytes(bound * 1e9)}: it is not used",
            at=_ROUTE,
            fix=Change(f"allow {gigabytes(1.05 * size)}", set=((_ROUTE, round(1.05 * size / 1e9, 3)),)),
        )
