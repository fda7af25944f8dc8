"""Datasets of a mixture whose steps differ in length.

## What it finds

In `data.init_args.datasets`, a `stride` with which one step of the policy lasts longer in one dataset than in another.

## Why it matters

The policy can't see which dataset a sample is from: it learns movements of different speeds for the same picture. Some
published mixtures are made so on purpose.

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
      - {repo_id: lerobot/pusht, episodes: [0]}
      - {repo_id: lerobot/pusht, exclude_episodes: [0], stride: 2}
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
      - {repo_id: lerobot/pusht, episodes: [0], stride: 2}
      - {repo_id: lerobot/pusht, exclude_episodes: [0], stride: 2}
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction.spec.mixture import entries_with_other_rates
from getiaction_cli.analysis.mixture_entries import DATASETS
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.datasets.mixture import Mixture
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule


@rule(
    "GA360",
    severity=Severity.WARNING,
    dataset="pusht",
    help="choose each `stride` so that the frame rate divided by it is equal",
)
def unequal_steps(fit: Fit) -> Iterator[Finding]:
    """Compare the steps of each dataset with those of the first one."""
    dataset = fit.dataset
    if not isinstance(dataset, Mixture):
        return
    rates = [part.fps for part in dataset.parts if part.fps]
    if len(rates) < len(dataset.parts):
        return
    first = dataset.entries[0].rate(rates[0])
    for number in entries_with_other_rates(rates, dataset.entries):
        name, entry = dataset.parts[number].repo_id, dataset.entries[number]
        yield Finding(
            f"{name} has {entry.rate(rates[number]):g} steps a second, {dataset.parts[0].repo_id} has {first:g}",
            at=f"{DATASETS}.{number}.stride",
        )
