"""A key of `rename_map` that the dataset does not have.

## What it finds

A key in `rename_map` that the dataset doesn't have.

## Why it matters

Renaming fits a dataset's names to those of a pretrained policy: `dataset key: policy key`. The other way round it
renames nothing, and LeRobot no longer compares the cameras, because there is a map.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    rename_map:
      observation.images.top: observation.image
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from difflib import get_close_matches

from getiaction_cli.analysis.recipe_on_dataset import RENAMES, Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule


@rule(
    "GA345",
    dataset="pusht",
    cause=("checkpoint", "rename map"),
    help="write a feature of the dataset on the left and the policy's name for it on the right",
)
def rename_map_key(fit: Fit) -> Iterator[Finding]:
    """Look up the renamed features."""
    for key, new in fit.renames.items():
        if key in fit.dataset.features:
            continue
        turned = new in fit.dataset.features
        close = get_close_matches(key, fit.dataset.features, 1)
        yield Finding(
            f"rename_map renames `{key}`, which {fit.dataset.repo_id} doesn't have",
            at=f"{RENAMES}.{key}",
            on="key",
            label="write it as `dataset key: policy key`" if turned else f"did you mean `{close[0]}`?" if close else "",
        )
