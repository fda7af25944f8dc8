"""What a rule about parameters works with: the effective value of each, and where it is set."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.policies import PolicyClass, Rejected, Unjudgeable
from getiaction_cli.recipe import Recipe


class Values:
    """The parameters of a policy as LeRobot gets them: the recipe's where it says something, else the defaults."""

    def __init__(self, recipe: Recipe, policy_class: PolicyClass) -> None:
        self.recipe = recipe
        self.policy_class = policy_class
        self.written: dict[str, Any] = {}
        for name, value in recipe.params().items():
            try:
                self.written[name] = policy_class.read_value(name, value)
            except (Rejected, Unjudgeable):
                continue  # the rules about the recipe itself speak of it

    def __contains__(self, name: str) -> bool:
        return name in self.policy_class.parameter_names

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter, or "parameter.key" of one in a mapping; None where the policy has no such value."""
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
        """True when the recipe itself gives this parameter, or "parameter.key" of one."""
        outer, *keys = name.split(".")
        value = self.written.get(outer)
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return outer in self.written

    def at(self, name: str) -> str:
        """The route of a parameter, be it there or not."""
        return self.recipe.param_route(name)

    def first_set(self, *names: str) -> str:
        """The first of these parameters that the recipe gives; the first one where it gives none."""
        return next((name for name in names if self.is_set(name)), names[0])

    def places(self, *names: str) -> tuple[Related, ...]:
        """The parameters of a contradiction that are in the recipe, each with its value."""
        return tuple(Related(f"{name} is {shown(self[name])}", at=self.at(name)) for name in names if self.is_set(name))

    def quoted(self, name: str) -> str:
        """A parameter with its value: "`chunk_size` 10", or "`chunk_size` 100 (the default)"."""
        return f"`{name}` {shown(self[name])}" + ("" if self.is_set(name) else " (the default)")

    def set_to(self, name: str, value: Any, *, safe: bool = False, why: str = "") -> Change:
        """The fix that gives a parameter another value."""
        title = f"set {name} to {shown(value)}" + (f": {why}" if why else "")
        return Change(title, set=((self.at(name), list(value) if isinstance(value, tuple) else value),), safe=safe)


def shown(value: Any) -> str:
    """A value as YAML writes it."""
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
    """A finding about parameters that don't go together: at the first that the recipe gives, the others beside it."""
    first = values.first_set(*names)
    others = [name for name in names if name != first]
    return Finding(message, at=values.at(first), related=values.places(*others), **more)


def divisors(number: int) -> list[int]:
    """All divisors of a positive number, in order."""
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return sorted({*small, *(number // n for n in small)})


def nearest(number: int, candidates: list[int]) -> int:
    """The candidate nearest to a number, the larger of two that are equally near."""
    return min(candidates, key=lambda candidate: (abs(candidate - number), -candidate))
