"""Random changes of training images: the transforms in `image_transforms`, and their effect on an image.

The section contains LeRobot's fields, whose transforms are the sections below `tfs`, or one class of torchvision, whose
`init_args.transforms` may contain further ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import IMAGE_TRANSFORMS as ROUTE
from getiaction_cli.recipe.layout import TRANSFORMS_HOME as _TORCHVISION
from getiaction_cli.recipe.signatures import Signature, provided, read_signature

_OWN = "lerobot.transforms.transforms"  # takes precedence over torchvision
_NOT_TRANSFORMS = ("ImageTransforms", "ImageTransformsConfig", "ImageTransformConfig", "RandomSubsetApply", "Transform",
                   "AutoAugmentPolicy", "InterpolationMode", "F", "Any", "Callable", "Sequence")  # fmt: skip


@cache
def transform_names() -> tuple[str, ...]:
    """The classes that a transform's `type` can name; empty if their source can't be read."""
    own, others = provided(_OWN), provided(_TORCHVISION)
    return tuple(sorted({*own, *others} - {*_NOT_TRANSFORMS})) if own and others else ()


def transform_signature(name: str) -> Signature | None:
    """The signature of a transform."""
    return read_signature(f"{_OWN}.{name}") or read_signature(f"{_TORCHVISION}.{name}")


@cache
def class_names() -> tuple[str, ...]:
    """The classes of torchvision that a `class_path` can name."""
    return tuple(sorted({*provided(_TORCHVISION)} - {*_NOT_TRANSFORMS}))


# Names in recipes for arguments that are objects in Python, restricted to those that work for tensors.
_GRID = ("nearest", "bilinear")
_INTERPOLATION = {
    **dict.fromkeys(
        ("RandomResize", "RandomResizedCrop", "RandomShortestSize", "Resize", "ScaleJitter"),
        ("nearest", "nearest-exact", "bilinear", "bicubic"),
    ),
    "ElasticTransform": (*_GRID, "bicubic"),
}
_NUMBERS = {"nearest": 0, "bilinear": 2, "bicubic": 3}
_DTYPES = ("float32", "uint8", "torch.float32", "torch.uint8")


def argument_words(class_path: str, argument: str) -> tuple[Any, ...]:
    """The allowed values of an argument that is an object in Python; empty for arguments with plain values."""
    match argument:
        case "interpolation":
            words = _INTERPOLATION.get(class_path.rpartition(".")[2], _GRID)
            return (*words, *(_NUMBERS[word] for word in words if word in _NUMBERS))
        case "dtype":
            return _DTYPES
        case "policy":
            return ("imagenet", "cifar10", "svhn")
    return ()


def is_class(recipe: Recipe) -> bool:
    """Whether `image_transforms` names a class."""
    return recipe.has(f"{ROUTE}.class_path") or recipe.has(f"{ROUTE}.init_args")


def class_routes(recipe: Recipe, route: str = ROUTE) -> Iterator[str]:
    """The routes of transforms by class path at and below a route, outer ones first."""
    if route == ROUTE and not is_class(recipe):
        return
    yield route
    inside = recipe.get(f"{route}.init_args.transforms")
    for index, item in enumerate(inside if isinstance(inside, list) else ()):
        if isinstance(item, dict) and route.count("transforms.") < _MAX_NESTED:
            yield from class_routes(recipe, f"{route}.init_args.transforms.{index}")


def transform_routes(recipe: Recipe) -> Iterator[str]:
    """The routes of the transforms below LeRobot's `tfs`."""
    for name in recipe.keys(f"{ROUTE}.tfs"):
        if isinstance(recipe.get(f"{ROUTE}.tfs.{name}"), dict):
            yield f"{ROUTE}.tfs.{name}"


def is_built(recipe: Recipe, route: str) -> bool:
    """Whether LeRobot builds this transform: not if its weight is 0, or if transforms are disabled."""
    weight = recipe.get(f"{route}.weight", 1.0)
    return recipe.get(f"{ROUTE}.enable") is not False and (not isinstance(weight, int | float) or weight > 0)


# -- what a transform does to the size of a picture --------------------------------------------------------------------

# torchvision's transforms whose result is not one image with three channels, and why. A test runs all of them.
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
_MAX_TRANSFORMS = 3
_MAX_NESTED = 20
_WRAPPERS = ("Compose", "RandomApply", "RandomChoice", "RandomOrder")

Size = tuple[int, int]


