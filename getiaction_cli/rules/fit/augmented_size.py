"""A random transform that changes the size of the training pictures.

## What it finds

A transform of `image_transforms` after which a training picture has a size that differs from the camera's (`Resize`,
`CenterCrop`, `Pad`, `RandomCrop`), has one channel (`Grayscale`), has values that the policy does not expect
(`Normalize`, `ToDtype` without `scale`), or is not a picture any more (`FiveCrop`).

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
    NORMALIZED,
    NOT_A_PICTURE,
    ROUTE,
    Path,
    Picture,
    Size,
    is_built,
    is_class,
    normalizes,
    size_after_all,
    transform_routes,
)
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule

# Transforms with a `size`, which a fix can set to the size of the camera.
_SIZED = ("CenterCrop", "RandomCrop", "RandomResizedCrop", "Resize")


_ONE_CHANNEL = "makes pictures of one channel"
_VALUES = {
    "255": "without `scale: true` gives numbers from 0 to 255, and the policy expects 0 to 1",
    "0": "rounds numbers from 0 to 1 to whole ones, so that pictures are black",
    "mixed": "gives numbers from 0 to 255 for some pictures and from 0 to 1 for others, which don't fit into one batch",
}


@rule("GA355", dataset="pusht", cause=("channels",))
def augmented_size(fit: Fit) -> Iterator[Finding]:
    """Track the image shape of each camera through the transforms."""
    found = list(_refused_classes(fit) if is_class(fit.recipe) else _refused_fields(fit))
    yield from found or _resized(fit)


def _refused_fields(fit: Fit) -> Iterator[Finding]:
    """Check the transforms of LeRobot's configuration fields."""
    recipe = fit.recipe
    for route in transform_routes(recipe):
        name, arguments = str(recipe.get(f"{route}.type")), recipe.get(f"{route}.kwargs")
        why = NOT_A_PICTURE.get(name, "")
        if name == "Grayscale" and recipe.get(f"{route}.kwargs.num_output_channels", 1) == 1:
            why = _ONE_CHANNEL
        if name == "Normalize" and normalizes(arguments):
            why = NORMALIZED
        if name == "JPEG" and any(dtype != "video" for dtype, _ in _cameras(fit)):
            why = "takes pictures that are stored as video only"
        if why and is_built(recipe, route):
            yield Finding(f"`{name}` {why}", at=f"{route}.type", fix=_without(fit, route))


def _refused_classes(fit: Fit) -> Iterator[Finding]:
    """Check the transforms with a class path."""
    path = Path(fit.recipe)
    for dtype, size in _cameras(fit):
        # LeRobot returns video frames as integers, and stored images as floats.
        last = path.after(Picture(size, "uint8" if dtype == "video" else "float"))
        if last.channels != 3:
            path.refused.setdefault(last.turned_by, _ONE_CHANNEL)
        elif last.kind in _VALUES:
            path.refused.setdefault(last.turned_by, _VALUES[last.kind])
    for route, why in path.refused.items():
        name = str(fit.recipe.get(f"{route}.class_path")).rpartition(".")[2]
        fix = _without(fit, route)
        if why in (_VALUES["0"], _VALUES["255"]):
            fix = Change("set scale to true", set=((f"{route}.init_args.scale", True),))
        yield Finding(f"`{name}` {why}", at=f"{route}.class_path", fix=fix)


def _cameras(fit: Fit) -> list[tuple[str, Size | None]]:
    """Yield how each colour camera is stored, and its (height, width)."""
    colours = (key for key in fit.dataset.camera_keys if key not in fit.dataset.depth_keys)
    return [(fit.dataset.features[key].dtype, _size(fit, key)) for key in colours]


def _resized(fit: Fit) -> Iterator[Finding]:
    """Return the first camera whose image size changes."""
    recipe = fit.recipe
    by_class = is_class(recipe)
    named, arguments = ("class_path", "init_args") if by_class else ("type", "kwargs")
    first: dict[Size, str] = {}
    for key in fit.dataset.camera_keys:
        size = _size(fit, key)
        if size is not None and fit.reads(key) and key not in fit.dataset.depth_keys:
            first.setdefault(size, key)
    for size, key in first.items():
        if by_class:
            last = Path(recipe).after(Picture(size))
            after, by = last.size, last.resized_by if last.size != size else ""
        else:
            after, by = size_after_all(recipe, size)
        if not by:
            continue
        name = str(recipe.get(f"{by}.{named}")).rpartition(".")[2]
        was = f"{size[1]}x{size[0]}"
        if after is None:
            what = f"`{name}` gives training pictures different sizes, which don't fit into one batch"
        else:
            what = f"`{name}` makes training pictures {after[1]}x{after[0]}; validation and the robot have {was}"
        same = len({_size(fit, key) for key in fit.dataset.camera_keys if fit.reads(key)}) == 1
        fix = _without(fit, by)
        if name in _SIZED and same:
            fix = Change(f"set its size to [{size[0]}, {size[1]}]", set=((f"{by}.{arguments}.size", list(size)),))
        yield Finding(
            what,
            at=f"{by}.{arguments}" if recipe.has(f"{by}.{arguments}") else f"{by}.{named}",
            related=(Related(was, file="meta/info.json", key=f"features.{key}.shape"),),
            fix=fix,
            severity=Severity.WARNING if after is not None and not fit.facts.pictures_as_they_come else None,
        )
        return


def _size(fit: Fit, key: str) -> Size | None:
    """Return the (height, width) of a camera."""
    resolution = fit.dataset.features[key].resolution
    return (resolution[1], resolution[0]) if resolution else None


def _without(fit: Fit, route: str) -> Change:
    """Return a fix that removes the transform, or the whole section if it is the only one: LeRobot has defaults."""
    around = route.rpartition(".")[0]
    if is_class(fit.recipe):
        while route != ROUTE and len(fit.recipe.get(around) or ()) == 1:
            route = around.removesuffix(".init_args.transforms")
            around = route.rpartition(".")[0]
    elif len(fit.recipe.keys(f"{ROUTE}.tfs")) == 1:
        route = ROUTE
    return Change("remove it" if route != ROUTE else "remove image_transforms", remove=(route,))
