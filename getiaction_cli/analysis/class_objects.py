"""Callbacks, loggers and other objects of a recipe, written as ``{class_path, init_args}``: routes and classes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache

from getiaction.spec.output_arguments import OUTPUT_ARGUMENTS
from getiaction_cli.analysis.image_transforms import class_names, class_routes
from getiaction_cli.analysis.spelling import closest
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import IMAGE_TRANSFORMS, OBJECT_HOMES, TRANSFORMS_HOME
from getiaction_cli.recipe.signatures import exported, provided, read_signature, unfinished

A = {
    "callbacks": "a Lightning callback",
    "logger": "a Lightning logger",
    "profiler": "a Lightning profiler",
    "strategy": "a Lightning strategy",
    "plugins": "a Lightning plugin",
    "accelerator": "a Lightning accelerator",
    "image_transforms": "a torchvision transform",
}
HOMES = {**OBJECT_HOMES, "image_transforms": TRANSFORMS_HOME}


def kind_of(route: str) -> str:
    """The kind of an object, a key of `HOMES`, by its route in the recipe."""
    return "image_transforms" if route.startswith(IMAGE_TRANSFORMS) else route.split(".")[1]


def object_routes(recipe: Recipe) -> Iterator[str]:
    """The routes of all sections with a class path, except the policy and the data."""
    for name in OBJECT_HOMES:
        value = recipe.trainer(name)
        if isinstance(value, list):
            yield from (f"trainer.{name}.{index}" for index, item in enumerate(value) if isinstance(item, dict))
        elif isinstance(value, dict):
            yield f"trainer.{name}"
    yield from class_routes(recipe)


def usable_names(kind: str) -> list[str]:
    """The class names of a kind that a recipe can name, sorted."""
    if kind == "image_transforms":
        return list(class_names())
    module = OBJECT_HOMES[kind]
    return sorted(name for name in exported(module) if not unfinished(f"{module}.{name}"))


@cache
def intended_class(kind: str, path: str) -> tuple[str, bool]:
    """The class path of that kind that was intended (empty if unknown), and whether that is certain."""
    module = HOMES[kind]
    home, _, name = path.rpartition(".")
    inside = home == module or home.startswith(f"{module}.")
    transforms = kind == "image_transforms"
    there = class_names() if transforms else provided(module)
    if inside and name in there and read_signature(path) is not None:
        return path, True
    known = {own: f"{module}.{own}" for own in (there if transforms else exported(module))}
    if transforms:
        near = difflib.get_close_matches(name, known, 1, 0.8)
        return (known[name], True) if name in known else (known[near[0]] if near else "", False)
    if name in known:
        return ("", False) if unfinished(known[name]) else (known[name], True)
    near = [own for own in difflib.get_close_matches(name, known, 3, 0.8) if not unfinished(known[own])]
    return (known[near[0]] if near else ""), False


_LOGGERS = ("CSVLogger", "TensorBoardLogger", "WandbLogger", "MLFlowLogger", "CometLogger")


def required_arguments(class_path: str) -> list[str]:
    """The arguments of a class that a recipe must set: they have no default, and training does not set them."""
    signature = read_signature(class_path) if class_path else None
    given = (OUTPUT_ARGUMENTS.get(class_path.rpartition(".")[2], ("",))[0], "root_dir")
    return [name for name in signature.required if name not in given] if signature else []


def class_called(kind: str, name: str) -> str:
    """The class path of a name without module, such as `wandb` for a logger; empty if it is unknown."""
    home = OBJECT_HOMES[kind]
    candidates = [name, f"{home}.{name.rpartition('.')[2]}"]
    if kind == "logger":
        short = [logger for logger in _LOGGERS if logger.lower().removesuffix("logger") == name.lower()]
        candidates += [f"{home}.{logger}" for logger in short or closest(name, list(_LOGGERS))[:1]]
    return next(
        (path for path in candidates if path.startswith(home) and read_signature(path) and not unfinished(path)), ""
    )
