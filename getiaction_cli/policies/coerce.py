"""Convert plain YAML values to the types of a configuration class, as draccus does when LeRobot reads its own YAML.

A list becomes a tuple, text an enum member, a mapping a nested dataclass. It is stricter than draccus in three cases
that can't be intended: null for a number, true/false for a number or a text, and a text for a list (draccus reads "84"
as the pair ("8", "4")).
"""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from pathlib import Path
from typing import Any


class WrongType(Exception):  # noqa: N818 - becomes a Rejected with its field
    """A value can't be converted to the type of its field. ``path``: the keys inside the value that lead to it."""

    def __init__(self, expected: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.path = path


def coerce(hint: Any, value: Any, path: tuple[str, ...] = ()) -> Any:
    """Convert ``value`` to the type ``hint``.

    Raises:
        WrongType: it can't be converted; has a description of the expected type.
    """
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _union(hint, value, path)
    if origin is typing.Literal:
        if value in typing.get_args(hint):
            return value
        raise WrongType(describe(hint), path)
    kind = origin or hint
    if isinstance(kind, type):
        if issubclass(kind, enum.Enum):
            return _enum(kind, value, path)
        if kind in (bool, int, float, str) or issubclass(kind, Path):
            return _scalar(kind, value, path)
        if dataclasses.is_dataclass(kind):
            return _dataclass(kind, value, path)
        if issubclass(kind, (tuple, list, set)):
            return _sequence(kind, hint, value, path)
        if issubclass(kind, dict):
            return _dict(hint, value, path)
    return value


_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "null",
    dict: "a mapping",
}


def describe(hint: Any) -> str:
    """Describe a type for users: "a whole number", "a list of 2 whole numbers", "null or a text"."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is typing.Literal:
        return "one of " + ", ".join(map(str, arguments))
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return "one of " + ", ".join(member.name for member in kind)
    if isinstance(kind, type) and issubclass(kind, Path):
        return "a path"
    if kind in (tuple, list, set):
        if kind is tuple and arguments and arguments[-1] is not Ellipsis:
            return f"a list of {len(arguments)} {_plural(arguments[0])}"
        return f"a list of {_plural(arguments[0])}" if arguments else "a list"
    if dataclasses.is_dataclass(kind):
        return f"a mapping ({', '.join(field.name for field in dataclasses.fields(kind))})"
    return "a value"


def _plural(hint: Any) -> str:
    word = describe(hint)
    for one, many in (("a whole number", "whole numbers"), ("a number", "numbers"), ("a text", "texts")):
        word = many if word == one else word
    return word


def _union(hint: Any, value: Any, path: tuple[str, ...]) -> Any:
    choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
    if value is None and len(choices) < len(typing.get_args(hint)):
        return None
    # The exact type first, so that 1 stays an int if float is allowed, too.
    choices.sort(key=lambda choice: type(value) is not choice)
    failures: list[WrongType] = []
    for choice in choices:
        try:
            return coerce(choice, value, path)
        except WrongType as failure:
            failures.append(failure)
    if len(failures) == 1 and failures[0].path != path:
        raise failures[0]
    raise WrongType(describe(hint), path)


def _enum(kind: type[enum.Enum], value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise WrongType(describe(kind), path) from None


def _scalar(kind: Any, value: Any, path: tuple[str, ...]) -> Any:
    wrong = WrongType(describe(kind), path)
    if kind is bool:
        known = {"true": True, "false": False}
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in known:
            return known[value]
        raise wrong
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Path)):
        raise wrong
    if kind is int and isinstance(value, float):
        raise wrong
    if issubclass(kind, Path) and not isinstance(value, (str, Path)):
        raise wrong
    try:
        return kind(value)
    except (ValueError, OverflowError):
        raise wrong from None


def _dataclass(kind: Any, value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, dict):
        raise WrongType(describe(kind), path)
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            raise WrongType(f"one of {', '.join(hints)}", (*path, str(key)))
    return kind(**{key: coerce(hints[key], inner, (*path, key)) for key, inner in value.items()})


def _sequence(kind: Any, hint: Any, value: Any, path: tuple[str, ...]) -> Any:
    wrong = WrongType(describe(hint), path)
    if not isinstance(value, (list, tuple)):
        raise wrong
    arguments = typing.get_args(hint)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise wrong
        types_of = list(arguments)
    else:
        types_of = [arguments[0] if arguments else Any] * len(value)
    try:
        return kind(
            coerce(inner, item, (*path, str(i))) for i, (inner, item) in enumerate(zip(types_of, value, strict=True))
        )
    except WrongType:
        raise wrong from None


def _dict(hint: Any, value: Any, path: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        raise WrongType(describe(hint), path)
    arguments = typing.get_args(hint) or (Any, Any)
    return {
        coerce(arguments[0], key, path): coerce(arguments[1], inner, (*path, str(key))) for key, inner in value.items()
    }


def same(left: Any, right: Any) -> bool:
    """Whether values are equal; lists equal tuples, nested configurations compare by field, NaN equals NaN."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if dataclasses.is_dataclass(left) and type(left) is type(right):
        return all(same(getattr(left, field.name), getattr(right, field.name)) for field in dataclasses.fields(left))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left) and math.isnan(right):
        return True
    return (type(left) in (bool, type(None)) and left is right) or left == right
