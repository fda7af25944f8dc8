"""Random changes of training images: LeRobot's fields, or a transform of torchvision (v2) with its arguments."""

import enum
import typing
from collections.abc import Callable, Mapping
from typing import Any

import draccus
import torch
from draccus.utils import ParsingError
from lerobot.transforms import ImageTransforms, ImageTransformsConfig
from torchvision.transforms import v2

from getiaction.class_lookup import check_arguments, example, lookup
from getiaction.errors import DataError, TrainingError
from getiaction.lerobot.configuration import plain
from getiaction.lerobot.errors import first_line

ROUTE = "data.init_args.image_transforms"


def image_transforms(given: Mapping[str, Any] | Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Make the transform of a training image; None for none.

    Args:
        given: fields of LeRobot's `ImageTransformsConfig`; `{class_path, init_args}` of a transform of
            `torchvision.transforms.v2`, whose list `transforms` contains further ones; or a function.

    Raises:
        DataError: the fields, class or arguments are invalid.
    """
    if given is None or callable(given):
        return given
    if "class_path" in given:
        return _built(given, ROUTE)
    try:
        config = draccus.decode(ImageTransformsConfig, {"enable": True, **plain(given)})
    except ParsingError as error:
        raise DataError(f"image_transforms: {first_line(error)}") from error
    if not config.enable:
        return None
    for name, transform in config.tfs.items():
        wanted = getattr(v2, transform.type, None)
        if isinstance(wanted, type) and issubclass(wanted, v2.Transform):
            transform.kwargs = _read(wanted, transform.kwargs, f"{ROUTE}.tfs.{name}.kwargs")
    return ImageTransforms(config)


def _built(section: Any, route: str) -> v2.Transform:
    """Make one transform from {class_path, init_args}."""
    if not isinstance(section, Mapping) or not isinstance(section.get("class_path"), str):
        raise DataError(f"{route} must have a class_path and its init_args", f"as in {example('image_transforms')}")
    arguments = section.get("init_args") or {}
    if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
        raise DataError(f"{route}.init_args is not a mapping of argument names to values")
    try:
        wanted = lookup("image_transforms", section["class_path"], route)
        if wanted is v2.Transform:
            raise DataError(f"{route}.class_path: Transform is the base class of transforms, and does nothing itself")
        check_arguments(wanted, arguments, route)
    except DataError:
        raise
    except TrainingError as error:
        raise DataError(error.message, error.hint) from error
    read = _read(wanted, arguments, f"{route}.init_args")
    if isinstance(read.get("transforms"), list):
        inside = f"{route}.init_args.transforms"
        read["transforms"] = [_built(each, f"{inside}.{i}") for i, each in enumerate(read["transforms"])]
    try:
        return wanted(**read)
    except Exception as error:  # torchvision raises many types for invalid arguments
        raise DataError(f"{route}: {wanted.__name__}: {error}") from error


def _read(wanted: type, arguments: Mapping[str, Any], route: str) -> dict[str, Any]:
    """Convert names in a recipe, such as `bilinear` or `float32`, to the objects that torchvision accepts."""
    hints = typing.get_type_hints(wanted.__init__)  # type: ignore[misc]
    return {
        key: _object(hints.get(key), value, f"{route}.{key}") if isinstance(value, str) else value
        for key, value in arguments.items()
    }


def _object(hint: Any, word: str, route: str) -> Any:
    kinds = typing.get_args(hint) or (hint,)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            name = word.rpartition(".")[2].lower()
            found = next((member for member in kind if name in (member.value, member.name.lower())), None)
            if found is None:
                raise DataError(f"{route} must be one of {', '.join(str(member.value) for member in kind)}; got {word}")
            return found
        if kind is torch.dtype:
            found = getattr(torch, word.removeprefix("torch."), None)
            if not isinstance(found, torch.dtype):
                raise DataError(f"{route} must be float32 or uint8; got {word}")
            return found
    return word
