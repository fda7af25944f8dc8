"""Convert a `Change` of recipe values to edits of its text that keep comments and layout.

Every change is tried before it is offered: the edited text is read again and must have exactly the intended values.
Changes that the text does not allow (of an override, of a value from an alias or ``<<``) have no edits.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from getiaction.trust import is_inside
from getiaction_cli.diagnostics import Change, Edit
from getiaction_cli.diagnostics.source import COMMAND_LINE, Source
from getiaction_cli.recipe.layout import FEATURE_SECTIONS
from getiaction_cli.recipe.nodes import Kind, Node, Pair
from getiaction_cli.recipe.reader import read, read_one
from getiaction_cli.recipe.writing import write, write_block

if TYPE_CHECKING:
    from getiaction_cli.recipe.recipe import Recipe, Step

_NOTHING: Any = object()  # marks a missing value
_COMMENT = re.compile(r"(?:^|\s)(#.*)$", re.MULTILINE)


class NotEditable(Exception):  # noqa: N818 - a result, not an error
    """The change can't be made in this text."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to a text. Of two overlapping edits, only the first is applied."""
    parts: list[str] = []
    at = 0
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            continue
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def edits_for(recipe: Recipe, change: Change) -> tuple[Edit, ...]:
    """The edits of the text that make a change; empty if a part of it is not editable (an override, an alias).

    They edit the file that `file_of` returns.
    """
    if recipe.broken:
        return ()
    file = file_of(recipe, change)
    if file is None:
        return ()
    if len(recipe.sources) == 1:
        return _edits_of_one(recipe, change)
    texts = {name: source.text for name, source in recipe.sources.items()}
    edits = _edits_of_one(_alone(file, texts[file]), change)
    after = read(recipe.file, under=recipe.under, texts=texts | {file: apply_edits(texts[file], edits)})
    return edits if _has(after, change) else ()


def file_of(recipe: Recipe, change: Change) -> str | None:
    """The file that a change edits; None if it concerns an override, or several files."""
    touched = [*(route for route, _ in (*change.rename, *change.set)), *change.remove]
    sources = {_source(recipe, route).file for route in touched}
    file = sources.pop() if len(sources) == 1 else None
    return file if file in recipe.sources and file != COMMAND_LINE else None


def may_edit(recipe: Recipe, file: str) -> bool:
    """Whether fixes may edit a file: the recipe itself, or a base inside its folder.

    Recipes are untrusted, and must not choose other files of the user to edit.
    """
    if file == recipe.file:
        return True
    folder = Path(recipe.file).parent
    is_file = Path(recipe.file).is_file() and Path(file).is_file() and not Path(file).is_symlink()
    return is_file and is_inside(file, folder)


def _source(recipe: Recipe, route: str) -> Source:
    """The text that contains a route; for a missing one, the text of its section."""
    steps, _ = recipe.follow(route)
    pair = next((step.pair for step in reversed(steps) if step.pair is not None), None)
    if steps[-1].node.source.is_command_line or pair is None:
        return steps[-1].node.source
    return pair.key.source


def _has(recipe: Recipe, change: Change) -> bool:
    """Whether a change has an effect on the merged recipe: a later file may have the same key."""
    return (
        all(_same(recipe.get(route, _NOTHING), value) for route, value in change.set)
        and all(not recipe.has(route) for route in (*change.remove, *(route for route, _ in change.rename)))
        and all(recipe.has(f"{route.rpartition('.')[0]}.{name}".strip(".")) for route, name in change.rename)
    )


def _edits_of_one(recipe: Recipe, change: Change) -> tuple[Edit, ...]:
    """The edits for a recipe in one file."""
    steps: list[tuple[str, str, Any]] = [("rename", *pair) for pair in change.rename]
    for route, value in change.set:
        steps += _setting(recipe, route, value)
    steps += [("remove", route, None) for route in change.remove]
    now = _alone(recipe.file, recipe.text)
    intended = now.plain()
    made: list[Edit] = []
    try:
        for verb, route, value in steps:
            made = _EDITS[verb](now, route, value)
            intended = _EXPECT[verb](intended, now, route, value)
            now = _alone(now.file, apply_edits(now.text, made))
    except NotEditable:
        return ()
    if now.broken or not _same(now.plain(), intended):
        return ()
    now = _with_comments(recipe, now, change)
    return tuple(made) if len(steps) == 1 else tuple(_difference(recipe.text, now.text))


