"""A video decoder that can't be loaded.

## What it finds

`video_backend: torchcodec` on a machine where torchcodec is not installed or finds no FFmpeg libraries, for a dataset
with videos.

## Why it matters

Training stops at the first batch, in a worker: `Could not load libtorchcodec`. Without the line, PyAV decodes, which
brings its own FFmpeg.

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
    video_backend: torchcodec
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
    video_backend: pyav
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import FFMPEG, Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_ROUTE = "data.init_args.video_backend"


@rule("GA506")
def decoder(recipe: Recipe, dataset: Dataset, machine: Machine) -> Iterator[Finding]:
    """Look for torchcodec's libraries if the recipe selects it."""
    if recipe.get(_ROUTE) != "torchcodec" or not dataset.video_keys:
        return
    why = ""
    if "torchcodec" not in machine.packages:
        why = "is not installed"
    elif not any(major in machine.ffmpeg for major in FFMPEG.values()):
        why = f"can't be loaded: none of FFmpeg {min(FFMPEG)} to {max(FFMPEG)} is installed as shared libraries"
    if why:
        yield Finding(
            f"torchcodec {why}",
            at=_ROUTE,
            help="install FFmpeg (`apt install ffmpeg`, `brew install ffmpeg`), or let PyAV decode",
            fix=Change("set video_backend to pyav", set=((_ROUTE, "pyav"),), safe=True),
        )
