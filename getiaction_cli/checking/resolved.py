"""Write a recipe as one file with the origin of every value, for `--print-config` and for a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.recipe_on_dataset import ACTION, DELTAS, INPUTS, RENAMES, REWARD
from getiaction_cli.analysis.renamed_keys import WITHOUT_EFFECT
from getiaction_cli.checking.recipe_context import RecipeContext
from getiaction_cli.control import clean
from getiaction_cli.diagnostics import Unavailable
from getiaction_cli.policies import NOT_PARAMETERS, Unjudgeable, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import DATAMODULE
from getiaction_cli.recipe.nodes import Kind, Node
from getiaction_cli.recipe.recipe import plain_with_numbers_as_keys
from getiaction_cli.recipe.signatures import REQUIRED, read_signature
from getiaction_cli.recipe.writing import write

# Determined elsewhere or by the machine that trains: writing them out would change their meaning.
_LEFT_OUT = frozenset({*WITHOUT_EFFECT, *NOT_PARAMETERS, "device", "push_to_hub"})
_WIDTH = 110
_HEAD = """\
# The resolved recipe: every value, and where it comes from.
# Lightning's defaults hold for each argument of the trainer that is not listed.
"""

# A section, or a value and where it comes from.
Tree = dict[Any, Any]
Leaf = tuple[Any, str]


def resolved(context: RecipeContext) -> str:
    """The text of a recipe with all defaults, including the policy's; it trains like the recipe.

    Values that are unknown before training starts (of a dataset that is not downloaded) are omitted.
    """
    tree = _tree_of(context.recipe.tree)
    for route, value, origin in _defaults(context):
        _add(tree, route, (value, origin))
    if context.recipe.get("seed") is None:
        tree.pop("seed", None)
    seed = "" if "seed" in tree else "seed: null  # drawn when training starts\n"
    return _HEAD + seed + "\n".join(_lines(tree, 0)) + "\n"


def flat(recipe: Recipe) -> str:
    """The text of a recipe in one file, with its bases and overrides, without defaults."""
    return "\n".join(_lines(_tree_of(recipe.tree), 0)) + "\n"


# -- values and their origins ----------------------------------------------------------------------------------------


def _tree_of(node: Node) -> Any:
    """The tree of a located value."""
    if node.kind is Kind.MAP and node.pairs:
        keys = {name: pair.key.value if type(pair.key.value) is int else name for name, pair in node.pairs.items()}
        return {keys[name]: _tree_of(pair.value) for name, pair in node.pairs.items()}
    if node.kind is Kind.LIST and any(item.kind is Kind.MAP for item in node.items):
        return [_tree_of(item) if item.kind is Kind.MAP else _leaf_of(item) for item in node.items]
    return _leaf_of(node)


def _leaf_of(node: Node) -> Leaf:
    return plain_with_numbers_as_keys(node), _origin(node)


def _origin(node: Node) -> str:
    source = node.source
    if source.is_command_line:
        return source.text.partition(" ")[0]
    return f"{source.file}:{source.line_of(node.start)}"


def _defaults(context: RecipeContext) -> Iterator[tuple[str, Any, str]]:
    """The values that the recipe does not set: routes, values and origins."""
    recipe = context.recipe
    for part in (_parameters, _features, _steps):
        try:
            yield from part(context)
        except (Unavailable, Unjudgeable):
            continue
    signature = read_signature(DATAMODULE)
    for parameter in signature.parameters.values() if signature else ():
        route = f"data.init_args.{parameter.name}"
        if parameter.default is not REQUIRED and not recipe.has(route) and route != DELTAS:
            yield route, parameter.default, "getiaction's default"


def _parameters(context: RecipeContext) -> Iterator[tuple[str, Any, str]]:
    recipe, config = context.recipe, context.policy
    given, pretrained = recipe.params(), context.pretrained_params()
    replaced = {"optimizer_lr"} if recipe.get("model.init_args.learning_rate") is not None else set()
    for name in context.policy_class.parameter_names:
        if name in given or name in _LEFT_OUT or name in replaced:
            continue
        value = plain(config.get(name))
        default = plain(context.policy_class.fields[name].default) if name in context.policy_class.fields else value
        origin = "LeRobot's default" if value == default else "LeRobot, from the other values"
        yield recipe.param_route(name), value, "the pretrained policy" if name in pretrained else origin


def _features(context: RecipeContext) -> Iterator[tuple[str, Any, str]]:
    """The features that the policy reads, unless they depend on pretrained weights or renamed keys."""
    recipe = context.recipe
    if not (recipe.has(INPUTS) or recipe.has(RENAMES) or context.checkpoint_or_none):
        yield INPUTS, list(context.fit.policy.input_features), "the dataset"


def _steps(context: RecipeContext) -> Iterator[tuple[str, Any, str]]:
    fit = context.fit
    if context.recipe.has(DELTAS):
        return
    times = {}
    for key in (*context.policy.input_features, ACTION, REWARD):
        steps = fit.expected(key) if key in fit.dataset.features else None
        if steps is not None:
            times[key] = [step / fit.fps for step in steps]
    for key, value in times.items():
        yield f"{DELTAS}.{key}", value, f"the policy's steps at the dataset's {fit.fps:g} fps"


def _add(tree: Tree, route: str, leaf: Leaf) -> None:
    keys = route.split(".")
    if route.startswith(f"{DELTAS}."):  # the rest is a feature's name, which contains dots
        keys = [*DELTAS.split("."), route.removeprefix(f"{DELTAS}.")]
    for key in keys[:-1]:
        if not isinstance(tree.get(key), dict):  # missing, empty or null
            tree[key] = {}
        tree = tree[key]
    tree.setdefault(keys[-1], leaf)


# -- text ------------------------------------------------------------------------------------------------------------


def _lines(tree: Tree, indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, value in tree.items():
        name = f"{pad}{write(key)}:"
        if isinstance(value, dict):
            yield name
            yield from _lines(value, indent + 2)
        elif isinstance(value, list):
            yield name
            for item in value:
                yield from _item(item, indent + 2)
        else:
            yield from _leaf(name, value, pad)


def _item(item: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    if isinstance(item, dict):
        first, *rest = _lines(item, indent + 2)
        yield f"{pad}- {first[indent + 2 :]}"
        yield from rest
    else:
        yield from _leaf(f"{pad}-", item, pad)


def _leaf(name: str, leaf: Leaf, pad: str) -> Iterator[str]:
    value, origin = leaf
    line, comment = f"{name} {write(value)}", f"# {clean(origin)}"
    if len(line) + len(comment) > _WIDTH:
        yield f"{pad}{comment}"
        yield line
    else:
        yield f"{line}  {comment}"
