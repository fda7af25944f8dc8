"""Values that are not what their key takes; found once, told by the rule whose kind of mistake it is."""

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
# Parameters that count the frames of one sample: LeRobot writes a list of as many.
_FRAMES = ("chunk_size", "horizon", "n_obs_steps", "n_action_steps", "action_chunk_size", "n_action_pred_token")

# Here only true or false is taken: by torch, and where getiaction refuses one of the two.
STRICT = frozenset(
    f"trainer.{name}" for name in ("benchmark", "detect_anomaly", "enable_checkpointing", "barebones", "logger")
)


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
            if expected := key.wrong(node.plain()):
                found[section.at(name)] = Mistake(node, key, name, expected)
    return found


@cache
def variables(recipe: Recipe) -> dict[str, str]:
    """Words that ask for a variable, as a shell or Hydra would fill it in, by route: "${HOME}"."""
    found = {route: _VARIABLE.search(node.value) for route, node in recipe.walk() if isinstance(node.value, str)}
    return {route: match[0] for route, match in found.items() if match}


@cache
def oversized_numbers(recipe: Recipe) -> dict[str, str]:
    """Numbers that make no sense, by route, with the reason. No other rule does arithmetic with them."""
    found: dict[str, str] = {}
    for route, node in recipe.walk():
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            continue
        if not math.isfinite(node.value) or abs(node.value) > _MAX:
            found[route] = "no number to train with"
        elif route.rpartition(".")[2] in _FRAMES and abs(node.value) > _MAX_FRAMES:
            found[route] = "more frames than an episode has"
    return found
