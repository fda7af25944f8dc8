"""The one door from a class path that a recipe names to a class: what belongs where, and how it is found.

A name is matched against the one package that provides such things before anything is imported; nothing that a recipe
names is imported otherwise.
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
    """The class of that name among those that belong in that place.

    The name is matched against the place's own package before anything is imported, and the class must be one that the
    package itself provides; no other module is ever imported for a recipe.

    Args:
        place: a key of PLACES.
        class_path: the name, written by anyone.
        route: where it is written, for messages.

    Raises:
        TrainingError: it is not one of these classes.
    """
    package, base = PLACES[place]
    name = class_path.rpartition(".")[2]
    inside = re.fullmatch(re.escape(package) + r"(\.[A-Za-z_]\w*)*\.[A-Za-z]\w*", class_path)
    found = None
    if inside:
        module = import_module(package)
        found = getattr(module, name, None)
        root = getattr(module, base) if base else object
        if not isinstance(found, type) or not issubclass(found, root) or not _is_where(found, class_path, package):
            found = None
    if found is None:
        names = [n for n in getattr(import_module(package), "__all__", ()) if n != base] if inside else []
        hint = closest(name, names) or f"for example {example(place)}"
        raise TrainingError(f"{route}.class_path: {class_path!r} is not a class that belongs here", hint)
    return found


def _is_where(found: type, class_path: str, package: str) -> bool:
    """True for the package, the module that defines the class, and the loaded packages inside that have it."""
    path = class_path.rpartition(".")[0]
    inner = sys.modules.get(path)
    held = hasattr(inner, "__path__") and getattr(inner, found.__name__, None) is found
    return path == package or held or f"{found.__module__}.".startswith(f"{path}.")


def check_arguments(wanted: type, arguments: Mapping[str, Any], route: str) -> None:
    """Compare the names of arguments with those that a class takes.

    Raises:
        TrainingError: it has no such argument.
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
    """A question that names the likeliest of several names; empty when none is near."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else ""


def example(place: str) -> str:
    """A class path that belongs in a place."""
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
