"""A key that has a different name here.

## What it finds

A key that LeRobot's or Lightning's own command line, or an earlier version of them, uses for something that has another
name in a recipe, or that no longer exists.

## Why it matters

Nothing would read it. The rule names the new key, or what replaces it.

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
    batch_size: 8
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
    train_batch_size: 8
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from getiaction_cli.analysis.migration import is_of_lightning
from getiaction_cli.analysis.renamed_keys import MATCHING_DEFAULTS, counterpart
from getiaction_cli.analysis.unknown_keys import Stray, strays
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.diagnostics.source import COMMAND_LINE
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules import rule


@rule("GA111")
def renamed_key(recipe: Recipe) -> Iterator[Finding]:
    """Report keys with names of other versions or tools."""
    convert = (
        f"`getiaction migrate {shlex.quote(recipe.file)}` converts the whole file" if is_of_lightning(recipe) else ""
    )
    for stray in strays(recipe, "renamed"):
        why = f" ({stray.why})" if stray.why and stray.target else ""
        if stray.target:
            home, _, name = stray.target.rpartition(".")
            where = f"`{name}`" if home == stray.section.route else f"`{stray.target}`"
            message = f"`{stray.key}` is called {where} here{why}"
            if name == stray.key:
                message = f"`{name}` belongs " + (f"under `{home}`" if home else "at the top of the recipe")
        else:
            message = f"there is no `{stray.key}` here: {stray.why}"
        both = bool(stray.target) and recipe.has(stray.target)
        place = recipe.place(stray.route)
        in_file = place is None or place.file != COMMAND_LINE
        yield Finding(
            message,
            at=stray.route,
            on="key",
            related=(Related("and is already set here", at=stray.target, on="key"),) if both else (),
            help=convert if in_file else "",
            fix=_fix(recipe, stray),
        )
        convert = "" if in_file else convert  # already reported


def _fix(recipe: Recipe, stray: Stray) -> Change | None:
    value = recipe.get(stray.route)
    meant = {} if stray.target else counterpart(stray.section.route, stray.key, value)
    if meant and not any(recipe.has(route) for route in meant):
        plain = [
            f"{route}: {write(value)}" if isinstance(value, str | int) else route for route, value in meant.items()
        ]
        return Change(f"write it as {', '.join(plain)}", set=tuple(meant.items()), remove=(stray.route,))
    if value is None:
        return Change(f"remove {stray.key}: it sets nothing", remove=(stray.route,), safe=True)
    if not stray.target or recipe.has(stray.target):
        # The feature is already off by default.
        idle = value is False or MATCHING_DEFAULTS.get((stray.section.route, stray.key)) == value
        return Change(f"remove {stray.key}", remove=(stray.route,), safe=not stray.target and idle)
    if stray.target == "seed" and isinstance(value, bool):
        return Change("remove it: a run without a seed draws one and keeps it", remove=(stray.route,), safe=True)
    home, _, name = stray.target.rpartition(".")
    if home == stray.section.route:
        return Change(f"rename it to {name}", rename=((stray.route, name),), safe=stray.sure)
    return Change(f"move it to {stray.target}", set=((stray.target, value),), remove=(stray.route,))
