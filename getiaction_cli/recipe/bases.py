"""Merge recipes in several files: the `base:` of a recipe, and several `--config`.

Later files override earlier ones as in LightningCLI: sections are merged key by key, lists and values are replaced. The
bases of a recipe come before the recipe itself, in the order in which it names them. A file that names another class
for a section drops the arguments of the earlier class.

Recipes are untrusted, so a base must be a regular YAML file of at most a megabyte, named by a relative path.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from getiaction_cli.diagnostics import Finding
from getiaction_cli.errors import RecipeNotFound
from getiaction_cli.recipe.classes import drop_outdated_arguments
from getiaction_cli.recipe.nodes import Found, Kind, Node
from getiaction_cli.recipe.recipe import Recipe

BASE = "base"
BASE_PROBLEM = "GA156"
SUFFIXES = (".yaml", ".yml")
_MAX_FILES = 32


def with_bases(recipe: Recipe, read_one: Callable[[str], Recipe]) -> list[Recipe]:
    """The bases of a recipe and the recipe itself, in order of increasing priority, not merged.

    Args:
        recipe: the recipe.
        read_one: reads one file without its bases.

    Returns:
        The files. An invalid `base:` is a finding in its file, which is marked as broken.
    """
    return _Bases(read_one).of(recipe, (_identity(recipe.file),))


class _Bases:
    def __init__(self, read_one: Callable[[str], Recipe]) -> None:
        self.read_one = read_one
        self.count = 1

    def of(self, recipe: Recipe, above: tuple[str, ...]) -> list[Recipe]:
        pair = recipe.tree.pairs.get(BASE)
        if pair is None:
            return [recipe]
        own = recipe.source, _without_base(recipe.tree)
        files: list[Recipe] = []
        found: list[Found] = []
        for node in pair.value.items if pair.value.kind is Kind.LIST else [pair.value]:
            base = self._read(recipe, node, above)
            if isinstance(base, Finding):
                start, end = (node.start, node.end) if node.end > node.start else (pair.key.start, pair.key.end)
                found.append((BASE_PROBLEM, replace(base, at=BASE, span=recipe.source.span(start, end))))
            else:
                files += self.of(base, (*above, _identity(base.file)))
        # The content of an unreadable base is unknown, so missing keys prove nothing.
        broken = recipe.broken | ({"*"} if found else set())
        return [*files, Recipe(*own, (*recipe.findings, *found), broken)]

    def _read(self, recipe: Recipe, node: Node, above: tuple[str, ...]) -> Recipe | Finding:
        """Read the recipe that an entry names; return a finding if it is invalid."""
        if node.kind is not Kind.SCALAR or not isinstance(node.value, str) or not node.value.strip():
            return Finding("`base` takes the path of a recipe, or a list of them")
        name = node.value
        if Path(name).is_absolute() or name.startswith("~") or "\\" in name or not name.isprintable():
            return Finding(f"`{name[:80]}` must be a path relative to {recipe.file}")
        if not name.endswith(SUFFIXES):
            return Finding(f"`{name[:80]}` is not a .yaml file")
        self.count += 1
        if self.count > _MAX_FILES:
            return Finding(f"a recipe has at most {_MAX_FILES} files, counting those that its bases name")
        file = os.path.normpath(Path(recipe.file).parent / name)
        if _identity(file) in above:
            way = " → ".join([*(Path(other).name for other in above[above.index(_identity(file)) :]), Path(file).name])
            return Finding(f"`{name}` includes itself: {way}")
        try:
            return self.read_one(file)
        except RecipeNotFound as error:
            return Finding(error.message, help=error.hint or "")


def _identity(file: str) -> str:
    return os.path.realpath(file)


def merged(files: list[Recipe]) -> Recipe:
    """Merge files into one recipe, later ones overriding earlier ones; the last one determines its name."""
    last = files[-1]
    findings: list[Found] = []
    tree = files[0].tree
    for file in files[1:]:
        tree = _merge_nodes(tree, file.tree, "", findings)
    for file in files:
        findings += [(code, _within(finding, file, last)) for code, finding in file.findings]
    broken = frozenset().union(*(file.broken for file in files))
    return Recipe(last.source, tree, tuple(findings), broken, {file.file: file.source for file in files})


def _within(finding: Finding, file: Recipe, last: Recipe) -> Finding:
    return finding if file is last or finding.span is None else replace(finding, within=file.file)


def _without_base(tree: Node) -> Node:
    return replace(tree, pairs={name: pair for name, pair in tree.pairs.items() if name != BASE})


def _merge_nodes(lower: Node, upper: Node, route: str, findings: list[Found]) -> Node:
    if lower.kind is not Kind.MAP or upper.kind is not Kind.MAP:
        return upper
    pairs = dict(lower.pairs)
    below = replace(lower, pairs=pairs)
    if "class_path" in upper.pairs:
        class_path = upper.pairs["class_path"].value
        arguments = upper.pairs["init_args"].value.pairs if "init_args" in upper.pairs else {}
        policy_name = arguments["policy_name"].value if "policy_name" in arguments else None
        findings += drop_outdated_arguments(below, class_path, f"{route}.class_path", policy_name)
    for name, pair in upper.pairs.items():
        if name in pairs:
            at = f"{route}.{name}" if route else name
            pair = replace(pair, value=_merge_nodes(pairs[name].value, pair.value, at, findings))
        pairs[name] = pair
    return replace(upper, pairs=pairs)
