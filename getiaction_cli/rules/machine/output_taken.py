"""A run folder that is taken.

## What it finds

An `output_dir` that exists and has something in it. The folder of a run that was killed before its first checkpoint can
be used again.

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

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from getiaction.spec.run_folder import is_startable
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_ROUTE = "output_dir"


@rule("GA509")
def output_taken(recipe: Recipe) -> Iterator[Finding]:
    """Look into the folder."""
    said = recipe.get(_ROUTE)
    if not isinstance(said, str) or not said or recipe.trainer("fast_dev_run"):
        return
    with suppress(OSError, ValueError):
        path = Path(said).expanduser()
        if path.is_dir() and is_startable(path):
            return
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            yield Finding(
                f"the output folder {said} exists and is not empty" if path.is_dir() else f"{said} is a file",
                at=_ROUTE,
                help=f"`getiaction train --resume {said}` resumes a run"
                if (path / "checkpoints").is_dir()
                and (path / "recipe.yaml").is_file()
                and (path / "run.json").is_file()
                else "",
                fix=Change("remove output_dir: each run gets a folder of its own", remove=(_ROUTE,)),
            )
