"""Excluded episodes that leave nothing, or that were not in use.

## What it finds

An `exclude_episodes` that leaves no episode to train on. As a warning, an excluded episode that `episodes` does not
list.

## Why it matters

Without an episode there is nothing to train on. An episode that `episodes` does not list is not in use anyway: one of
the two lists probably has a wrong number.

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
    episodes: [0, 1]
    exclude_episodes: [0, 1]
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
    episodes: [0, 1]
    exclude_episodes: [1]
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.mixture_entries import dataset_routes
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.units import plural


@rule(
    "GA358",
    dataset="pusht",
    breaks=("samples", "held out"),
    stops=True,
    help="list fewer episodes in `exclude_episodes`",
)
def excluded_episodes(fit: Fit) -> Iterator[Finding]:
    """Compare both lists with each other and with the dataset."""
    for route, dataset in zip(dataset_routes(fit.recipe), fit.dataset.parts, strict=True):
        yield from _excluded(fit.recipe, route, dataset)


def _excluded(recipe: Recipe, section: str, dataset: Dataset) -> Iterator[Finding]:
    route, episodes = f"{section}.exclude_episodes", f"{section}.episodes"
    excluded, asked, there = recipe.get(route), recipe.get(episodes), len(dataset.episodes)
    if not isinstance(excluded, list) or not excluded or not there:
        return
    listed = isinstance(asked, list)
    in_use = [
        episode for episode in (asked if listed else range(there)) if isinstance(episode, int) and episode < there
    ]
    if in_use and all(episode in excluded for episode in in_use):
        of = "`episodes` lists" if listed else f"{dataset.repo_id} has"
        yield Finding(f"every episode that {of} is excluded", at=route, label="no episode is left")
    elif listed:
        idle = [e for e in excluded if isinstance(e, int) and 0 <= e < there and e not in asked]
        if not idle:
            return
        keep = [episode for episode in excluded if episode not in idle]
        change = {"set": ((route, keep),)} if keep else {"remove": (route,)}
        more = f" (and {plural(len(idle) - 1, 'more episode')})" if len(idle) > 1 else ""
        yield Finding(
            f"episode {idle[0]}{more} is excluded, and `episodes` does not list it",
            at=f"{route}.{excluded.index(idle[0])}",
            related=(Related("the episodes in use", at=episodes),),
            severity=Severity.WARNING,
            fix=Change("exclude only episodes that are listed", **change),
        )
