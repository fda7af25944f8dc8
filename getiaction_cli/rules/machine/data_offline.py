"""Frames that would have to be downloaded, offline.

## What it finds

A dataset of which only the metadata is in the Hub's cache, while the environment forbids the network
(`HF_HUB_OFFLINE`).

## Why it matters

Training reads the metadata, and stops at the first frame.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    pretrained_backbone_weights: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/metadata-only
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
    pretrained_backbone_weights: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule


@rule("GA540")
def data_offline(dataset: Dataset, machine: Machine) -> Iterator[Finding]:
    """Look for tables and videos beside the metadata."""
    place = dataset.place
    if machine.offline and not dataset.has_data:
        revision = f" --revision {place.revision}" if place.revision else ""
        yield Finding(
            f"only the metadata of `{place.repo_id}` is downloaded, and HF_HUB_OFFLINE forbids downloading the rest",
            at="data.init_args.repo_id",
            help=f"once, with a network: `hf download --repo-type dataset {place.repo_id}{revision}`",
        )
