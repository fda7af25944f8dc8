"""Read the comments of a YAML file, by the keys that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from getiaction_cli.recipe.nodes import Node
from getiaction_cli.recipe.recipe import Recipe

_MAX_TEXT = 1 << 20
# Comments about the file itself, which belong to no key.
_OF_THE_FILE = ("# yaml-language-server:",)


@dataclass(slots=True)
class Comment:
    """The comments of one key.

    Args:
        above: the comment lines above it, with `#`.
        beside: the comments at the end of its line and of the lines of its value; empty for none.
    """

    above: list[str] = field(default_factory=list)
    beside: str = ""


@dataclass(slots=True)
class Comments:
    """The comments of a file.

    Args:
        head: the comment lines before the first key that are followed by a blank line.
        of: the comments of each key, by its route.
        tail: the lines after the last key.
    """

    head: list[str] = field(default_factory=list)
    of: dict[str, Comment] = field(default_factory=dict)
    tail: list[str] = field(default_factory=list)


def key_lines(recipe: Recipe) -> dict[str, int]:
    """The line of each key in the recipe's own file, by its route; lines count from 1."""
    return {
        route: recipe.source.line_of(key.start) for route, key in _keys("", recipe.tree) if key.source is recipe.source
    }


def comments(recipe: Recipe) -> Comments:
    """Read the comments of a recipe's own file; empty if it is not YAML or larger than 1 MB."""
    found = Comments()
    if "#" not in recipe.text or len(recipe.text) > _MAX_TEXT:
        return found
    keys: dict[int, str] = {}
    for route, number in key_lines(recipe).items():
        keys.setdefault(number, route)
    if not keys:
        return found
    written = _written(recipe.text)
    waiting: list[str] = []
    last, first = "", min(keys)
    for number, line in enumerate(recipe.text.splitlines(), 1):
        own, comment = written.get(number, (False, ""))
        if number in keys:
            last = keys[number]
            if waiting:
                found.of.setdefault(last, Comment()).above += waiting
                waiting = []
        if own:
            waiting += [comment] if not comment.startswith(_OF_THE_FILE) else []
        elif comment:
            about = found.of.setdefault(last, Comment())
            about.beside += (" " if about.beside else "") + comment
        elif number < first and waiting and not line.strip():
            found.head += waiting
            waiting = []
    found.tail = waiting
    return found


def _written(text: str) -> dict[int, tuple[bool, str]]:
    """Each comment by its line, and whether the line has nothing else."""
    ends: dict[int, int] = {}
    inside: set[int] = set()
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            start, end = token.start_mark, token.end_mark
            ends[end.line] = max(ends.get(end.line, 0), end.column)
            if isinstance(token, yaml.ScalarToken):
                inside |= set(range(start.line, end.line))
    except yaml.YAMLError:
        return {}
    found: dict[int, tuple[bool, str]] = {}
    for number, line in enumerate(text.splitlines()):
        before, sign, comment = line[ends.get(number, 0) :].partition("#")
        if sign and not before.strip() and number not in inside:
            found[number + 1] = (not line.partition("#")[0].strip(), f"#{comment}".rstrip())
    return found


def _keys(route: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the keys below a node with their routes, outer ones first."""
    if node.alias:
        return
    for index, item in enumerate(node.items):
        yield from _keys(f"{route}.{index}" if route else str(index), item)
    for name, pair in node.pairs.items():
        if not pair.merged:
            inner = f"{route}.{name}" if route else name
            yield inner, pair.key
            yield from _keys(inner, pair.value)