def size_after(name: str, arguments: dict[str, Any], size: Size) -> Size | None:
    """(height, width) of an image of `size` after a transform; None if it differs between images.

    Raises:
        ValueError: the transform does not accept the arguments, which other rules report.
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
    """(height, width) of a training image of `size` after the recipe's transforms, and the route that changes it.

    The size is None if it differs between images: for a random size, or a transform that is not always applied.
    Without a change of size, the route is empty.
    """
    routes = [route for route in transform_routes(recipe) if is_built(recipe, route)]
    if recipe.get(f"{ROUTE}.enable") is False:
        return size, ""
    most = recipe.get(f"{ROUTE}.max_num_transforms", _MAX_TRANSFORMS)
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


# -- what a transform by class path does to a picture ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """The properties of a training image between two transforms.

    Args:
        size: (height, width); None if it differs between images.
        kind: "uint8"; "float" from 0 to 1; "255" for floats from 0 to 255; "0" for floats truncated to 0 and 1; "mixed"
            if it differs between images.
        channels: 3, or 1 after `Grayscale`.
        resized_by: the route of the transform that last changed its size; empty if none did.
        turned_by: the route of the transform that last changed its kind or channels.
    """

    size: Size | None
    kind: str = "uint8"
    channels: int = 3
    resized_by: str = ""
    turned_by: str = ""


@dataclass(slots=True)
class Path:
    """Follows an image through the transforms of a recipe. ``refused``: route of an invalid transform → reason."""

    recipe: Recipe
    refused: dict[str, str] = field(default_factory=dict)

    def after(self, picture: Picture, route: str = ROUTE) -> Picture:
        """The image after the transform at a route."""
        name = str(self.recipe.get(f"{route}.class_path")).rpartition(".")[2]
        arguments = self.recipe.get(f"{route}.init_args")
        arguments = arguments if isinstance(arguments, dict) else {}
        if name in _WRAPPERS:
            return self._wrapped(picture, route, name, arguments)
        if why := self._why_refused(picture, name, arguments):
            self.refused.setdefault(route, why)
            return picture
        if name in ("Grayscale", "RGB"):
            channels = 3 if name == "RGB" else arguments.get("num_output_channels", 1)
            return replace(picture, channels=channels, turned_by=route if channels != 3 else "")
        if name in ("ToDtype", "ConvertImageDtype"):
            scales = name == "ConvertImageDtype" or bool(arguments.get("scale", False))
            kind = _turned(picture.kind, str(arguments.get("dtype", "float32")), scales)
            return replace(picture, kind=kind, turned_by=route if kind in ("0", "255") else "")
        size = _size_after(name, arguments, picture.size)
        return picture if size == picture.size else replace(picture, size=size, resized_by=route)

    def _wrapped(self, picture: Picture, route: str, name: str, arguments: dict[str, Any]) -> Picture:
        items = arguments.get("transforms")
        inside = [f"{route}.init_args.transforms.{i}" for i in range(len(items))] if isinstance(items, list) else []
        if name == "RandomChoice":
            return _either([self.after(picture, each) for each in inside] or [picture], route)
        if name == "RandomApply" and arguments.get("p", 0.5) == 0:
            return picture
        result = self._all(picture, inside)
        if name == "RandomApply" and arguments.get("p", 0.5) != 1:
            return _either([picture, result], route)
        if name == "RandomOrder":
            return _either([result, self._all(picture, inside[::-1])], route)
        return result

    def _all(self, picture: Picture, routes: list[str]) -> Picture:
        for route in routes:
            picture = self.after(picture, route)
        return picture

    @staticmethod
    def _why_refused(picture: Picture, name: str, arguments: dict[str, Any]) -> str:
        if name in NOT_A_PICTURE and name != "ToDtype":
            return NOT_A_PICTURE[name]
        if name == "Normalize":
            if normalizes(arguments):
                return NORMALIZED
            return (
                "takes float32 pictures: put ToDtype before it, or leave it out"
                if picture.kind in ("uint8", "0")
                else ""
            )
        if name == "JPEG" and picture.kind in ("float", "255"):
            return "takes uint8 pictures: put it before the conversion to float32, or leave it out"
        return ""


NORMALIZED = "normalizes training pictures only; the policy normalizes all of its pictures itself"


def normalizes(arguments: Any) -> bool:
    """Whether a `Normalize` with these arguments changes an image."""
    given = arguments if isinstance(arguments, dict) else {}
    return not (set(_items(given.get("mean"))) == {0} and set(_items(given.get("std"))) == {1})


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) and all(isinstance(item, int | float) for item in value) else [value]


def _turned(kind: str, dtype: str, scales: bool) -> str:
    """The kind of an image after a conversion of its dtype."""
    if dtype.removeprefix("torch.") == "float32":
        return {"uint8": "float" if scales else "255", "0": "0", "mixed": "float" if scales else "mixed"}.get(
            kind, kind
        )
    if kind == "mixed":
        return kind
    return {"float": "uint8" if scales else "0", "255": "0" if scales else "uint8"}.get(kind, kind)


def _either(pictures: list[Picture], route: str) -> Picture:
    """The common properties of alternative images after the transform at a route."""
    first = pictures[0]
    for other in pictures[1:]:
        if other.size != first.size:
            first = replace(first, size=None, resized_by=other.resized_by or first.resized_by)
        if other.kind != first.kind:
            first = replace(first, kind="mixed", turned_by=other.turned_by or first.turned_by or route)
        if other.channels != first.channels:
            first = replace(first, channels=1, turned_by=other.turned_by or first.turned_by)
    return first


def _size_after(name: str, arguments: dict[str, Any], size: Size | None) -> Size | None:
    """As `size_after`, for a possibly unknown size; invalid arguments leave it unchanged."""
    try:
        if size is not None:
            return size_after(name, arguments, size)
        whole = name in ("CenterCrop", "RandomResizedCrop") or (name == "Resize" and _is_pair(arguments.get("size")))
        return _pair(arguments.get("size")) if whole else None
    except ValueError:
        return size


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _pair(value: Any) -> Size:
    """A size as in torchvision: one number means a square."""
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
    """As in torchvision: two numbers are the size, one is the shorter side, none is `max_size` for the longer one."""
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
