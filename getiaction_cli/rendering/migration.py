"""The result of `migrate`: a table of the outcome of every key, JSON, and the recipe as YAML."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from getiaction_cli.analysis.migration import Kind, Migration, Outcome
from getiaction_cli.diagnostics import Report
from getiaction_cli.recipe import read
from getiaction_cli.recipe.comments import Comments, key_lines
from getiaction_cli.recipe.writing import write, write_block
from getiaction_cli.rendering import json_v1
from getiaction_cli.rendering.json_text import json_text
from getiaction_cli.rendering.text import Paint, clean, cut, width, wrap

_COMMENT_WIDTH = 100
_LONGEST_VALUE = 60
_NAMES = {Kind.CARRIED: "carried", Kind.NOTHING: "nothing", Kind.LOST: "lost", Kind.ADDED: "added"}


def table(migration: Migration, *, color: bool = False, columns: int = 100) -> str:
    """Return the outcome of every key: carried over, without effect or lost (with the reason), and the added keys."""
    paint = Paint(color)
    blocks = [
        _block(f"{kind}", lines, paint)
        for kind, lines in (
            (Kind.CARRIED, _carried(migration, columns)),
            (Kind.ADDED, _added(migration, columns)),
            (Kind.NOTHING, _without_effect(migration, columns)),
            (Kind.LOST, _lost(migration, columns)),
        )
        if lines
    ]
    return "\n\n".join(blocks) + "\n"


def _block(title: str, lines: Iterable[str], paint: Paint) -> str:
    return "\n".join([paint("bold", title), *lines])


def _of(migration: Migration, kind: Kind) -> list[Outcome]:
    return [outcome for outcome in migration.outcomes if outcome.kind is kind]


def _carried(migration: Migration, columns: int) -> list[str]:
    moved = [outcome for outcome in _of(migration, Kind.CARRIED) if outcome.key != outcome.to]
    kept = [outcome.key for outcome in _of(migration, Kind.CARRIED) if outcome.key == outcome.to]
    margin = min(max((width(clean(outcome.key)) for outcome in moved), default=0), columns // 2 - 4)
    lines = []
    for outcome in moved:
        key = clean(outcome.key)
        lead = f"  {key}{' ' * (margin - width(key))}  "
        if width(key) > margin or width(lead) + width(outcome.to) > columns:
            lines += [f"  {key}", f"      {clean(outcome.to)}"]
        else:
            lines.append(f"{lead}{clean(outcome.to)}")
        if outcome.why:
            lines.append("      " + wrap(outcome.why, columns, "      "))
    if kept:
        lines.append("  as they are: " + wrap(", ".join(kept), columns, "    "))
    return lines


def _added(migration: Migration, columns: int) -> list[str]:
    lines = []
    for outcome in _of(migration, Kind.ADDED):
        lines.append(f"  {clean(outcome.to)}: {_value(outcome)}")
        lines.append("      " + wrap(outcome.why, columns, "      "))
    return lines


def _without_effect(migration: Migration, columns: int) -> list[str]:
    """Group the keys without effect by their reason."""
    reasons: dict[str, list[str]] = {}
    for outcome in _of(migration, Kind.NOTHING):
        reasons.setdefault(outcome.why, []).append(outcome.key)
    lines = []
    for why, keys in reasons.items():
        lines.append("  " + wrap(", ".join(keys), columns, "  "))
        lines.append("      " + wrap(why, columns, "      "))
    return lines


def _lost(migration: Migration, columns: int) -> list[str]:
    lines = []
    for outcome in migration.lost:
        lines.append(cut(f"  {clean(outcome.key)}: {_value(outcome)}", columns))
        lines.append("      " + wrap(outcome.why, columns, "      "))
    return lines


def _value(outcome: Outcome) -> str:
    return cut(clean(write(outcome.value)), _LONGEST_VALUE)


# -- the recipe --------------------------------------------------------------------------------------------------------


def recipe_text(migration: Migration, source: str, commands: Sequence[str], comments: Comments | None = None) -> str:
    """Return the recipe as YAML, with comments: its source and lost keys on top, a reason next to each added key.

    Args:
        migration: the migrated configuration.
        source: the name of the original configuration.
        commands: the next commands, listed at the top.
        comments: comments of the original configuration, which move with their keys.
    """
    blocks = [write_block([str(key)], value, 0, "\n") for key, value in migration.recipe.items()]
    text = "\n".join(_head(migration, source, commands)) + "\n\n" + "\n\n".join(blocks) + "\n"
    lines, recipe = text.split("\n"), read(source, text=text)
    for outcome in _of(migration, Kind.ADDED):
        node = recipe.node(outcome.to)
        if node is not None and node.end > node.start:
            line = recipe.source.line_of(node.start) - 1
            lines[line] += f"  # {_one_line(outcome.why)}"
    if comments is not None:
        lines = _with_comments(lines, migration, key_lines(recipe), comments)
    return "\n".join(lines)


# Sections of a lerobot-train configuration → sections of a recipe.
_SECTIONS = {"policy": "model", "dataset": "data"}


def _with_comments(lines: list[str], migration: Migration, at: dict[str, int], comments: Comments) -> list[str]:
    """Add the source's comments to the lines of a recipe, except those of keys that are not carried over."""
    above: dict[int, list[str]] = {}
    beside: dict[int, list[str]] = {}
    for route, comment in comments.of.items():
        number = at.get(_target(migration, route) or (route if route in at else _SECTIONS.get(route, "")))
        if number is not None:
            above.setdefault(number, []).extend(comment.above)
            beside.setdefault(number, []).extend([comment.beside] if comment.beside else [])
    written: list[str] = []
    for number, line in enumerate(lines, 1):
        margin = " " * (len(line) - len(line.lstrip()))
        written += [f"{margin}{_one_line(comment)}" for comment in above.get(number, ())]
        written.append("  ".join([line, *map(_one_line, beside.get(number, ()))]))
    head = [_one_line(comment) for comment in comments.head]
    tail = [_one_line(comment) for comment in comments.tail]
    return [*([*head, "#"] if head else []), *written[: -1 if tail else None], *tail, *([""] if tail else [])]


