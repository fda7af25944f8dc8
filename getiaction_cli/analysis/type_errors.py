"""Find values of the wrong type once; the rule for the kind of mistake reports each of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from getiaction_cli.analysis.recipe_schema import Key, sections
from getiaction_cli.analysis.unknown_keys import policy_of
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.nodes import Node

_VARIABLE = re.compile(r"\$\{[^}]*\}|\$[A-Z_][A-Z0-9_]*\b")
_MAX = 10**12
_MAX_FRAMES = 100_000
# Parameters that count the frames of one sample: LeRobot makes lists of that length.
_FRAMES = ("chunk_size", "horizon", "n_obs_steps", "n_action_steps", "action_chunk_size", "n_action_pred_token")

# Keys that only accept true or false, in torch or in getiaction.
STRICT = frozenset(
    f"trainer.{name}" for name in ("benchmark", "detect_anomaly", "enable_checkpointing", "barebones", "logger")
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A value of the wrong type.

    Args:
        node: the value.
        key: its key in the schema.
        name: the name of the key.
        expected: description of the expected value.
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
            if expected := key.wrong(node.plain()):
                found[section.at(name)] = Mistake(node, key, name, expected)
    return found


@cache
def variables(recipe: Recipe) -> dict[str, str]:
    """Variables as in a shell or Hydra, such as "${HOME}", by route."""
    found = {route: _VARIABLE.search(node.value) for route, node in recipe.walk() if isinstance(node.value, str)}
    return {route: match[0] for route, match in found.items() if match}


@cache
def oversized_numbers(recipe: Recipe) -> dict[str, str]:
    """Numbers that are too large, by route, with the reason. Other rules don't compute with them."""
    found: dict[str, str] = {}
    for route, node in recipe.walk():
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            continue
        if not math.isfinite(node.value) or abs(node.value) > _MAX:
            found[route] = "no number to train with"
        elif route.rpartition(".")[2] in _FRAMES and abs(node.value) > _MAX_FRAMES:
            found[route] = "more frames than an episode has"
    return found
