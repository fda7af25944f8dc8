"""Values from the command line: ``--model.init_args.chunk_size 20``, ``--trainer.max_epochs=5``, ``--data.repo_id x``.

They win over the file, and each keeps its own text as its place, so that a wrong one is shown as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from getiaction_cli.diagnostics import Finding
from getiaction_cli.diagnostics.source import COMMAND_LINE, Source
from getiaction_cli.recipe.layout import FEATURE_SECTIONS, WRAPPER, WRAPPER_ARGUMENTS
from getiaction_cli.recipe.nodes import Found, Kind, Node, Pair, TooMuch, build


def apply(root: Node, overrides: Iterable[tuple[str, str]]) -> list[Found]:
    """Set each override in the tree, sections that are missing included; returns what was wrong with their texts."""
    found: list[Found] = []
    for dotted, text in overrides:
        prefix = f"--{dotted} "
        source = Source(COMMAND_LINE, prefix + text)
        value, problems = _value(source, len(prefix))
        found += problems
        key = Node(Kind.SCALAR, source, 2, 2 + len(dotted), raw=dotted)
        _set(root, _keys(root, dotted), key, value)
    return found


def _value(source: Source, start: int) -> tuple[Node, list[Found]]:
    """The value in the text of an override. The words before it are blanked, so that its marks are right."""
    text = source.text
    blanked = " " * start + text[start:]
    whole = Node(Kind.SCALAR, source, start, len(text), text[start:], text[start:], quoted=True)
    try:
        node, found = build(source, blanked)
    except (yaml.YAMLError, TooMuch) as error:
        problem = str(getattr(error, "problem", None) or error)
        finding = Finding(f"the value {text[start:][:80]!r} is not YAML: {problem}", help="put it in quotes")
        return whole, [("GA101", _on_command_line(finding, source, start))]
    found = [(code, _on_command_line(finding, source, start)) for code, finding in found]
    return node or Node(Kind.SCALAR, source, len(text), len(text)), found


def _on_command_line(finding: Finding, source: Source, start: int) -> Finding:
    """Reading findings have spans in the recipe's own text; here the place is the override's."""
    return Finding(finding.message, at=source.text[2 : start - 1], help=finding.help)


def _keys(root: Node, dotted: str) -> list[str]:
    """The keys that a dotted word on the command line means, short forms written out."""
    first, *rest = dotted.split(".")
    if first in ("model", "data") and rest and rest[0] not in ("class_path", "init_args"):
        rest = ["init_args", *rest]
        class_path = _child(root, first, "class_path")
        own = (*WRAPPER_ARGUMENTS, "policy_name")
        if first == "model" and class_path is not None and class_path.value == WRAPPER and rest[1] not in own:
            rest.insert(1, "config_kwargs")
    keys = [first, *rest]
    for index, key in enumerate(keys):
        if key in FEATURE_SECTIONS and index + 2 < len(keys):
            return [*keys[: index + 1], ".".join(keys[index + 1 :])]
    return keys


def _child(node: Node, *names: str) -> Node | None:
    for name in names:
        if name not in node.pairs:
            return None
        node = node.pairs[name].value
    return node


def _set(root: Node, keys: list[str], key: Node, value: Node) -> None:
    node = root
    for name in keys[:-1]:
        pair = node.pairs.get(name)
        if node.kind is Kind.LIST and name.isdecimal() and int(name) < len(node.items):
            node = node.items[int(name)]
            continue
        if pair is None or (pair.value.kind is Kind.SCALAR):
            section = Node(Kind.MAP, value.source, value.start, value.end)
            pair = node.pairs[name] = Pair(name, pair.key if pair else key, section)
        elif pair.value.alias:  # what it points to belongs to others too
            old = pair.value
            own = Node(old.kind, old.source, old.start, old.end, flow=old.flow, items=list(old.items), alias=True)
            own.pairs = dict(old.pairs)
            pair = node.pairs[name] = Pair(name, pair.key, own)
        node = pair.value
    if node.kind is Kind.LIST and keys[-1].isdecimal() and int(keys[-1]) < len(node.items):
        node.items[int(keys[-1])] = value
    else:
        node.kind = Kind.MAP
        node.pairs[keys[-1]] = Pair(keys[-1], key, value)
