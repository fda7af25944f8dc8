"""Stand-ins for refused values, so that one refusal does not hide what else is wrong.

LeRobot builds no policy from a refused parameter, and nothing about the recipe on its dataset can be checked without
one. Where values are refused, the fix that is offered for each, or LeRobot's default, takes its place in a copy of the
recipe, and the remaining rules run on that copy: a `World`. Further copies have other stand-ins. What is found in all
of them does not depend on the stand-in; what is found in some does, and is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from getiaction_cli.analysis.type_errors import beyond_reason
from getiaction_cli.analysis.unknown_keys import meant_routes
from getiaction_cli.diagnostics import Assumed, Change, Finding, upwards
from getiaction_cli.policies import PolicyClass, Rejected, Unjudgeable
from getiaction_cli.recipe import ABSENT, Recipe
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules.policy._refused import settle
from getiaction_cli.rules.policy._values import Values

if TYPE_CHECKING:
    from getiaction_cli.checking.recipe_context import RecipeContext

# Replaces a number outside the policy's parameters (trainer.max_steps) in the second copy.
_OTHER_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class World:
    """A copy of a recipe in which refused values have stand-ins.

    Args:
        context: the copy.
        others: copies with other stand-ins, larger and smaller ones; none where what was meant is certain, or where no
            other value is known.
        assumed: each refused value and its stand-in.
        is_certain: each stand-in is what its author meant.
        changed: further routes that may change when the refused values are fixed.
    """

    context: RecipeContext
    others: tuple[RecipeContext, ...]
    assumed: tuple[Assumed, ...]
    is_certain: bool
    changed: frozenset[str] = frozenset()

    def concerns(self, finding: Finding) -> bool:
        """True for a finding at a refused value, or whose fix changes one: it repeats the refusal."""
        return self._holds(finding.at, *_changed(finding))

    def names(self, finding: Finding) -> bool:
        """True for a finding to which a refused value belongs: it may follow from the stand-in."""
        return self._holds(*(related.at for related in finding.related))

    def _holds(self, *routes: str) -> bool:
        refused = {*(assumed.path for assumed in self.assumed), *self.changed}
        return any(place in refused for route in routes for place in upwards(route))

    @property
    def values(self) -> str:
        """The refused values in words: "`horizon` and `n_action_steps`"."""
        names = [f"`{assumed.path.rpartition('.')[2]}`" for assumed in self.assumed]
        return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def worlds(context: RecipeContext, wrong: Mapping[str, Finding]) -> tuple[World, ...]:
    """The copies of a recipe on which the rules run that need the policy's configuration, the nearest to it first.

    In the first copy, values that can't be read, or are wrong on their own, have stand-ins; in the second,
    those that LeRobot refuses beside the others have, too.

    Args:
        context: the recipe.
        wrong: the errors about single values, by route.

    Returns:
        The copies; none where nothing is refused.
    """
    recipe, policy = context.recipe, context.policy_class
    known = set(policy.parameter_names)
    pretrained = context.pretrained_params()
    moved: dict[str, Any] = {}
    unreadable: dict[str, Any] = {_key(recipe, route): ABSENT for route in beyond_reason(recipe)}
    for name, route in meant_routes(recipe).items():
        if name in known and route not in unreadable and _reads(policy, name, recipe.get(route)):
            moved[recipe.param_route(name)] = recipe.get(route)
    for name, value in recipe.params().items():
        route = recipe.param_route(name)
        if name in known and (route in wrong or not _reads(policy, name, value)):
            unreadable[route] = _offered(wrong.get(route), route, policy, name)
    if not unreadable and not isinstance(context.get("configured"), Rejected):
        return ()
    given = recipe.with_values({**moved, **unreadable})
    values = Values(given, policy)
    params = given.params()
    _, accepted = settle(values, pretrained)
    refused = dict(unreadable)
    if accepted is not None:
        refused |= {values.at(name): ABSENT for name in values.written if name not in accepted}
        refused |= {values.at(name): v for name, v in accepted.items() if name not in params or v != params[name]}
    if not refused:
        return ()
    found = []
    for stand_ins in (unreadable, refused) if refused != unreadable else (unreadable,):
        doubtful = [route for route in stand_ins if not _is_certain(wrong.get(route))]
        others = []
        for pick in (0, -1):
            other = _others(recipe, policy, moved, stand_ins, doubtful, pretrained, pick)
            if other != stand_ins and other not in others:
                others.append(other)
        found.append(
            World(
                context.copy(recipe.with_values({**moved, **stand_ins})) if stand_ins else context,
                tuple(context.copy(recipe.with_values({**moved, **other})) for other in others),
                tuple(Assumed(route, _said(policy, route, value)) for route, value in stand_ins.items()),
                not doubtful,
            )
        )
    return tuple(found)


# What stands for the recipe as a whole: there is nothing to check without it.
_NEEDED = frozenset({"data.init_args.repo_id", "data.init_args.root", "model.init_args.policy_name"})


def without(context: RecipeContext, causes: Sequence[Finding]) -> tuple[World, ...]:
    """A copy of a recipe in which what findings are about is fixed as they offer, or left out.

    Args:
        context: the recipe.
        causes: the findings.

    Returns:
        The copy; none where one of them is about what can't be left out, or about another file.
    """
    recipe = context.recipe
    stand_ins: dict[str, Any] = {}
    changed: set[str] = set()
    for finding in causes:
        changed |= {*_changed(finding), *(related.at for related in finding.related)}
        route = _key(recipe, finding.at) if finding.at and recipe.has(finding.at) else ""
        if route.count(".") < 1 or route in _NEEDED or route.endswith(("init_args", "class_path")):
            return ()
        change = finding.fix if isinstance(finding.fix, Change) else Change("")
        stand_ins[route] = dict(change.set).get(route, ABSENT)
    assumed = tuple(Assumed(route, "" if value is ABSENT else write(value)) for route, value in stand_ins.items())
    return (World(context.copy(recipe.with_values(stand_ins)), (), assumed, False, frozenset(changed)),)


def _offered(finding: Finding | None, route: str, policy: PolicyClass, name: str) -> Any:
    """The value that the fix of a finding sets at its own place; `ABSENT` where there is none that can be read."""
    change = finding.fix if finding is not None else None
    offers = dict(change.set) if isinstance(change, Change) else {}
    return offers[route] if route in offers and _reads(policy, name, offers[route]) else ABSENT


def _is_certain(finding: Finding | None) -> bool:
    """True where the offered fix can't change what the user meant."""
    return finding is not None and isinstance(finding.fix, Change) and finding.fix.safe