def _target(migration: Migration, route: str) -> str:
    """Return the path in the recipe of a key of the source; empty if it was not carried over."""
    for outcome in _of(migration, Kind.CARRIED):
        if outcome.key == route or route.startswith(f"{outcome.key}."):
            return outcome.to + route.removeprefix(outcome.key)
    return ""


def _head(migration: Migration, source: str, commands: Sequence[str]) -> list[str]:
    lines = _comment(f"{source}, a configuration for {migration.source}, written by `getiaction migrate`.")
    if migration.lost:
        lines += ["#", "# What it asks for and a recipe cannot express:"]
        for outcome in migration.lost:
            lines += _comment(f"{outcome.key}: {_value(outcome)}", "#   ")
            lines += _comment(outcome.why, "#     ")
    return [*lines, "#", *(f"#     {_one_line(command)}" for command in commands)]


def _comment(text: str, lead: str = "# ") -> list[str]:
    return textwrap.wrap(_one_line(text), _COMMENT_WIDTH, initial_indent=lead, subsequent_indent=lead)


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


# -- for programs ------------------------------------------------------------------------------------------------------


def to_json(migration: Migration, source: str, file: str, text: str, report: Report) -> str:
    """Return a JSON document: ``keys`` has an outcome (carried, nothing, lost, added) for every key of the source."""
    keys: list[dict[str, Any]] = [
        {
            "key": outcome.key,
            "outcome": _NAMES[outcome.kind],
            "to": outcome.to or None,
            "why": outcome.why or None,
            "value": outcome.value,
        }
        for outcome in migration.outcomes
    ]
    document = {
        "source": {"file": source, "kind": str(migration.source)},
        "recipe": {"file": file, "text": text},
        "keys": keys,
        "verdict": json.loads(json_v1.render([report])),
    }
    return json_text(document)