@lru_cache(maxsize=16)  # several fixes are tried on one text
def _alone(file: str, text: str) -> Recipe:
    """One file without overrides and bases."""
    return read_one(file, text=text)


def _setting(recipe: Recipe, route: str, value: Any) -> list[tuple[str, str, Any]]:
    """The steps that set a value; in a block section, keys with unchanged values are not rewritten."""
    node = recipe.node(route)
    if not isinstance(value, dict) or not value or node is None or node.kind is not Kind.MAP or node.flow:
        return [("set", route, value)]
    steps = [step for key, item in value.items() for step in _setting(recipe, f"{route}.{key}", item)]
    return steps + [("remove", f"{route}.{key}", None) for key in node.pairs if key not in value]


def _with_comments(recipe: Recipe, now: Recipe, change: Change) -> Recipe:
    """Move the comments of moved values to their new places, beside or above."""
    for route in change.remove if change.set else ():
        comments = _comments_at(recipe, route)
        if not comments:
            continue
        value, name = recipe.get(route), route.rpartition(".")[2]
        target, _ = min(change.set, key=lambda pair: (pair[1] != value, pair[0].rpartition(".")[2] != name))
        steps, rest = now.follow(target)
        if rest or steps[-1].pair is None:
            continue
        source, key = now.source, steps[-1].pair.key
        line = source.line_of(key.start)
        written = source.line(line)
        if len(comments) == 1 and source.line_of(steps[-1].node.end) == line and not _COMMENT.search(written):
            at = source.start_of(line) + len(written)
            edit = Edit(at, at, f"  {comments[0]}")
        else:
            indent = written[: len(written) - len(written.lstrip())]
            at = source.start_of(line)
            edit = Edit(at, at, "".join(f"{indent}{comment}{_newline(source)}" for comment in comments))
        commented = _alone(now.file, apply_edits(now.text, [edit]))
        if not commented.broken and _same(commented.plain(), now.plain()):
            now = commented
    return now


def _comments_at(recipe: Recipe, route: str) -> list[str]:
    """The comments on the lines of a key and its value."""
    steps, rest = recipe.follow(route)
    node, pair, source = steps[-1].node, steps[-1].pair, recipe.source
    if rest or pair is None or pair.merged or node.alias:
        return []
    start = node.end if node.kind is Kind.SCALAR else pair.key.end
    text = source.text[start : _line_end(source, max(node.end, pair.key.end))]
    return [match[1].strip() for match in _COMMENT.finditer(text)]


