"""Parse Python annotations, without evaluating them, to types that a recipe's values can be checked against."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "none": "nothing"}
_NAMES = {
    "int": "int", "float": "float", "bool": "bool", "str": "str", "None": "none", "Path": "str", "PathLike": "str",
    "_PATH": "str", "list": "list", "List": "list", "Sequence": "list", "Iterable": "list", "tuple": "list",
    "Tuple": "list", "set": "list", "dict": "dict", "Dict": "dict", "Mapping": "dict", "Any": "any", "object": "any",
    "Number": "float",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a parameter.

    Args:
        kind: any, int, float, bool, str, none, literal, list, dict, class or union.
        options: of a union, its members; of a list or dict, the type of its items (empty for any).
        values: of a literal, the values.
        length: of a tuple of fixed length, the number of items; None otherwise.
        name: of a class, its name.
    """

    kind: str
    options: tuple[Type, ...] = ()
    values: tuple[Any, ...] = ()
    length: int | None = None
    name: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether a plain value has this type. Lists are accepted for tuples, whole numbers for floats."""
        match self.kind:
            case "any":
                return True
            case "union":
                return any(option.accepts(value) for option in self.options)
            case "none":
                return value is None
            case "bool":
                return isinstance(value, bool)
            case "int":
                return isinstance(value, int) and not isinstance(value, bool)
            case "float":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "str":
                return isinstance(value, str)
            case "literal":
                return any(value == allowed and type(value) is type(allowed) for allowed in self.values)
            case "list":
                if not isinstance(value, list | tuple) or self.length not in (None, len(value)):
                    return False
                if self.length is not None and len(self.options) == self.length:
                    return all(option.accepts(item) for option, item in zip(self.options, value, strict=True))
                return not self.options or all(self.options[0].accepts(item) for item in value)
            case "dict":
                return isinstance(value, dict) and (
                    not self.options or all(map(self.options[0].accepts, value.values()))
                )
        return isinstance(value, dict | str)  # a class: {class_path: …, init_args: …}, or a short name of the class

    def has(self, kind: str) -> bool:
        """Whether values of that kind are accepted."""
        return self.kind == kind or (self.kind == "union" and any(option.has(kind) for option in self.options))

    @property
    def choices(self) -> tuple[Any, ...]:
        """The allowed values of a literal or an optional literal; empty for other types."""
        if self.kind == "literal":
            return self.values
        return tuple(value for option in self.options for value in option.choices) if self.kind == "union" else ()

    def describe(self) -> str:
        """Describe the type for users: "a list of 2 whole numbers", "true or false"."""
        match self.kind:
            case "union":
                simple = [option for option in self.options if option.kind not in ("none", "class")]
                words = [
                    option.describe() for option in simple or self.options if option.kind not in ("none", "literal")
                ]
                if self.choices:
                    words.append("one of " + ", ".join(dict.fromkeys(map(str, self.choices))))
                return " or ".join(dict.fromkeys(words)) or "nothing"
            case "literal":
                return "one of " + ", ".join(str(value) for value in self.values)
            case "list":
                count = f"{self.length} " if self.length is not None else ""
                return f"a list of {count}{_plural(self.options[0])}" if self.options else "a list"
            case "dict":
                return f"a section of {_plural(self.options[0])}" if self.options else "a section"
            case "class":
                if self.name == "timedelta":
                    return "a time, DD:HH:MM:SS"
                return f"{'an' if self.name[:1] in 'AEIO' else 'a'} {self.name} section"
            case "any":
                return "anything"
        return _WORDS[self.kind]


def _plural(kind: Type) -> str:
    words = {
        "int": "whole numbers",
        "float": "numbers",
        "str": "texts",
        "bool": "true/false values",
        "dict": "sections",
    }
    return words.get(kind.kind, "lists" if kind.kind == "list" else "values")


ANY = Type("any")


@cache
def parse_type(annotation: str) -> Type:
    """Parse the text of an annotation; anything unknown is `ANY`, so that no valid value is rejected."""
    try:
        tree = ast.parse(annotation.strip() or "Any", mode="eval").body
    except (SyntaxError, ValueError):
        return ANY
    return from_tree(tree, lambda _: None)


def from_tree(tree: ast.expr, resolve: Callable[[str], Type | None]) -> Type:
    """The type of an annotation's syntax tree; ``resolve`` returns the type of a private alias, or None."""
    if isinstance(tree, ast.Constant):
        if isinstance(tree.value, str):
            return parse_type(tree.value)
        return Type("none") if tree.value is None else ANY
    if isinstance(tree, ast.BinOp):
        return _union([from_tree(tree.left, resolve), from_tree(tree.right, resolve)])
    if isinstance(tree, ast.Subscript):
        return _generic(tree, resolve)
    name = tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else ""
    if kind := _NAMES.get(name):
        return Type(kind)
    if name.startswith("_"):
        return resolve(name) or ANY
    if not name or len(name) == 1:  # a type variable
        return ANY
    return Type("class", name=name)


def _generic(tree: ast.Subscript, resolve: Callable[[str], Type | None]) -> Type:
    outer = tree.value
    name = outer.id if isinstance(outer, ast.Name) else outer.attr if isinstance(outer, ast.Attribute) else ""
    inside = list(tree.slice.elts) if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if name == "Literal":
        values = [item.value for item in inside if isinstance(item, ast.Constant)]
        return Type("literal", values=tuple(values)) if len(values) == len(inside) else ANY
    if name in ("Annotated", "Final", "ClassVar"):
        return from_tree(inside[0], resolve)
    many = bool(inside) and isinstance(inside[-1], ast.Constant) and inside[-1].value is ...
    types = [from_tree(item, resolve) for item in (inside[:-1] if many else inside)]
    if name == "Optional":
        return _union([*types, Type("none")])
    if name == "Union":
        return _union(types)
    kind = _NAMES.get(name)
    if kind == "dict":
        return Type("dict", tuple(types[1:2]))
    if kind == "list":
        if name in ("tuple", "Tuple") and not many:
            return Type("list", tuple(types), length=len(types))
        return Type("list", tuple(types[:1]))
    return Type("class", name=name) if name else ANY


def _union(types: list[Type]) -> Type:
    flat: list[Type] = []
    for kind in types:
        flat += kind.options if kind.kind == "union" else [kind]
    unique = tuple(dict.fromkeys(flat))
    return (
        ANY if any(kind.kind == "any" for kind in unique) else unique[0] if len(unique) == 1 else Type("union", unique)
    )
