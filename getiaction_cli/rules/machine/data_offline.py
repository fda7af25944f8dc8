"""Frames that would have to be downloaded, offline.

## What it finds

A dataset of which only the metadata is in the Hub's cache, or not all tables and videos of the episodes that are
trained on, while the environment forbids the network (`HF_HUB_OFFLINE`).

## Why it matters

Training reads the metadata, and stops at the first frame that is missing.

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

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.analysis.weights import fetch_command
from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.rules import rule
from getiaction_cli.units import plural


@rule("GA540")
def data_offline(fit: Fit, machine: Machine) -> Iterator[Finding]:
    """Look for tables and videos next to the metadata."""
    dataset = fit.dataset
    if not machine.offline or (dataset.has_data and not fit.lacking):
        return
    name = dataset.place.repo_id
    message = f"only the metadata of `{name}` is cached, and HF_HUB_OFFLINE is set"
    if dataset.has_data:
        are = "is" if len(fit.lacking) == 1 else "are"
        message = f"{plural(len(fit.lacking), 'file')} of `{name}` {are} not cached, and HF_HUB_OFFLINE is set"
    yield Finding(
        message,
        at="data.init_args.repo_id",
        help=fetch_command(fit.recipe),
    )
