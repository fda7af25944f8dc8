"""What a rule about parameters works with: the effective value of each, and where it is set."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.diagnostics.source import COMMAND_LINE
from getiaction_cli.policies import PolicyClass, Rejected, Unjudgeable
from getiaction_cli.recipe import Recipe


class Values:
    """The parameters of a policy as LeRobot reads them: those of the recipe, else the defaults."""

    def __init__(self, recipe: Recipe, policy_class: PolicyClass) -> None:
        self.recipe = recipe
        self.policy_class = policy_class
        self.written: dict[str, Any] = {}
        for name, value in recipe.params().items():
            try:
                self.written[name] = policy_class.read_value(name, value)
            except (Rejected, Unjudgeable):
                continue  # rules about the recipe itself report it

    def __contains__(self, name: str) -> bool:
        return name in self.policy_class.parameter_names

    def __getitem__(self, name: str) -> Any:
        """Return the value of a parameter, or of "parameter.key" in a mapping; None if the policy has no such value."""
        outer, _, key = name.rpartition(".")
        if outer:
            mapping = self[outer]
            return mapping.get(key) if isinstance(mapping, dict) else None
        if name in self.written:
            return self.written[name]
        field = self.policy_class.config_class.__dataclass_fields__.get(name)
        if field is None:
            return None
        if field.default is not dataclasses.MISSING:
            return field.default
        return field.default_factory() if field.default_factory is not dataclasses.MISSING else None

    def is_set(self, name: str) -> bool:
        """True if the recipe sets this parameter, or "parameter.key"."""
        outer, _, key = name.rpartition(".")
        if not outer:
            return name in self.written
        return self.is_set(outer) and isinstance(mapping := self[outer], dict) and key in mapping

    def at(self, name: str) -> str:
        """Return the path of a parameter in the recipe, even if the recipe does not set it."""
        return self.recipe.param_route(name)

    def first_set(self, *names: str) -> str:
        """Return the first of these parameters that the command line sets, else the recipe, else the first one."""
        given = [name for name in names if self.is_set(name)]
        places = {name: self.recipe.place(self.at(name)) for name in given}
        overridden = (name for name, place in places.items() if place is not None and place.file == COMMAND_LINE)
        return next(overridden, next(iter(given), names[0]))

    def places(self, *names: str) -> tuple[Related, ...]:
        """Return the parameters of a contradiction that the recipe sets, with their values."""
        return tuple(Related(f"{name} is {shown(self[name])}", at=self.at(name)) for name in names if self.is_set(name))

    def quoted(self, name: str) -> str:
        """Format a parameter and its value: "`chunk_size` 10", or "`chunk_size` 100 (the default)"."""
        return f"`{name}` {shown(self[name])}" + ("" if self.is_set(name) else " (the default)")

    def set_to(self, name: str, value: Any, *, safe: bool = False, why: str = "") -> Change:
        """Return a fix that changes the value of a parameter."""
        title = f"set {name} to {shown(value)}" + (f": {why}" if why else "")
        return Change(title, set=((self.at(name), list(value) if isinstance(value, tuple) else value),), safe=safe)


def shown(value: Any) -> str:
    """Format a value as YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    if hasattr(value, "name") and hasattr(value, "value"):
        return str(value.name)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(inner)}" for key, inner in value.items()) + "}"
    return str(value) if value != "" else '""'


def contradiction(values: Values, message: str, *names: str, **more: Any) -> Finding:
    """Report incompatible parameters: at the first that the recipe sets, with the others as related places."""
    first = values.first_set(*names)
    others = [name for name in names if name != first]
    return Finding(message, at=values.at(first), related=values.places(*others), **more)


def divisors(number: int) -> list[int]:
    """Return all divisors of a positive number in ascending order."""
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return sorted({*small, *(number // n for n in small)})


def nearest(number: int, candidates: list[int]) -> int:
    """Return the candidate closest to a number; the larger one of two with the same distance."""
    return min(candidates, key=lambda candidate: (abs(candidate - number), -candidate))
