"""Resolve the class paths of a recipe, for example of its model or of a callback.

A class path is matched against the one package that provides such classes before anything is imported; nothing else
that a recipe names is ever imported.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from getiaction.errors import TrainingError

# Kind of a section → the package that provides its classes, and their base class.
PLACES = {
    "model": ("getiaction.policies.lerobot", "LeRobotPolicy"),
    "data": ("getiaction.data.lerobot", "LeRobotDataModule"),
    "logger": ("lightning.pytorch.loggers", "Logger"),
    "callbacks": ("lightning.pytorch.callbacks", "Callback"),
    "strategy": ("lightning.pytorch.strategies", "Strategy"),
    "profiler": ("lightning.pytorch.profilers", "Profiler"),
    "accelerator": ("lightning.pytorch.accelerators", "Accelerator"),
    "plugins": ("lightning.pytorch.plugins", ""),
    "image_transforms": ("torchvision.transforms.v2", "Transform"),
}


def lookup(place: str, class_path: str, route: str) -> type:
    """Return the class that a class path names, if it is one that the section accepts.

    The class path is matched against the section's package before anything is imported, and the class must be provided
    by that package; no other module is ever imported for a recipe.

    Args:
        place: a key of PLACES.
        class_path: the class path, which is untrusted.
        route: the section's route in the recipe, for messages.

    Raises:
        TrainingError: the section does not accept this class.
    """
    package, base = PLACES[place]
    name = class_path.rpartition(".")[2]
    inside = re.fullmatch(re.escape(package) + r"(\.[A-Za-z_]\w*)*\.[A-Za-z]\w*", class_path)
    found = None
    if inside:
        module = import_module(package)
        found = getattr(module, name, None)
        root = getattr(module, base) if base else object
        if (
            not isinstance(found, type)
            or not issubclass(found, root)
            or not _is_importable_from(found, class_path, package)
        ):
            found = None
    if found is None:
        names = [n for n in getattr(import_module(package), "__all__", ()) if n != base] if inside else []
        hint = closest(name, names) or f"for example {example(place)}"
        raise TrainingError(f"{route}.class_path: {class_path!r} is not a class that belongs here", hint)
    return found


def _is_importable_from(found: type, class_path: str, package: str) -> bool:
    """Whether a class path names the package, the class's module, or a loaded subpackage that exports the class."""
    path = class_path.rpartition(".")[0]
    inner = sys.modules.get(path)
    held = hasattr(inner, "__path__") and getattr(inner, found.__name__, None) is found
    return path == package or held or f"{found.__module__}.".startswith(f"{path}.")


def check_arguments(wanted: type, arguments: Mapping[str, Any], route: str) -> None:
    """Check that a class accepts arguments with these names.

    Raises:
        TrainingError: the class does not have an argument of that name.
    """
    parameters = inspect.signature(wanted).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in arguments:
        if key not in parameters:
            raise TrainingError(
                f"{route}.init_args.{key}: {wanted.__name__} has no such argument", closest(key, list(parameters))
            )


def closest(name: str, names: list[str]) -> str:
    """A hint with the closest of several names; empty if none is close."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else ""


def example(place: str) -> str:
    """An example of a class path for a key of PLACES."""
    package, _ = PLACES[place]
    name = {
        "model": "ACT",
        "data": "LeRobotDataModule",
        "logger": "TensorBoardLogger",
        "callbacks": "EarlyStopping",
        "strategy": "DDPStrategy",
        "profiler": "SimpleProfiler",
        "accelerator": "CUDAAccelerator",
        "plugins": "MixedPrecision",
        "image_transforms": "ColorJitter",
    }[place]
    return f"{package}.{name}"
