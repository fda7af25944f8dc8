"""Values from the command line: ``--model.init_args.chunk_size 20``, ``--trainer.max_epochs=5``, ``--steps 2000``.

They override the file. The position of each is in its own text, so that an invalid one is shown as it was typed. The
syntax is LightningCLI's: a class by its name (``--model ACT``, ``--trainer.logger WandbLogger``), then its arguments
(``--trainer.logger.project pusht``), and ``--trainer.callbacks+=EarlyStopping`` to append to a list.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace

import yaml

from getiaction.spec.policies import registered
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.diagnostics.source import COMMAND_LINE, Source
from getiaction_cli.plugins import plugin_entries
from getiaction_cli.recipe.classes import drop_outdated_arguments
from getiaction_cli.recipe.layout import (
    DATAMODULE,
    FEATURE_SECTIONS,
    OBJECT_HOMES,
    POLICY_HOME,
    TRANSFORMS_HOME,
    WRAPPER,
    WRAPPER_ARGUMENTS,
)
from getiaction_cli.recipe.nodes import Found, Kind, LimitExceeded, Node, Pair, build
from getiaction_cli.recipe.recipe import Recipe
from getiaction_cli.recipe.signatures import exported, provided
from getiaction_cli.recipe.writing import write
from getiaction_cli.short_forms import route_of

_OF_A_CLASS = ("class_path", "init_args", "dict_kwargs")


def apply(root: Node, overrides: Iterable[tuple[str, str]]) -> list[Found]:
    """Set each override in the tree, creating missing sections; return the findings about their texts.

    Args:
        root: the tree; it is changed.
        overrides: the options as typed, without dashes, and their YAML texts. An option is a dotted key or a short
            form; a trailing "+" appends to a list.
    """
    found: list[Found] = []
    for word, text in overrides:
        prefix = f"--{word} "
        source = Source(COMMAND_LINE, prefix + text)
        dotted = word.removesuffix("+")
        keys = _keys(root, route_of(dotted) or dotted)
        value, problems = _value(source, len(prefix), ".".join(keys))
        found += problems
        key = Node(Kind.SCALAR, source, 2, 2 + len(word), raw=word)
        named = _plugin(value) if keys == ["model", "class_path"] else None
        value = replace(value, value=WRAPPER) if named is not None else _with_class_path(keys, value)
        if word != dotted:
            value = _appended(_child(root, *keys), value)
        if keys[-1] == "class_path" and (section := _child(root, *keys[:-1])) is not None:
            found += drop_outdated_arguments(section, value, ".".join(keys), named)
        _set(root, keys, key, value)
        if named is not None:
            _set(root, ["model", "init_args", "policy_name"], key, named)
    return found


def flags_for(recipe: Recipe, change: Change, at: str = "") -> str:
    """What to change on the command line, in words; empty for a change of the file.

    Args:
        recipe: the recipe, its overrides applied.
        change: what a rule proposes.
        at: the route that the rule is about: where an override gives its value, the command line is to be changed.
    """
    touched = [*(route for route, _ in (*change.set, *change.rename)), *change.remove]
    if not any(_word(recipe, route) for route in (at, *touched)):
        return ""
    advice: list[str] = []
    for route, value in change.set:
        word = _word(recipe, route, exact=True) or _short(route)
        advice.append(f"pass --{word} {shlex.quote(write(value))}")
    for route, name in change.rename:
        home = route.rpartition(".")[0]
        word = _word(recipe, route, exact=True)
        new = f"{word.rpartition('.')[0]}.{name}".strip(".") if word else _short(f"{home}.{name}".strip("."))
        advice.append(f"write --{new} instead of --{word or _short(route)}")
    advice += [f"leave out --{word}" for route in change.remove if (word := _word(recipe, route, exact=True))]
    return " and ".join(advice)


def _word(recipe: Recipe, route: str, *, exact: bool = False) -> str:
    """The word of the override that gives a route its value; ``exact``: that route itself, not a section around it."""
    steps, rest = recipe.follow(route) if route else ([], [])
    pair = steps[-1].pair if steps and not (exact and rest) else None
    return pair.key.raw if pair is not None and pair.key.source.is_command_line else ""


def _short(route: str) -> str:
    """A route as a word of the command line: `model.chunk_size`."""
    section, _, rest = route.partition(".init_args.")
    return f"{section}.{rest}" if rest and section in ("model", "data") else route


def _plugin(value: Node) -> Node | None:
    """The name of a policy that a plugin registers, for which getiaction has no class; None for any other value."""
    word = value.value
    if not isinstance(word, str) or not word.isidentifier() or _policy_class(word):
        return None
    name = next((entry.name for entry in plugin_entries() if entry.name == word.lower()), None)
    return replace(value, value=name) if name else None


def _value(source: Source, start: int, route: str) -> tuple[Node, list[Found]]:
    """Parse the value of an override. The text before it is blanked, so that positions are right."""
    text = source.text
    blanked = " " * start + text[start:]
    whole = Node(Kind.SCALAR, source, start, len(text), text[start:], text[start:], quoted=True)
    try:
        node, found = build(source, blanked)
    except (yaml.YAMLError, LimitExceeded) as error:
        problem = str(getattr(error, "problem", None) or error)
        return whole, [
            (
                "GA101",
                Finding(f"the value {text[start:][:80]!r} is not YAML: {problem}", at=route, help="put it in quotes"),
            )
        ]
    # Spans would refer to the recipe's own text; the position is that of the override.
    found = [(code, Finding(finding.message, at=route, help=finding.help)) for code, finding in found]
    return node or Node(Kind.SCALAR, source, len(text), len(text)), found


def _keys(root: Node, dotted: str) -> list[str]:
    """The keys of a dotted option, with short forms expanded."""
    first, *rest = dotted.split(".")
    if first in ("model", "data") and rest and rest[0] not in _OF_A_CLASS:
        rest = ["init_args", *rest]
        class_path = _child(root, first, "class_path")
        own = (*WRAPPER_ARGUMENTS, "policy_name")
        if first == "model" and class_path is not None and class_path.value == WRAPPER and rest[1] not in own:
            rest.insert(1, "config_kwargs")
    keys = [first, *rest]
    if first == "trainer" and len(keys) > 2 and keys[1] in OBJECT_HOMES:
        return _keys_of_object(root, keys)
    for index, key in enumerate(keys):
        if key in FEATURE_SECTIONS and index + 2 < len(keys):
            return [*keys[: index + 1], ".".join(keys[index + 1 :])]
    return keys


def _keys_of_object(root: Node, keys: list[str]) -> list[str]:
    """The keys of `trainer.callbacks.patience`: an argument of the last callback, as in LightningCLI."""
    head, rest = keys[:2], keys[2:]
    node = _child(root, *head)
    if node is not None and node.kind is Kind.LIST and node.items:
        head.append(rest.pop(0) if rest[0].isdecimal() else str(len(node.items) - 1))
        node = node.items[int(head[-1])] if int(head[-1]) < len(node.items) else None
    if rest and node is not None and "class_path" in node.pairs and rest[0] not in (*_OF_A_CLASS, *node.pairs):
        rest.insert(0, "init_args")
    return [*head, *rest]


def _child(node: Node, *names: str) -> Node | None:
    for name in names:
        if node.kind is Kind.LIST and name.isdecimal() and int(name) < len(node.items):
            node = node.items[int(name)]
        elif name in node.pairs:
            node = node.pairs[name].value
        else:
            return None
    return node


def _with_class_path(keys: list[str], value: Node) -> Node:
    """Replace a class name by its class path; return any other value unchanged."""
    if value.kind is Kind.LIST and len(keys) == 2:
        return replace(value, items=[_with_class_path(keys, item) for item in value.items])
    if value.kind is not Kind.SCALAR or not isinstance(value.value, str):
        return value
    match keys:
        case ["model" | "data", "class_path"]:
            path = _policy_class(value.value) if keys[0] == "model" else _data_class(value.value)
            return replace(value, value=path) if path else value
        case ["trainer", kind, *rest] if kind in OBJECT_HOMES and rest in ([], ["class_path"]):
            return _as_object(_object_class(kind, value.value), value, bare=not rest)
        case ["data", "init_args", "image_transforms", *rest] if rest in ([], ["class_path"]):
            known = value.value in provided(TRANSFORMS_HOME)
            return _as_object(f"{TRANSFORMS_HOME}.{value.value}" if known else None, value, bare=not rest)
    return value


def _as_object(path: str | None, value: Node, *, bare: bool) -> Node:
    """Replace a class name by its class path, or by a section with that class path if the name is the whole value."""
    if path is None:
        return value
    if not bare:
        return replace(value, value=path)
    section = replace(value, kind=Kind.MAP, value=None, raw="")
    section.pairs = {"class_path": Pair("class_path", value, replace(value, value=path))}
    return section


def _policy_class(name: str) -> str | None:
    for entry in registered():
        if name.lower() in (entry.name, entry.class_name.lower()):
            return f"{POLICY_HOME}.{entry.class_name}"
    return WRAPPER if name == WRAPPER.rpartition(".")[2] else None


def _data_class(name: str) -> str | None:
    return DATAMODULE if name == DATAMODULE.rpartition(".")[2] else None


def _object_class(kind: str, name: str) -> str | None:
    """The class path of a callback, logger or the like; loggers also have short names ("wandb")."""
    for own in exported(OBJECT_HOMES[kind]):
        if name == own or (kind == "logger" and name.lower() in (own.lower(), own.lower().removesuffix("logger"))):
            return f"{OBJECT_HOMES[kind]}.{own}"
    return None


def _appended(there: Node | None, value: Node) -> Node:
    """Append an item, or the items of a list, to the existing list; a single section becomes its first item."""
    items = [] if there is None or (there.kind is Kind.SCALAR and there.value is None) else [there]
    if there is not None and there.kind is Kind.LIST:
        items = there.items
    more = value.items if value.kind is Kind.LIST else [value]
    return replace(value, kind=Kind.LIST, value=None, raw="", items=[*items, *more], pairs={})


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
        elif pair.value.alias:  # its target is shared with other places
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
