"""A list of episodes that can't be one.

## What it finds

In `episodes` or `exclude_episodes`: episodes that are negative or that are in the list twice; an empty list.

## Why it matters

LeRobot refuses duplicates and negative numbers. Another rule reports episodes that the dataset does not
have.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    episodes: [0, 1, 1]
trainer:
  max_steps: 100
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    episodes: [0, 1]
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.mixture_entries import dataset_routes
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA141", stops=True)
def episode_list(recipe: Recipe) -> Iterator[Finding]:
    """Report episode lists that LeRobot rejects."""
    for name, otherwise in (("episodes", "take all"), ("exclude_episodes", "exclude none")):
        for route in dataset_routes(recipe):
            yield from _wrong(recipe, f"{route}.{name}", name, otherwise)


def _wrong(recipe: Recipe, route: str, name: str, otherwise: str) -> Iterator[Finding]:
    episodes = recipe.get(route)
    if not isinstance(episodes, list):
        return
    if not episodes:
        yield Finding(f"`{name}` is empty", at=route, fix=Change(f"leave it out, to {otherwise}", remove=(route,)))
        return
    if any(isinstance(number, bool) or not isinstance(number, int) for number in episodes):
        return
    for index, number in enumerate(episodes):
        if number < 0:
            yield Finding(f"there is no episode {number}: they count from 0", at=f"{route}.{index}")
    once = list(dict.fromkeys(episodes))
    if len(once) < len(episodes):
        first = next(index for index, number in enumerate(episodes) if number in episodes[:index])
        yield Finding(
            f"episode {episodes[first]} is listed twice",
            at=f"{route}.{first}",
            fix=Change("list each episode once", set=((route, once),), safe=True),
        )
