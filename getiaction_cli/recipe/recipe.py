"""A recipe as located values: each value with its position."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from getiaction.spec.policies import policy_of_class
from getiaction_cli.diagnostics import Finding, Span
from getiaction_cli.diagnostics.source import Source
from getiaction_cli.recipe.layout import POLICY_HOME, WRAPPER, WRAPPER_ARGUMENTS
from getiaction_cli.recipe.nodes import Found, Kind, Node, Pair

_IGNORE = re.compile(r"#\s*getiaction:\s*ignore\[([^\]\n]*)\]")
# Marks a key that is removed.
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a route: file as the user named it, span, its lines, and the part of the route that exists."""

    file: str
    span: Span
    lines: tuple[str, ...]
    route: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step on a route: the value, and its key (None for the root and for list items)."""

    node: Node
    pair: Pair | None
    name: str


class Recipe:
    """One recipe.

    Routes are dotted ("model.init_args.chunk_size", "trainer.callbacks.0.class_path"); keys may contain dots
    ("data.init_args.delta_timestamps.observation.state").

    Args:
        source: the text.
        tree: its values with overrides.
        findings: errors found while reading, as (code, finding).
        broken: top-level sections that could not be read completely; "*" for all of them.
        sources: the texts of all its files by name, if it has several: its bases, then its own.
        under: further files of the command line that it overrides, in order of increasing priority.
    """

    def __init__(
        self,
        source: Source,
        tree: Node,
        findings: tuple[Found, ...],
        broken: frozenset[str],
        sources: Mapping[str, Source] | None = None,
        under: Sequence[str] = (),
    ) -> None:
        self.source = source
        self.tree = tree
        self.findings = findings
        self.broken = broken
        self.sources = sources or {source.file: source}
        self.under = tuple(under)

    @property
    def file(self) -> str:
        """The file as the user typed it."""
        return self.source.file

    @property
    def text(self) -> str:
        """The text of the file, without overrides."""
        return self.source.text

    def found(self, code: str) -> tuple[Finding, ...]:
        """The reader's findings with a code."""
        return tuple(finding for its_code, finding in self.findings if its_code == code)

    def is_broken(self, route: str) -> bool:
        """Whether the section of a route could not be read, so that missing keys prove nothing."""
        return "*" in self.broken or (bool(route) and route.split(".", 1)[0] in self.broken)

    def with_values(self, values: Mapping[str, Any]) -> Recipe:
        """A copy with other values at some routes; `ABSENT` removes the key. Positions are unchanged.

        Args:
            values: plain values by route; a missing key is added if its section exists.
        """
        if not values:
            return self
        tree = self.tree
        for route, value in values.items():
            tree = _replaced(tree, route, value)
        return Recipe(self.source, tree, self.findings, self.broken, self.sources, self.under)

    # -- values ------------------------------------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """The recipe with overrides as plain values, for training. Keys that are numbers stay numbers."""
        value = plain_with_numbers_as_keys(self.tree)
        return value if isinstance(value, dict) else {}

    def get(self, route: str, default: Any = None) -> Any:
        """The plain value at a route, or the default if it is missing. An empty value is None."""
        node = self.node(route)
        return default if node is None else node.plain()

    def has(self, route: str) -> bool:
        """Whether a route exists, even if its value is empty."""
        return self.node(route) is not None

    def keys(self, route: str) -> list[str]:
        """The keys of the section at a route; empty for anything else."""
        node = self.node(route)
        return list(node.pairs) if node is not None else []

    def node(self, route: str) -> Node | None:
        """The located value at a route."""
        path, rest = self.follow(route)
        return path[-1].node if not rest else None

    def follow(self, route: str) -> tuple[list[Step], str]:
        """Follow a route as far as it exists; return the steps, starting at the root, and the rest of the route."""
        return _follow([Step(self.tree, None, "")], route)

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Yield every value with its route, without values from an alias or ``<<``, which occur at their origin."""
        return _walk("", self.tree)

    # -- sections of recipes------------------------------------------------------------------------------------------

    @property
    def class_path(self) -> str | None:
        """The policy class, as written."""
        value = self.get("model.class_path")
        return value if isinstance(value, str) else None

    @property
    def uses_wrapper(self) -> bool:
        """Whether the policy is named by ``policy_name`` and not by its class."""
        return self.class_path == WRAPPER

    @cached_property
    def policy_name(self) -> str | None:
        """LeRobot's name of the policy ("act"); None if the recipe does not name one."""
        if self.uses_wrapper:
            value = self.get("model.init_args.policy_name")
            return value if isinstance(value, str) else None
        home, _, name = (self.class_path or "").rpartition(".")
        return policy_of_class(name) if home == POLICY_HOME else None

    def params(self) -> dict[str, Any]:
        """The parameters of the policy's config that the recipe sets; direct ones override ``config_kwargs``."""
        kwargs = self.get("model.init_args.config_kwargs")
        direct = self.get("model.init_args")
        own = {*WRAPPER_ARGUMENTS, "policy_name"} if self.uses_wrapper else set(WRAPPER_ARGUMENTS)
        params = dict(kwargs) if isinstance(kwargs, dict) else {}
        if isinstance(direct, dict):
            params |= {name: value for name, value in direct.items() if name not in own}
        if params.get("normalization_mapping", "") is None:  # null means the policy's default
            del params["normalization_mapping"]
        return params

    def param_route(self, name: str) -> str:
        """The route of a parameter of the policy's config, whether or not it is set."""
        if self.has(f"model.init_args.{name}"):
            return f"model.init_args.{name}"
        if self.has(f"model.init_args.config_kwargs.{name}") or self.uses_wrapper:
            return f"model.init_args.config_kwargs.{name}"
        return f"model.init_args.{name}"

    @property
    def repo_id(self) -> str | None:
        """The dataset's id."""
        value = self.data("repo_id")
        return value if isinstance(value, str) else None

    @property
    def root(self) -> str | None:
        """The dataset's folder, if the recipe names one."""
        value = self.data("root")
        return value if isinstance(value, str) else None

    def data(self, name: str, default: Any = None) -> Any:
        """An argument of the data module."""
        return self.get(f"data.init_args.{name}", default)

    def trainer(self, name: str, default: Any = None) -> Any:
        """An argument of the trainer."""
        return self.get(f"trainer.{name}", default)

    # -- places ------------------------------------------------------------------------------------------------------

    def place(self, route: str, on: str = "value") -> Place | None:
        """The position of a route, or of the key of its nearest existing parent; None without one."""
        steps, rest = self.follow(route)
        step = steps[-1]
        if step.pair is None and len(steps) == 1:
            return None
        node = step.node
        if step.pair is not None and (rest or on == "key" or node.end <= node.start):  # the value is empty
            node = step.pair.key
        span = node.source.span(node.start, max(node.end, node.start))
        return Place(node.source.file, span, node.source.lines(span), ".".join(s.name for s in steps[1:]))

    def span(self, route: str, on: str = "value") -> Span | None:
        """The span of a route's value or key, or of the key of its nearest existing parent."""
        place = self.place(route, on)
        return place.span if place else None

    # -- ignore comments ---------------------------------------------------------------------------------------------

    def ignores(self, code: str, line: int | None, file: str = "") -> bool:
        """Whether ``# getiaction: ignore[GA301]`` on a line, above it or at a file's head names the code.

        Args:
            code: the code of a rule.
            line: a line of the file; None for no line of the recipe.
            file: one of the recipe's files; empty for its own.
        """
        places = ((self.file, 0), (file or self.file, 0), (file or self.file, line))
        return any(code.startswith(prefix) for place in places for prefix in self._ignored.get(place, ()))

    @cached_property
    def _ignored(self) -> dict[tuple[str, int | None], tuple[str, ...]]:
        """Code prefixes by the file and line that they apply to; line 0 for the whole file."""
        return {
            (file, line): codes for file, source in self.sources.items() for line, codes in _ignored(source).items()
        }