def _key(recipe: Recipe, route: str) -> str:
    """The nearest key at or above a route: an item of a list can't be left out without moving the others."""
    steps, _ = recipe.follow(route)
    names = [step.name for step in steps[1:]]
    while names and steps[len(names)].pair is None:
        names.pop()
    return ".".join(names)


def _reads(policy: PolicyClass, name: str, value: Any) -> bool:
    try:
        policy.read_value(name, value)
    except (Rejected, Unjudgeable):
        return False
    return True


def _others(
    recipe: Recipe,
    policy: PolicyClass,
    moved: Mapping[str, Any],
    stand_ins: Mapping[str, Any],
    doubtful: list[str],
    pretrained: Mapping[str, Any],
    pick: int,
) -> dict[str, Any]:
    """Other stand-ins, each as far as LeRobot accepts one beside the rest; equal where none is known.

    Args:
        recipe: the recipe.
        policy: its policy.
        moved: the values that are under a wrong name, by their right route.
        stand_ins: those that they differ from.
        doubtful: the routes of the values that may have been meant otherwise.
        pretrained: the parameters that a checkpoint sets.
        pick: which alternative to take: 0 for the first, -1 for the last.
    """
    others = dict(stand_ins)
    for route in doubtful:
        name = route.rpartition(".")[2]
        if name not in policy.parameter_names or not route.startswith("model."):
            if _is_number(recipe.get(route)):
                others[route] = _OTHER_NUMBER
            continue
        for value in list(_alternatives(policy, name, stand_ins[route]))[:: 1 if pick == 0 else -1]:
            params = recipe.with_values({**moved, **others, route: value}).params()
            if _accepts(
                policy, {**pretrained, **{key: params[key] for key in params if key in policy.parameter_names}}
            ):
                others[route] = value
                break
    return others


def _alternatives(policy: PolicyClass, name: str, value: Any) -> Iterator[Any]:
    field = policy.fields[name]
    if value is ABSENT:
        value = field.default
    elif value != field.default:
        yield ABSENT
    yield from (choice for choice in field.choices if choice != value)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (2 * value, value + 1, value // 2, 1)
    elif isinstance(value, float):
        yield from (value * 2, value / 2)


def _accepts(policy: PolicyClass, params: Mapping[str, Any]) -> bool:
    try:
        policy.configure(params)
    except (Rejected, Unjudgeable):
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(policy: PolicyClass, route: str, value: Any) -> str:
    """A stand-in as YAML; the default of a parameter that is left out."""
    if value is not ABSENT:
        return write(value)
    field = policy.fields.get(route.rpartition(".")[2]) if route.startswith("model.") else None
    return write(field.default) if field is not None else ""


def _changed(finding: Finding) -> Iterator[str]:
    """The routes that the fix of a finding changes."""
    if isinstance(finding.fix, Change):
        yield from (route for route, _ in (*finding.fix.set, *finding.fix.rename))
        yield from finding.fix.remove
