"""Classify unknown keys: renamed, in the wrong section, of another policy, or misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from getiaction_cli import policies
from getiaction_cli.analysis.class_paths import intended_policy
from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.recipe_schema import TOP, Section, home_of, sections
from getiaction_cli.analysis.renamed_keys import COUNTERPARTS, SAME_IDEA, WITHOUT_EFFECT
from getiaction_cli.analysis.spelling import closest
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import IMAGE_TRANSFORMS, WRAPPER

# With more unknown keys, the file is not a recipe; finding similar names for all would take seconds.
_MAX = 30


@dataclass(frozen=True, slots=True)
class Stray:
    """An unknown key.

    Args:
        kind: its classification.
        route: its route.
        key: its name.
        section: the section that does not have this key.
        target: the right route; empty if there is none.
        why: for a renamed key, the reason.
        others: the policies that have a parameter of this name.
        near: keys with a similar spelling, the most similar first.
        sure: whether it is exactly the renamed key, and not one with a similar spelling.
    """

    kind: Literal["renamed", "misplaced", "foreign", "unknown"]
    route: str
    key: str
    section: Section
    target: str = ""
    why: str = ""
    others: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    sure: bool = True


def is_slip(section: Section, key: str) -> bool:
    """Whether a key of a class with **kwargs is evidently misspelt: `savedir` for `save_dir`."""
    slips = {name.replace("_", "").lower() for name in section.keys}
    return key not in section.keys and key.replace("_", "").replace("-", "").lower() in slips


def is_stray(recipe: Recipe, route: str) -> bool:
    """Whether the key at a route is unknown."""
    return any(stray.route == route for stray in _all(recipe))


def strays(recipe: Recipe, kind: str) -> Iterator[Stray]:
    """The unknown keys of one kind."""
    return (stray for stray in _all(recipe) if stray.kind == kind)


@cache
def _all(recipe: Recipe) -> tuple[Stray, ...]:
    policy = policy_of(recipe)
    # GA133 and GA352 report these.
    reported: tuple[str, ...] = () if recipe.uses_wrapper else ("model.init_args.policy_name",)
    rollouts = foreign_evaluation(recipe)
    reported += rollouts.routes if rollouts else ()
    found: list[Stray] = []
    for section in sections(recipe, policy):
        for key in recipe.keys(section.route):
            if section.open and not is_slip(section, key):
                continue
            if (
                key in section.keys
                or section.at(key) in reported
                or (not section.route and key in foreign_sections(recipe))
            ):
                continue
            if len(found) >= _MAX:
                return tuple(found)
            found.append(classify(recipe, policy, section, key))
    return tuple(found)


def intended_params(recipe: Recipe) -> dict[str, object]:
    """The parameters that have a wrong name or are in a wrong section, by their right name.

    With them, other rules check the intended policy, and do not repeat the mistake.
    """
    return {name: recipe.get(route) for name, route in intended_routes(recipe).items()}


def intended_routes(recipe: Recipe) -> dict[str, str]:
    """The actual routes of these parameters, by their right name."""
    meant: dict[str, str] = {}
    for stray in _all(recipe):
        target = stray.target or (stray.section.at(stray.near[0]) if stray.near else "")
        home, _, name = target.rpartition(".")
        if home in ("model.init_args", "model.init_args.config_kwargs") and not recipe.has(target):
            meant[name] = stray.route
    return meant


def policy_of(recipe: Recipe) -> PolicyClass | None:
    """The policy that the recipe names or intends, if it is installed and can be read."""
    name = intended_policy(recipe)
    if name is None:
        return None
    policy = policies.load(name)
    try:
        policy.parameter_names  # noqa: B018 - executes its source
    except policies.Unjudgeable:
        return None
    return policy


def foreign_sections(recipe: Recipe) -> list[str]:
    """The top-level keys of lerobot-train in a configuration for it; empty for any other recipe."""
    keys = recipe.keys("")
    theirs = [name for name in ("policy", "dataset") if name in keys and not recipe.has(f"{name}.class_path")]
    if ("model" in keys and "data" in keys) or not theirs:
        return []
    return [key for key in keys if key not in TOP or key == "seed"]


def classify(recipe: Recipe, policy: PolicyClass | None, section: Section, key: str) -> Stray:
    """Classify an unknown key of a section."""
    route = section.at(key)
    place = "model.init_args" if section.route == "model.init_args.config_kwargs" else section.route
    old = key if (place, key) in COUNTERPARTS else _slip_of_old(place, key, section)
    if old:
        target, why, _ = COUNTERPARTS[place, old]
        if target == "model.init_args.policy_name" and recipe.class_path != WRAPPER:
            return Stray("unknown", route, key, section, why=why)
        return Stray("renamed", route, key, section, target or "", why, sure=old == key)
    homes = [home for home in home_of(recipe, policy, key) if home != route]
    inside = f"{section.route}.init_args"
    # Listing every section takes time in a recipe of 1,000 callbacks: only a key outside of `init_args` needs it.
    outside = section.route.startswith(("trainer.", IMAGE_TRANSFORMS)) and not section.route.endswith(".init_args")
    if outside and any(key in s.keys for s in sections(recipe, policy) if s.route == inside):
        homes = [f"{inside}.{key}"]
    if key in WITHOUT_EFFECT:  # policies also have it, but there it has no effect
        homes = [home for home in homes if not home.startswith("model.")]
    if homes:
        return Stray("misplaced", route, key, section, homes[0])
    if key in WITHOUT_EFFECT:
        return Stray("renamed", route, key, section, why=WITHOUT_EFFECT[key])
    target, why, _ = COUNTERPARTS.get(("", key), ("", "", False))
    if place == "data.init_args" and target and target.startswith("trainer."):
        return Stray("renamed", route, key, section, target, why)
    near = closest(key, section.keys)
    if section.route.startswith("model") and policy is not None and len(key) > 2:
        others = tuple(name for name in policies.names() if name != policy.name and key in parameters_of(name))
        own = _same_idea(recipe, policy, key)
        if others and (not near or difflib.SequenceMatcher(None, key, near[0]).ratio() < 0.9):
            return Stray("foreign", route, key, section, own, others=others, near=near)
        near = tuple(dict.fromkeys([*([own.rpartition(".")[2]] if own else []), *near]))
    return Stray("unknown", route, key, section, near=near)


def _slip_of_old(place: str, key: str, section: Section) -> str:
    """The renamed key with a similar spelling, unless the section has one: "seed_everything" for `seed_everthing`."""
    names = [] if closest(key, section.keys) else [name for home, name in COUNTERPARTS if home == place]
    return next((name for name in closest(key, names) if len(key) > 6), "")


def _same_idea(recipe: Recipe, policy: PolicyClass, key: str) -> str:
    for names in SAME_IDEA:
        if key in names:
            return next((recipe.param_route(name) for name in names if name in policy.parameter_names), "")
    return ""


@cache
def parameters_of(name: str) -> frozenset[str]:
    """The parameters of a policy; empty if its source can't be read."""
    try:
        return frozenset(policies.load(name).parameter_names)
    except policies.Unjudgeable:
        return frozenset()