def _ignored(source: Source) -> dict[int, tuple[str, ...]]:
    """Code prefixes by the line that they apply to; 0 for the whole file."""
    ignored: dict[int, tuple[str, ...]] = {}
    if "getiaction:" not in source.text:
        return ignored
    head = True
    pending: tuple[str, ...] = ()
    for number in range(1, source.line_count + 1):
        line = source.line(number).strip()
        comment = line.startswith("#")
        head = head and (comment or not line)
        codes = tuple(c.strip() for match in _IGNORE.finditer(line) for c in match[1].split(",") if c.strip())
        if head:
            ignored[0] = ignored.get(0, ()) + codes
        elif comment:
            pending += codes
        else:
            ignored[number] = pending + codes
            pending = ()
    return ignored


def _walk(route: str, node: Node) -> Iterator[tuple[str, Node]]:
    yield route, node
    if node.alias:
        return
    children = [(str(index), item) for index, item in enumerate(node.items)]
    children += [(name, pair.value) for name, pair in node.pairs.items() if not pair.merged]
    for name, child in children:
        yield from _walk(f"{route}.{name}" if route else name, child)


def _follow(steps: list[Step], route: str) -> tuple[list[Step], str]:
    if not route:
        return steps, ""
    node = steps[-1].node
    if node.kind is Kind.LIST:
        word, _, rest = route.partition(".")
        if word.isdecimal() and len(word) < 7 and int(word) < len(node.items):
            return _follow([*steps, Step(node.items[int(word)], None, word)], rest)
        return steps, route
    # A key may contain dots: try the longest one first, and keep the match that leaves the shortest rest.
    best = steps, route
    end = len(route)
    while end > 0:
        name = route[:end]
        if pair := node.pairs.get(name):
            reached = _follow([*steps, Step(pair.value, pair, name)], route[end + 1 :])
            if not reached[1]:
                return reached
            best = min(best, reached, key=lambda way: len(way[1]))
        end = route.rfind(".", 0, end)
    return best


