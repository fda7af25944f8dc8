"""Datasets that can't be trained on together.

## What it finds

In `data.init_args.datasets`: a dataset whose features differ from those of the first one, after its `rename_map`;
another frame rate without a `stride` that states it; an episode that two entries use; a dataset that is not found;
weights that can't be shares. Features that no policy reads, such as `next.success`, may differ.

## Why it matters

One policy reads all samples, so each must have the same keys, shapes and distances in time: with `stride: 3`, a step
of a dataset of 30 frames per second is as long as a frame of a dataset of 10. An episode in two entries could be
trained on in one and held out in the other.

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
    datasets:
      - repo_id: lerobot/pusht
      - repo_id: lerobot/aloha_sim_insertion_human
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
    datasets:
      - {repo_id: lerobot/pusht, episodes: [0], weight: 2}
      - {repo_id: lerobot/pusht, exclude_episodes: [0], weight: 1}
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from typing import Any

from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA359", dataset="pusht", stops=True)
def unmixable_datasets(recipe: Recipe, dataset_or_reason: Any) -> Iterator[Finding]:
    """Report why the datasets of a list can't be combined."""
    for route, message, help in getattr(dataset_or_reason, "problems", ()):
        if message:
            yield Finding(message, at=route, help=help)
