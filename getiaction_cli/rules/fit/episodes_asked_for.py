"""Episodes that the dataset does not have.

## What it finds

An index in `data.init_args.episodes` or `exclude_episodes` that the dataset does not have.

## Why it matters

LeRobot takes a missing episode for an incomplete copy, asks the Hub, and reports a network error. To exclude an
episode that does not exist has no effect: the one that was meant is trained on.

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
    episodes: [0, 1, 7]
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
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.mixture_entries import dataset_routes
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule


@rule("GA324", dataset="pusht", breaks=("samples", "held out"), stops=True)
def episodes_asked_for(fit: Fit) -> Iterator[Finding]:
    """Look up each episode."""
    for route, dataset in zip(dataset_routes(fit.recipe), fit.dataset.parts, strict=True):
        for name in ("episodes", "exclude_episodes"):
            yield from _missing(fit.recipe.get(f"{route}.{name}"), f"{route}.{name}", dataset)


def _missing(given: object, route: str, dataset: Dataset) -> Iterator[Finding]:
    there = len(dataset.episodes)
    if not isinstance(given, list) or not there:
        return
    wrong = [i for i, episode in enumerate(given) if isinstance(episode, int) and episode >= there]
    left_out = set(wrong)
    if not wrong:
        return
    keep = [episode for i, episode in enumerate(given) if i not in left_out]
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    yield Finding(
        f"episode {given[wrong[0]]}{more} is not in {dataset.repo_id}, which has 0 to {there - 1}",
        at=f"{route}.{wrong[0]}",
        related=(Related(f"{there} episodes", file="meta/info.json", key="total_episodes"),),
        fix=Change("leave out the episodes that are not there", set=((route, keep),)) if keep else None,
    )