def _replaced(node: Node, route: str, value: Any) -> Node:
    """A copy of a tree with another value at a route; the tree itself if the route's section does not exist."""
    steps, rest = _follow([Step(node, None, "")], route)
    if rest and (steps[-1].node.kind is not Kind.MAP or value is ABSENT):
        return node
    if rest:
        last = steps[-1].node
        key = replace(last, kind=Kind.SCALAR, value=rest, raw=rest, items=[], pairs={})
        new = replace(last, pairs={**last.pairs, rest: Pair(rest, key, _node(value, last))})
    elif value is ABSENT:
        gone = steps.pop()
        last = steps[-1].node
        new = replace(last, pairs={name: pair for name, pair in last.pairs.items() if name != gone.name})
    else:
        new = _node(value, steps[-1].node)
    for above, step in zip(steps[-2::-1], steps[:0:-1], strict=True):
        parent = above.node
        if step.pair is None:
            items = [new if item is step.node else item for item in parent.items]
            new = replace(parent, items=items)
        else:
            new = replace(parent, pairs={**parent.pairs, step.name: replace(step.pair, value=new)})
    return new


def _node(value: Any, place: Node) -> Node:
    """Convert a plain value to a node with the position of another one."""
    if isinstance(value, dict):
        pairs = {str(key): Pair(str(key), _node(str(key), place), _node(item, place)) for key, item in value.items()}
        return replace(place, kind=Kind.MAP, value=None, raw="", items=[], pairs=pairs)
    if isinstance(value, list | tuple):
        return replace(place, kind=Kind.LIST, value=None, raw="", items=[_node(v, place) for v in value], pairs={})
    return replace(place, kind=Kind.SCALAR, value=value, raw=str(value), note=None, items=[], pairs={})


def plain_with_numbers_as_keys(node: Node) -> Any:
    """As `Node.plain`, but numeric keys stay numbers: ``{0: 2}`` refers to epoch 0."""
    if node.kind is Kind.MAP:
        numbers = {name: pair.key.value for name, pair in node.pairs.items()}
        return {
            number if type(number := numbers[name]) is int else name: plain_with_numbers_as_keys(pair.value)
            for name, pair in node.pairs.items()
        }
    if node.kind is Kind.LIST and any(item.kind is not Kind.SCALAR for item in node.items):
        return [plain_with_numbers_as_keys(item) for item in node.items]
    return node.plain()
