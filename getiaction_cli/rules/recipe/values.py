"""Values that are not what their key takes; found once, told by the rule whose kind of mistake it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.nodes import Node
from getiaction_cli.rules.recipe.expected import Key, sections
from getiaction_cli.rules.recipe.strays import policy_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """A value of the wrong type.

    Args:
        node: the value.
        key: what its key takes.
        name: the key.
        expected: what it takes, in words.
    """

    node: Node
    key: Key
    name: str
    expected: str


@cache
def mistaken(recipe: Recipe) -> dict[str, Mistake]:
    """The values of known keys that are of the wrong type, by route."""
    found: dict[str, Mistake] = {}
    for section in sections(recipe, policy_of(recipe)):
        for name in recipe.keys(section.route):
            key, node = section.keys.get(name), recipe.node(section.at(name))
            if key is None or node is None:
                continue
            if expected := key.wrong(value_of(node)):
                found[section.at(name)] = Mistake(node, key, name, expected)
    return found


def value_of(node: Node) -> Any:
    """The plain value of a node."""
    return node.plain()