def _difference(old: str, new: str) -> Iterable[Edit]:
    """The edits between two texts, by lines, each trimmed to the characters that differ."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        was, becomes, start = "".join(before[i1:i2]), "".join(after[j1:j2]), starts[i1]
        head = _common(was, becomes)
        tail = _common(was[head:][::-1], becomes[head:][::-1])
        yield Edit(start + head, start + len(was) - tail, becomes[head : len(becomes) - tail])


def _common(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


# -- set -------------------------------------------------------------------------------------------------------------


def _set(recipe: Recipe, route: str, value: Any) -> list[Edit]:
    steps, rest = recipe.follow(route)
    if not rest and not steps[-1].node.alias and not (steps[-1].pair and steps[-1].pair.merged):
        _check_owned(steps)
        return _replace(steps[-1], value)
    if not rest:  # it came through an alias or `<<`: write the key out in its own section
        if steps[-1].pair is None or not steps[-1].pair.merged:
            _check_owned(steps[:-1])
            return [Edit(steps[-1].node.start, steps[-1].node.end, write(value))]
        steps, rest = steps[:-1], steps[-1].name
    _check_owned(steps)
    return _add(recipe, steps, _new_keys(steps, rest), value)


def _check_owned(steps: list[Step]) -> None:
    """Reject a route through an alias or a merged key: editing it would change other places, too."""
    for step in steps:
        if step.node.alias or (step.pair is not None and step.pair.merged):
            raise NotEditable


def _new_keys(steps: list[Step], rest: str) -> list[str]:
    if steps[-1].name in FEATURE_SECTIONS:
        return [rest]
    keys = rest.split(".")
    for index, key in enumerate(keys[:-1]):
        if key in FEATURE_SECTIONS:
            return [*keys[: index + 1], ".".join(keys[index + 1 :])]
    return keys


def _replace(step: Step, value: Any) -> list[Edit]:
    node = step.node
    text = node.source.text
    if node.end <= node.start:  # nothing written yet: `key:`
        if step.pair is None:
            raise NotEditable
        colon = _colon(step.pair)
        return [Edit(colon, colon, " " + write(value))]
    if node.kind is Kind.LIST and isinstance(value, list | tuple) and not node.flow:
        return _replace_items(node, list(value))
    written = text[node.start : node.end]
    comments = [m[1] for m in _COMMENT.finditer(written)] if node.kind is not Kind.SCALAR else []
    if node.kind is Kind.SCALAR or node.flow:
        new = write(value)
        if comments:
            if text[node.end : _line_end(node.source, node.end)].strip():
                raise NotEditable
            new += "  " + " ".join(comments)
        return [Edit(node.start, node.end, new)]
    if step.pair is None or comments:
        raise NotEditable
    return [Edit(_colon(step.pair), node.end, " " + write(value))]


def _replace_items(node: Node, values: list[Any]) -> list[Edit]:
    """Edit a block list line by line: rewrite changed items, remove surplus ones, append new ones."""
    if not values or any(item.kind is not Kind.SCALAR or item.alias or item.end <= item.start for item in node.items):
        raise NotEditable
    edits = [
        Edit(item.start, item.end, write(value))
        for item, value in zip(node.items, values, strict=False)
        if item.plain() != value or type(item.plain()) is not type(value)
    ]
    source = node.source
    for item in node.items[len(values) :]:
        line = source.line_of(item.start)
        edits.append(Edit(source.start_of(line), source.start_of(line + 1), ""))
    new = values[len(node.items) :]
    if new:
        last = node.items[-1]
        dash = source.line(source.line_of(last.start))
        indent = dash[: len(dash) - len(dash.lstrip())]
        at = _line_end(source, last.end)
        edits.append(Edit(at, at, "".join(f"{_newline(source)}{indent}- {write(value)}" for value in new)))
    return edits


def _add(recipe: Recipe, steps: list[Step], keys: list[str], value: Any) -> list[Edit]:
    """Add a missing key at the end of its section, with the indentation of the other keys."""
    parent, source = steps[-1].node, recipe.source
    newline = _newline(source)
    own = [pair for pair in parent.pairs.values() if not pair.merged]
    nested = value
    for key in reversed(keys[1:]):
        nested = {key: nested}
    if parent.kind is Kind.MAP and parent.flow:
        text = f"{write(keys[0])}: {write(nested)}"
        if parent.pairs:
            if not own:  # `{<<: *other}`
                raise NotEditable
            last = max(own, key=lambda pair: max(pair.value.end, pair.key.end))
            at = max(last.value.end, last.key.end)
            if last.value.end <= last.value.start:
                at = _colon(last)
            return [Edit(at, at, ", " + text)]
        return [Edit(parent.end - 1, parent.end - 1, text)]
    if parent.kind is Kind.MAP and own:
        first, last = own[0], own[-1]
        indent = first.key.start - source.start_of(source.line_of(first.key.start))
        at = _line_end(source, max(last.value.end, _colon(last)))
        return [Edit(at, at, newline + write_block(keys, value, indent, newline))]
    if len(steps) == 1 and not own:
        text = source.text
        lead = "" if not text or text.endswith(("\n", "\r")) else newline
        return [Edit(len(text), len(text), lead + write_block(keys, value, 0, newline) + newline)]
    empty = parent.kind is Kind.SCALAR and parent.value is None
    if not empty or steps[-1].pair is None:
        raise NotEditable
    head = steps[-1].pair.key
    if parent.end > parent.start:  # `init_args: null`
        return [Edit(parent.start, parent.end, write({keys[0]: nested}))]
    indent = head.start - source.start_of(source.line_of(head.start)) + 2
    at = _line_end(source, _colon(steps[-1].pair))
    return [Edit(at, at, newline + write_block(keys, value, indent, newline))]


# -- rename and remove -----------------------------------------------------------------------------------------------


def _rename(recipe: Recipe, route: str, name: str) -> list[Edit]:
    steps, rest = recipe.follow(route)
    pair = steps[-1].pair
    if rest or pair is None or pair.merged or name in steps[-2].node.pairs:
        raise NotEditable
    _check_owned(steps[:-1])
    return [Edit(pair.key.start, pair.key.end, write(name))]


def _remove(recipe: Recipe, route: str, _: None = None) -> list[Edit]:
    steps, rest = recipe.follow(route)
    if rest or len(steps) < 2:
        raise NotEditable
    _check_owned(steps[:-1])
    step, parent = steps[-1], steps[-2].node
    if step.pair is not None and step.pair.merged:
        raise NotEditable
    siblings: list[tuple[int, int]]
    if parent.kind is Kind.LIST:
        siblings = [(item.start, item.end) for item in parent.items]
        own = (step.node.start, step.node.end)
    else:
        pairs = [pair for pair in parent.pairs.values() if not pair.merged]
        siblings = [(pair.key.start, _pair_end(pair)) for pair in pairs]
        own = (step.pair.key.start, _pair_end(step.pair))  # type: ignore[union-attr,arg-type]
    if parent.flow:
        return [_cut_from_brackets(siblings, own)]
    if len(siblings) == 1:  # remove a section that becomes empty
        if len(steps) == 2:
            raise NotEditable
        return _remove(recipe, ".".join(s.name for s in steps[1:-1]))
    source = recipe.source
    first = source.start_of(source.line_of(own[0]))
    before = source.text[first : own[0]]
    if parent.kind is Kind.MAP and before.strip():  # `- key: value` opens a list item: the next key takes its place
        later = [start for start, _ in siblings if start > own[0]]
        if not later:
            raise NotEditable
        return [Edit(own[0], min(later), "")]
    return [Edit(first, source.start_of(source.line_of(own[1]) + 1), "")]


def _cut_from_brackets(siblings: list[tuple[int, int]], own: tuple[int, int]) -> Edit:
    index = siblings.index(own)
    if index + 1 < len(siblings):
        return Edit(own[0], siblings[index + 1][0], "")
    if index:
        return Edit(siblings[index - 1][1], own[1], "")
    return Edit(own[0], own[1], "")


# -- places ----------------------------------------------------------------------------------------------------------


def _colon(pair: Pair) -> int:
    """The offset just after the ``:`` of a key."""
    return pair.key.source.text.index(":", pair.key.end) + 1


def _pair_end(pair: Pair) -> int:
    return pair.value.end if pair.value.end > pair.value.start else _colon(pair)


def _line_end(source: Source, offset: int) -> int:
    """The offset of the line break after an offset, past any comment."""
    line = source.line_of(offset)
    return source.start_of(line) + len(source.line(line))


def _newline(source: Source) -> str:
    return "\r\n" if "\r\n" in source.text else "\n"


# -- the intended result of a change, on plain values ----------------------------------------------------------------


def _names(recipe: Recipe, route: str) -> tuple[list[str], list[str]]:
    steps, rest = recipe.follow(route)
    return [step.name for step in steps[1:]], (_new_keys(steps, rest) if rest else [])


def _at(values: Any, names: list[str]) -> Any:
    for name in names:
        values = values[int(name)] if isinstance(values, list) else values[name]
    return values


def _expect_set(values: Any, recipe: Recipe, route: str, value: Any) -> Any:
    values = copy.deepcopy(values)
    there, new = _names(recipe, route)
    if not new:
        there, new = there[:-1], there[-1:]
    parent = _at(values, there)
    if parent is None:  # an empty section
        parent = {}
        outer = _at(values, there[:-1])
        outer[int(there[-1]) if isinstance(outer, list) else there[-1]] = parent
    for name in new[:-1]:
        parent = parent.setdefault(name, {})
    parent[int(new[-1]) if isinstance(parent, list) else new[-1]] = value
    return values


def _expect_rename(values: Any, recipe: Recipe, route: str, name: str) -> Any:
    values = copy.deepcopy(values)
    there, _ = _names(recipe, route)
    parent = _at(values, there[:-1])
    items = [(name if key == there[-1] else key, item) for key, item in parent.items()]
    parent.clear()
    parent.update(items)
    return values


def _expect_remove(values: Any, recipe: Recipe, route: str, _: None) -> Any:
    values = copy.deepcopy(values)
    there, _rest = _names(recipe, route)
    while True:
        parent = _at(values, there[:-1])
        node = recipe.node(".".join(there[:-1]))
        if len(parent) == 1 and node is not None and not node.flow and len(there) > 1:
            there = there[:-1]
            continue
        del parent[int(there[-1]) if isinstance(parent, list) else there[-1]]
        return values


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal in value and type; tuples equal lists, the order of keys is ignored."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and (one == other or (one != one and other != other))


_EDITS: dict[str, Any] = {"set": _set, "rename": _rename, "remove": _remove}
_EXPECT: dict[str, Any] = {"set": _expect_set, "rename": _expect_rename, "remove": _expect_remove}
