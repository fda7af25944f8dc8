"""Find class paths that are not allowed in their section, and the intended ones, without importing anything."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from getiaction_cli import policies
from getiaction_cli.analysis.class_objects import (
    HOMES,
    A,
    class_called,
    intended_class,
    kind_of,
    object_routes,
    usable_names,
)
from getiaction_cli.analysis.recipe_schema import is_datamodule
from getiaction_cli.analysis.spelling import closest
from getiaction_cli.recipe import Recipe, read
from getiaction_cli.recipe.layout import DATAMODULE, POLICY_HOME, WRAPPER
from getiaction_cli.recipe.signatures import read_signature
from getiaction_cli.recipe.writing import write

# Policies of some LeRobot version that learn only from interaction.
_NOT_IMITATION = ("sac",)


class Verdict(Enum):
    """Whether an intended class path is known."""

    MEANT = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class WrongClassPath:
    """A class path that is not allowed in its section.

    Args:
        route: its route.
        verdict: whether the intended class path is known.
        message: what is wrong.
        meant: the intended class path.
        certain: whether that is certain.
        works: whether training accepts the class path nevertheless.
        also: further values to set with it.
        help: what to do.
    """

    route: str
    verdict: Verdict
    message: str
    meant: str = ""
    certain: bool = False
    works: bool = False
    also: tuple[tuple[str, str], ...] = ()
    help: str = ""


@cache
def class_paths(recipe: Recipe) -> tuple[WrongClassPath, ...]:
    """The class paths of a recipe that are not allowed in their section."""
    found = [_model(recipe), _data(recipe), *(_object(recipe, route) for route in object_routes(recipe))]
    return tuple(item for item in found if item is not None)


def intended_policy(recipe: Recipe) -> str | None:
    """The policy that a recipe names, or that its author evidently intended; None if it is not installed."""
    name = recipe.policy_name
    if name in policies.names():
        return name
    if recipe.uses_wrapper:
        near = intended_policies(name)[0] if name else ()
        return near[0] if near else None
    found = _model(recipe)
    if found is None or found.verdict is Verdict.REFUSED:
        return None
    if found.also:
        return str(found.also[0][1])
    written = recipe.get("model.init_args.policy_name")
    named = policies.by_class_name(found.meant.rpartition(".")[2])
    return named or (written if isinstance(written, str) and written in policies.names() else None)


def intended_policies(name: str) -> tuple[tuple[str, ...], bool]:
    """The policies with a similar name, and whether they differ only in hyphens and case."""
    plain = name.lower().replace("-", "").replace("_", "").removesuffix("policy")
    same = tuple(own for own in policies.names() if own.replace("_", "") == plain)
    return same or closest(name, policies.names()), bool(same)


def policy_classes() -> dict[str, str]:
    """The policies that have their own class: class name → policy name."""
    return {
        policies.load(name).class_name: name for name in policies.names() if policies.load(name).class_path != WRAPPER
    }


def intended_by(section: str, word: str) -> WrongClassPath | None:
    """The intended class of a section that is written as one word; None if the word is a valid class path.

    Args:
        section: the route of `model`, `data` or an object.
        word: the value of that section.
    """
    tree: dict[str, Any] = {"class_path": word}
    for key in reversed(section.split(".")):
        tree = {key: tree}
    return next(
        (found for found in class_paths(read(text=write(tree))) if found.route == f"{section}.class_path"), None
    )


def _model(recipe: Recipe) -> WrongClassPath | None:
    route, path = "model.class_path", recipe.get("model.class_path")
    if not isinstance(path, str) or not path:
        return None
    home, _, name = path.rpartition(".")
    if path == WRAPPER or (home == POLICY_HOME and policies.by_class_name(name)):
        return None
    classes = policy_classes()
    named = "model.init_args.policy_name"
    if path.lower() in policies.names():  # `class_path: act`
        policy = policies.load(path.lower())
        if policy.class_path == WRAPPER:
            also = ((named, policy.name),)
            return WrongClassPath(route, Verdict.MEANT, f"`{path}` is a policy, not a class", WRAPPER, True, also=also)
        return WrongClassPath(route, Verdict.MEANT, f"`{path}` is a policy, not a class", policy.class_path, True)
    bare = name.removesuffix("Policy").removesuffix("Config")
    for candidate in (name, bare):
        exact = next((own for own in ("LeRobotPolicy", *classes) if own.lower() == candidate.lower()), None)
        if exact:
            meant = f"{POLICY_HOME}.{exact}"
            words = _elsewhere(path, home, POLICY_HOME, "policies")
            works = home.startswith(f"{POLICY_HOME}.") and exact == name and read_signature(path) is not None
            return WrongClassPath(route, Verdict.MEANT, words, meant, True, works)
    near = difflib.get_close_matches(path, [f"{POLICY_HOME}.{own}" for own in ("LeRobotPolicy", *classes)], 1, 0.85)
    if near and closest(name, [near[0].rpartition(".")[2]]):  # a common module path does not make class names similar
        return WrongClassPath(route, Verdict.MEANT, f"there is no class `{path}`", near[0])
    if bare.lower() in _NOT_IMITATION:
        return WrongClassPath(
            route,
            Verdict.REFUSED,
            f"`{path[:80]}` is reinforcement learning, and getiaction trains from demonstrations",
            help="LeRobot's own `python -m lerobot.rl.learner` trains it",
        )
    return WrongClassPath(
        route,
        Verdict.REFUSED,
        f"`{path[:80]}` is not one of getiaction's policies",
        help=f"use one of {POLICY_HOME}: LeRobotPolicy, {', '.join(classes)}",
    )


def _data(recipe: Recipe) -> WrongClassPath | None:
    route, path = "data.class_path", recipe.get("data.class_path")
    if not isinstance(path, str) or not path or path == DATAMODULE:
        return None
    home, own_home = path.rpartition(".")[0], DATAMODULE.rpartition(".")[0]
    if is_datamodule(path):
        return WrongClassPath(
            route, Verdict.MEANT, _elsewhere(path, home, own_home, "the data module"), DATAMODULE, True
        )
    if difflib.SequenceMatcher(None, path, DATAMODULE).ratio() > 0.85:
        return WrongClassPath(route, Verdict.MEANT, f"there is no class `{path}`", DATAMODULE)
    help = f"the data module is {DATAMODULE}"
    return WrongClassPath(route, Verdict.REFUSED, f"`{path[:80]}` is not getiaction's data module", help=help)


def _object(recipe: Recipe, section: str) -> WrongClassPath | None:
    route = f"{section}.class_path"
    path = recipe.get(route)
    if not isinstance(path, str) or not path:
        return None
    kind = kind_of(section)
    own_home, what = HOMES[kind], A[kind]
    meant, certain = intended_class(kind, path)
    if meant == path:
        return None
    if not meant and kind == "logger":  # `wandb`
        meant = class_called(kind, path)
        certain = meant.rpartition(".")[2].lower() == f"{path.lower()}logger"
    if not meant:
        names = ", ".join(usable_names(kind)) if kind == "logger" else ""
        return WrongClassPath(
            route,
            Verdict.REFUSED,
            f"`{path[:80]}` is not {what}",
            help=f"use a class of {own_home}" + (f": {names}" if names else ""),
        )
    home = path.rpartition(".")[0]
    message = _elsewhere(path, home, own_home, what) if certain else f"there is no class `{path}`"
    return WrongClassPath(route, Verdict.MEANT, message, meant, certain)


def _elsewhere(path: str, home: str, own_home: str, what: str) -> str:
    if home == own_home:
        return f"there is no class `{path}`"
    if not home:
        return f"`{path}` is not a full class path"
    return f"`{path}` is not where {what if what.startswith('the') else 'the class'} lives"
