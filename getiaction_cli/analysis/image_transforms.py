"""Random changes of the training pictures: the sections below `image_transforms.tfs`, as LeRobot reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.signatures import Signature, provided, read_signature

ROUTE = "data.init_args.image_transforms"
# LeRobot's own are looked for first.
_OWN, _TORCHVISION = "lerobot.transforms.transforms", "torchvision.transforms.v2"
_NOT_TRANSFORMS = ("ImageTransforms", "ImageTransformsConfig", "ImageTransformConfig", "RandomSubsetApply", "Transform",
                   "AutoAugmentPolicy", "InterpolationMode", "F", "Any", "Callable", "Sequence")  # fmt: skip


@cache
def transform_names() -> tuple[str, ...]:
    """The classes that a transform's `type` can name; empty where their source can't be read."""
    own, others = provided(_OWN), provided(_TORCHVISION)
    return tuple(sorted({*own, *others} - {*_NOT_TRANSFORMS})) if own and others else ()


def transform_signature(name: str) -> Signature | None:
    """What a transform takes."""
    return read_signature(f"{_OWN}.{name}") or read_signature(f"{_TORCHVISION}.{name}")


def transform_routes(recipe: Recipe) -> Iterator[str]:
    """The transforms of a recipe that are written as sections."""
    for name in recipe.keys(f"{ROUTE}.tfs"):
        if isinstance(recipe.get(f"{ROUTE}.tfs.{name}"), dict):
            yield f"{ROUTE}.tfs.{name}"


def is_built(recipe: Recipe, route: str) -> bool:
    """True when LeRobot makes this transform: one of no weight is passed over, and so are all when none is wanted."""
    weight = recipe.get(f"{route}.weight", 1.0)
    return recipe.get(f"{ROUTE}.enable") is not False and (not isinstance(weight, int | float) or weight > 0)


# -- what a transform does to the size of a picture --------------------------------------------------------------------

# torchvision's transforms whose result is not one picture of three channels, and why. A test runs all of them.
NOT_A_PICTURE = {
    **dict.fromkeys(("FiveCrop", "TenCrop"), "makes several pictures of one"),
    "ToPILImage": "makes something that is not a tensor",
    **dict.fromkeys(("CutMix", "MixUp"), "needs class labels"),
    **dict.fromkeys(("RandomIoUCrop", "SanitizeBoundingBoxes"), "needs bounding boxes"),
    "SanitizeKeyPoints": "needs key points",
    "UniformTemporalSubsample": "takes videos, not pictures",
    **dict.fromkeys(
        ("Compose", "Lambda", "LinearTransformation", "RandomApply", "RandomChoice", "RandomOrder", "ToDtype"),
        "takes Python objects, which a recipe can't contain",
    ),
}
_TO_A_SIZE = ("CenterCrop", "RandomCrop", "RandomResizedCrop")
_TO_ANY_SIZE = ("RandomResize", "RandomShortestSize", "RandomZoomOut", "ScaleJitter")
_MOST_TRANSFORMS = 3

Size = tuple[int, int]


def size_after(name: str, arguments: dict[str, Any], size: Size) -> Size | None:
    """(height, width) of a picture of `size` after a transform; None where it differs from one picture to the next.

    Raises:
        ValueError: the arguments are not ones that the transform takes; other rules report that.
    """
    if name in _TO_ANY_SIZE or (name == "RandomRotation" and arguments.get("expand")):
        return None
    if name in _TO_A_SIZE:
        height, width = _pair(arguments.get("size"))
        padded = arguments.get("padding") or arguments.get("pad_if_needed")
        if name == "RandomCrop" and not padded and (height > size[0] or width > size[1]):
            return None  # torchvision refuses it
        return height, width
    if name == "Pad":
        left, top, right, bottom = _sides(arguments.get("padding"))
        return size[0] + top + bottom, size[1] + left + right
    if name == "Resize":
        return _resized(arguments.get("size"), arguments.get("max_size"), size)
    return size


def size_after_all(recipe: Recipe, size: Size) -> tuple[Size | None, str]:
    """(height, width) of a training picture of `size` after the recipe's transforms, and the route of what changes it.

    The size is None where it differs from one picture to the next: a random size, or a transform that only some
    pictures get. Without a change of size, the route is empty.
    """
    routes = [route for route in transform_routes(recipe) if is_built(recipe, route)]
    if recipe.get(f"{ROUTE}.enable") is False:
        return size, ""
    most = recipe.get(f"{ROUTE}.max_num_transforms", _MOST_TRANSFORMS)
    all_of_them = isinstance(most, int) and most >= len(routes)
    any_order = bool(recipe.get(f"{ROUTE}.random_order", False))
    now, changed_by = size, ""
    for route in routes:
        arguments = recipe.get(f"{route}.kwargs")
        try:
            after = size_after(str(recipe.get(f"{route}.type")), arguments if isinstance(arguments, dict) else {}, now)
        except ValueError:
            continue
        if after != now:
            changed_by = route
            if after is None or not all_of_them or (any_order and now != size):
                return None, route
            now = after
    return now, changed_by if now != size else ""


def _pair(value: Any) -> Size:
    """A size as torchvision reads it: a number is a square."""
    numbers = value if isinstance(value, list | tuple) else [value]
    if len(numbers) not in (1, 2) or not all(type(n) is int and n > 0 for n in numbers):
        raise ValueError(value)
    return numbers[0], numbers[-1]


def _sides(value: Any) -> tuple[int, int, int, int]:
    """A padding as (left, top, right, bottom)."""
    numbers = value if isinstance(value, list | tuple) else [value]
    if len(numbers) not in (1, 2, 4) or not all(type(n) is int for n in numbers):
        raise ValueError(value)
    whole = numbers * (4 // len(numbers))
    return whole[0], whole[1], whole[2], whole[3]


def _resized(value: Any, longest: Any, size: Size) -> Size:
    """torchvision's rule: two numbers are the size, one is the shorter side, none is `max_size` for the longer one."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return _pair(value)
    short, long = min(size), max(size)
    if value is None:
        if type(longest) is not int:
            raise ValueError(longest)
        new_long, new_short = longest, int(longest * short / long)
    else:
        new_short, _ = _pair(value)
        new_long = int(new_short * long / short)
        if type(longest) is int and new_long > longest:
            new_short, new_long = int(longest * new_short / new_long), longest
    return (new_short, new_long) if size[0] <= size[1] else (new_long, new_short)
