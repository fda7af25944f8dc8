"""A time limit that can't be read.

## What it finds

A `trainer.max_time`, or a time that a callback or strategy takes, that is neither `DD:HH:MM:SS` nor a mapping of
`days`, `hours`, `minutes`, `seconds`.

## Why it matters

Lightning refuses to build its trainer.

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
trainer:
  max_steps: 1000
  max_time: 2h
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
trainer:
  max_steps: 1000
  max_time: 00:02:00:00
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.class_objects import object_routes
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

# Routes, and arguments of callbacks and strategies, that accept "DD:HH:MM:SS" or a mapping of units.
_ROUTES = ("trainer.max_time", "trainer.val_check_interval")
_ARGUMENTS = ("duration", "train_time_interval", "timeout")
_UNITS = {"d": 0, "h": 1, "m": 2, "s": 3}
_NAMES = {"days", "hours", "minutes", "seconds", "weeks"}


@rule("GA146", stops=True)
def duration(recipe: Recipe) -> Iterator[Finding]:
    """Read a time as Lightning does."""
    timers = (f"{route}.init_args.{name}" for route in object_routes(recipe) for name in _ARGUMENTS)
    for route in (*_ROUTES, *timers):
        value = recipe.get(route)
        if isinstance(value, str) and not re.fullmatch(r"\d+:\d\d:\d\d:\d\d", value.strip()):
            meant = _in_lightnings_format(value)
            yield Finding(
                f"`{value[:40]}` is not a duration: it is written as days, hours, minutes and seconds, DD:HH:MM:SS",
                at=route,
                fix=Change(f"set it to {meant}", set=((route, meant),), safe=True) if meant else None,
            )
        elif route == _ROUTES[0] and isinstance(value, str) and not re.search("[1-9]", value):
            yield Finding("with a time of 0 nothing is trained", at=route)
        elif isinstance(value, dict):
            yield from _units(route, value)


def _units(route: str, value: dict[str, Any]) -> Iterator[Finding]:
    for name, amount in value.items():
        if name not in _NAMES:
            yield Finding(f"`{name}` is not a unit of time here: {', '.join(sorted(_NAMES))}", at=f"{route}.{name}")
        elif isinstance(amount, bool) or not isinstance(amount, int | float):
            yield Finding(f"`{name}` takes a number", at=f"{route}.{name}")


def _in_lightnings_format(value: str) -> str:
    """Convert "2h" and "90m" to Lightning's format; empty for anything else."""
    match = re.fullmatch(r"\s*(\d+)\s*([dhms])\w*\s*", value.lower())
    if not match:
        return ""
    seconds = int(match[1]) * (86400, 3600, 60, 1)[_UNITS[match[2]]]
    days, rest = divmod(seconds, 86400)
    return f"{days:02}:{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
