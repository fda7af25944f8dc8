"""A random transform that changes the size of the training pictures.

## What it finds

A transform of `image_transforms` after which a training picture has a size that differs from the camera's (`Resize`,
`CenterCrop`, `Pad`, `RandomCrop`), has one channel (`Grayscale`), or is not a picture any more (`FiveCrop`).

## Why it matters

`image_transforms` change training pictures only. The policy is built for the camera's size, is validated on it, and
gets it from the robot: a network whose layers depend on the size stops at the first step, and another learns from
pictures that it never sees again. Where only some pictures are changed, they don't fit into one batch. Where the
policy itself resizes what it gets, a changed size that is always the same costs sharpness only.

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
    image_transforms:
      enable: true
      tfs:
        crop: {type: RandomResizedCrop, kwargs: {size: 64}}
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
    image_transforms:
      enable: true
      tfs:
        crop: {type: RandomResizedCrop, kwargs: {size: [96, 96]}}
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.image_transforms import (
    NOT_A_PICTURE,
    ROUTE,
    is_built,
    size_after_all,
    transform_routes,
)
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule

# LeRobot hands pictures out of videos over as whole numbers, and those stored as images as fractions.
_STORED = {"JPEG": "video", "Normalize": "image"}
# The transforms that take a `size` to which a fix can set the camera's.
_SIZED = ("CenterCrop", "RandomCrop", "RandomResizedCrop", "Resize")


@rule("GA355", dataset="pusht", cause=("channels",))
def augmented_size(fit: Fit) -> Iterator[Finding]:
    """Follow the size of each camera's pictures through the transforms."""
    recipe = fit.recipe
    broken = False
    for route in transform_routes(recipe):
        name = str(recipe.get(f"{route}.type"))
        why = NOT_A_PICTURE.get(name, "")
        if name == "Grayscale" and recipe.get(f"{route}.kwargs.num_output_channels", 1) == 1:
            why = "makes pictures of one channel"
        stored = {
            fit.dataset.features[key].dtype for key in fit.dataset.camera_keys if key not in fit.dataset.depth_keys
        }
        if needs := _STORED.get(name, "") if _STORED.get(name, "") not in stored or len(stored) > 1 else "":
            why = f"takes pictures that are stored as {needs} only"
        if why and is_built(recipe, route):
            broken = True
            yield Finding(f"`{name}` {why}", at=f"{route}.type", fix=_without(fit, route))
    if broken:
        return
    sizes = {key: _size(fit, key) for key in fit.dataset.camera_keys if fit.reads(key)}
    first: dict[tuple[int, int], str] = {}
    for key, size in sizes.items():
        if size is not None and key not in fit.dataset.depth_keys:
            first.setdefault(size, key)
    for size, key in first.items():
        after, by = size_after_all(recipe, size)
        if not by:
            continue
        name = str(recipe.get(f"{by}.type"))
        was = f"{size[1]}x{size[0]}"
        if after is None:
            what = f"`{name}` gives training pictures different sizes, which don't fit into one batch"
        else:
            what = f"`{name}` makes training pictures {after[1]}x{after[0]}; validation and the robot have {was}"
        same = len({*sizes.values()}) == 1
        fix = _without(fit, by)
        if name in _SIZED and same:
            fix = Change(f"set its size to [{size[0]}, {size[1]}]", set=((f"{by}.kwargs.size", list(size)),))
        yield Finding(
            what,
            at=f"{by}.kwargs" if recipe.has(f"{by}.kwargs") else f"{by}.type",
            related=(Related(was, file="meta/info.json", key=f"features.{key}.shape"),),
            fix=fix,
            severity=Severity.WARNING if after is not None and not fit.facts.pictures_as_they_come else None,
        )
        return


def _size(fit: Fit, key: str) -> tuple[int, int] | None:
    """(height, width) of a camera."""
    resolution = fit.dataset.features[key].resolution
    return (resolution[1], resolution[0]) if resolution else None


def _without(fit: Fit, route: str) -> Change:
    """Leave the transform out; without any, LeRobot would apply its own ones."""
    last = len(fit.recipe.keys(f"{ROUTE}.tfs")) == 1
    return Change("remove it" if not last else "remove image_transforms", remove=(ROUTE if last else route,))
