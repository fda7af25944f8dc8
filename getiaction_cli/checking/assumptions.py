"""Replace rejected values by stand-ins, so that one error does not hide others.

LeRobot does not build a policy from an invalid parameter, and without a policy the recipe can't be checked against its
dataset. So each rejected value is replaced in a copy of the recipe by the fix that is offered for it, or by LeRobot's
default, and the remaining rules run on that copy, an `AssumedCopy`. Further copies have other stand-ins. Findings in
all copies do not depend on the stand-ins; findings in only some of them do, and are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from getiaction_cli.analysis.type_errors import oversized_numbers
from getiaction_cli.analysis.unknown_keys import intended_routes
from getiaction_cli.diagnostics import Assumed, Change, Finding, upwards
from getiaction_cli.policies import PolicyClass, Rejected, Unjudgeable
from getiaction_cli.recipe import ABSENT, Recipe
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules.policy._refused import settle
from getiaction_cli.rules.policy._values import Values

if TYPE_CHECKING:
    from getiaction_cli.checking.recipe_context import RecipeContext

# Stand-in for numbers that are not parameters of the policy (trainer.max_steps) in further copies.
_OTHER_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class AssumedCopy:
    """A copy of a recipe in which rejected values have stand-ins.

    Args:
        context: the copy.
        others: copies with other stand-ins, larger and smaller ones; empty if the stand-ins are certain, or if no other
            value is known.
        assumed: each rejected value and its stand-in.
        is_certain: whether each stand-in is what the author intended.
        changed: further routes that may change when the rejected values are fixed.
    """

    context: RecipeContext
    others: tuple[RecipeContext, ...]
    assumed: tuple[Assumed, ...]
    is_certain: bool
    changed: frozenset[str] = frozenset()

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding is about a rejected value, or its fix changes one: it repeats the rejection."""
        return self._holds(finding.at, *_changed(finding))

    def names(self, finding: Finding) -> bool:
        """Whether a finding names a rejected value as related: it may follow from the stand-in."""
        return self._holds(*(related.at for related in finding.related))

    def _holds(self, *routes: str) -> bool:
        refused = {*(assumed.path for assumed in self.assumed), *self.changed}
        return any(place in refused for route in routes for place in upwards(route))

    @property
    def values(self) -> str:
        """The rejected values as text: "`horizon` and `n_action_steps`"."""
        names = [f"`{assumed.path.rpartition('.')[2]}`" for assumed in self.assumed]
        return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def assumed_copies(context: RecipeContext, wrong: Mapping[str, Finding]) -> tuple[AssumedCopy, ...]:
    """The copies of a recipe for rules that need the policy's configuration, the most similar one first.

    In the first copy, values that can't be read or are wrong on their own have stand-ins; in the second one, values
    that LeRobot rejects in combination with others have stand-ins, too.

    Args:
        context: the recipe.
        wrong: the errors about single values, by route.

    Returns:
        The copies; empty if no value is rejected.
    """
    recipe, policy = context.recipe, context.policy_class
    known = set(policy.parameter_names)
    pretrained = context.pretrained_params()
    moved: dict[str, Any] = {}
    unreadable: dict[str, Any] = {_key(recipe, route): ABSENT for route in oversized_numbers(recipe)}
    for name, route in intended_routes(recipe).items():
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
            AssumedCopy(
                context.copy(recipe.with_values({**moved, **stand_ins})) if stand_ins else context,
                tuple(context.copy(recipe.with_values({**moved, **other})) for other in others),
                tuple(Assumed(route, _as_yaml(policy, route, value)) for route, value in stand_ins.items()),
                not doubtful,
            )
        )
    return tuple(found)


# Values without which there is nothing to check.
_NEEDED = frozenset({"data.init_args.repo_id", "data.init_args.root", "model.init_args.policy_name"})


def copies_without(context: RecipeContext, causes: Sequence[Finding]) -> tuple[AssumedCopy, ...]:
    """A copy of a recipe in which the values of some findings are fixed as they propose, or removed.

    Args:
        context: the recipe.
        causes: the findings.

    Returns:
        The copy; empty if one of the values can't be removed, or is in another file.
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
    return (AssumedCopy(context.copy(recipe.with_values(stand_ins)), (), assumed, False, frozenset(changed)),)


def _offered(finding: Finding | None, route: str, policy: PolicyClass, name: str) -> Any:
    """The value that a finding's fix sets at its own route; `ABSENT` without a readable one."""
    change = finding.fix if finding is not None else None
    offers = dict(change.set) if isinstance(change, Change) else {}
    return offers[route] if route in offers and _reads(policy, name, offers[route]) else ABSENT


def _is_certain(finding: Finding | None) -> bool:
    """Whether the proposed fix is safe: it can't change what the user intended."""
    return finding is not None and isinstance(finding.fix, Change) and finding.fix.safe


def _key(recipe: Recipe, route: str) -> str:
    """The nearest key at or above a route: removing an item of a list would move the others."""
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
    """Other stand-ins that LeRobot accepts together; a stand-in is unchanged if no other value is known.

    Args:
        recipe: the recipe.
        policy: its policy.
        moved: the values with a misspelt key, by their right route.
        stand_ins: the stand-ins to replace.
        doubtful: the routes of the stand-ins that are not certain.
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


def _as_yaml(policy: PolicyClass, route: str, value: Any) -> str:
    """A stand-in as YAML; for a removed parameter its default."""
    if value is not ABSENT:
        return write(value)
    field = policy.fields.get(route.rpartition(".")[2]) if route.startswith("model.") else None
    return write(field.default) if field is not None else ""


def _changed(finding: Finding) -> Iterator[str]:
    """The routes that the fix of a finding changes."""
    if isinstance(finding.fix, Change):
        yield from (route for route, _ in (*finding.fix.set, *finding.fix.rename))
        yield from finding.fix.remove
