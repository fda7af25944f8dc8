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

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.units import plural

_ROUTE = "data.init_args.exclude_episodes"
_EPISODES = "data.init_args.episodes"


@rule("GA358", dataset="pusht", breaks=("samples", "held out"), stops=True)
def excluded_episodes(fit: Fit) -> Iterator[Finding]:
    """Compare both lists with each other and with the dataset."""
    excluded, asked, there = fit.recipe.data("exclude_episodes"), fit.recipe.data("episodes"), len(fit.dataset.episodes)
    if not isinstance(excluded, list) or not excluded or not there:
        return
    listed = isinstance(asked, list)
    if not len(fit.chosen) and (not listed or any(episode in excluded for episode in asked)):
        of = "`episodes` lists" if listed else f"{fit.dataset.repo_id} has"
        yield Finding(f"every episode that {of} is excluded", at=_ROUTE, label="no episode is left")
    elif listed:
        idle = [e for e in excluded if isinstance(e, int) and 0 <= e < there and e not in asked]
        if not idle:
            return
        keep = [episode for episode in excluded if episode not in idle]
        change = {"set": ((_ROUTE, keep),)} if keep else {"remove": (_ROUTE,)}
        more = f" (and {plural(len(idle) - 1, 'more episode')})" if len(idle) > 1 else ""
        yield Finding(
            f"episode {idle[0]}{more} is excluded, and `episodes` does not list it",
            at=f"{_ROUTE}.{excluded.index(idle[0])}",
            related=(Related("the episodes in use", at=_EPISODES),),
            severity=Severity.WARNING,
            fix=Change("exclude only episodes that are listed", **change),
        )
