"""A dataset that cannot be found.

## What it finds

A `repo_id` or `root` under which there is no dataset: not in the given folder, not in LeRobot's home, not in
the caches, not on the Hub; the address of a dataset's page in place of its id; or a Hub that can't be asked.

## Why it matters

LeRobot falls back to the Hub when anything is missing on this disk, so a wrong `root` ends in a 404 for a
dataset that is right here. The message lists the places that were searched, and the nearest names.

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
    repo_id: lerobot/pushd
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
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.type_errors import variables
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.errors import CliError, DatasetNotFound
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_ID, _ROOT = "data.init_args.repo_id", "data.init_args.root"
_ADDRESS = re.compile(r"(?:https?://)?(?:huggingface\.co|hf\.co)/datasets/([\w.-]+/[\w.-]+?)(?:/.*)?")


@rule("GA142", stops=True)
def dataset_not_found(recipe: Recipe, dataset_or_reason: Any) -> Iterator[Finding]:
    """Report a dataset that could not be located."""
    if address := _ADDRESS.fullmatch(recipe.repo_id or ""):
        fix = Change(f"set it to {address[1]}", set=((_ID, address[1]),), safe=True)
        yield Finding("`repo_id` takes the id of a dataset, not the address of its page", at=_ID, fix=fix)
        return
    if not isinstance(dataset_or_reason, CliError) or {_ID, _ROOT} & set(variables(recipe)):
        return
    first, *rest = dataset_or_reason.message.splitlines()
    places = "; ".join(line.strip(" -") for line in rest)
    message = first if not places else first.replace("; searched:", "") + f": not in {places}"
    at = _ROOT if recipe.root is not None and "root" in first + dataset_or_reason.hint else _ID
    yield Finding(message, at=at, help=dataset_or_reason.hint, fix=_fix(recipe, at, dataset_or_reason))


def _fix(recipe: Recipe, at: str, reason: CliError) -> Change | None:
    """Return a fix with the name in the hint, if it has one."""
    words = reason.hint.removeprefix("did you mean ").removesuffix("?")
    if not isinstance(reason, DatasetNotFound) or words == reason.hint or " or " in words:
        return None
    name = words.removeprefix("root: ")
    return Change(f"set it to {name}", set=((at, name),))
