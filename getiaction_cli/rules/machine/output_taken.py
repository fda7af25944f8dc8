"""A run folder that is taken, or that can't be made.

## What it finds

An `output_dir` that exists and has something in it, and one that can't be made: a file is in its way, this user may not
write there, or its name is longer than the system allows. The folder of a run that was killed before its first
checkpoint can be used again.

## Why it matters

Nothing is ever overwritten: training refuses to start. Without `output_dir` every run gets a folder of its own.

## Example

```yaml
output_dir: .
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
```
"""

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from getiaction.spec.run_folder import is_startable
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_ROUTE = "output_dir"
_LONGEST_INSIDE = 200  # in bytes: the longest relative path in a run folder, including temporary files


@rule("GA509")
def output_taken(recipe: Recipe) -> Iterator[Finding]:
    """Check the folder, or its nearest existing parent."""
    given = recipe.get(_ROUTE)
    if not isinstance(given, str) or not given or recipe.trainer("fast_dev_run"):
        return
    path = Path(given).expanduser()
    if wrong := _obstacle(path, given):
        yield Finding(
            wrong,
            at=_ROUTE,
            help=f"`getiaction train --resume {shlex.quote(given)}` resumes a run" if _is_run(path) else "",
            fix=Change("remove output_dir: each run gets a folder of its own", remove=(_ROUTE,)),
        )


def _is_run(path: Path) -> bool:
    with suppress(OSError, ValueError):
        files = (path / "recipe.yaml", path / "run.json")
        return (path / "checkpoints").is_dir() and all(file.is_file() for file in files)
    return False


def _obstacle(path: Path, given: str) -> str:
    """Return why a run can't use the folder; empty if it can."""
    with suppress(OSError, ValueError):
        if path.is_dir():
            free = is_startable(path) or not any(path.iterdir())
            return "" if free else f"the output folder {given} exists and is not empty"
        if os.path.lexists(path):
            return f"{given} is a file"
    cannot = f"the output folder {given if len(given) <= 80 else given[:40] + '…'} can't be made"
    if "\0" in given:
        return f"{cannot}: its name has a null character"
    with suppress(OSError, AttributeError):  # Windows has no pathconf
        longest, whole = (os.pathconf("/", name) for name in ("PC_NAME_MAX", "PC_PATH_MAX"))
        if any(len(os.fsencode(name)) > longest for name in path.parts):
            return f"{cannot}: a name has at most {longest:,} bytes here"
        if len(os.fsencode(path.absolute())) > whole - _LONGEST_INSIDE:
            return f"{cannot}: a path has at most {whole:,} bytes here"
    above = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not above.is_dir():
        return f"{cannot}: {above} is a file"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"{cannot}: {above} is not writable"
    return ""
