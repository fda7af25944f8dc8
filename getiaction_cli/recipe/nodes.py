"""Located values: a YAML text as a tree in which every key and value has its position.

The tree is built from the parser's events and not with ``yaml.compose``, which recurses in C, so that ten thousand
brackets crash the process. Here depth, number of values and alias expansion are limited, and exceeding a limit is a
finding. Tags never construct objects. Aliases share their target, so memory is limited, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.diagnostics.source import Source
from getiaction_cli.recipe.scalars import Note, plain, tagged

# A recipe is a page of text. The longest realistic one lists a few thousand episodes.
MAX_DEPTH = 40
MAX_VALUES = 20_000
MAX_IN_KEY = 1_000  # characters

_OWN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map"))
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|#.*)*)*")

Found = tuple[str, Finding]


class Kind(StrEnum):
    """The three shapes of a YAML value."""

    SCALAR = "scalar"
    LIST = "list"
    MAP = "section"


@dataclass(slots=True, eq=False)
class Node:
    """A value and its position. Offsets count characters from 0, the end is exclusive.

    Args:
        kind: scalar, list or section.
        source: the text that contains it.
        start: offset of its start.
        end: offset of its end, without trailing blanks and comments.
        value: of a scalar, the plain value.
        raw: of a scalar, the text as written, without quotes.
        quoted: of a scalar, whether it is in quotes or in a block (``|``, ``>``).
        note: of a scalar, that other YAML readers read it differently; None if they don't.
        flow: whether a list or section is written in brackets.
        items: of a list, its values.
        pairs: of a section, its keys in order; of duplicate keys the last one, as in every YAML reader.
        alias: whether it is written as ``*name``; the positions of its children are those at the anchor.
        size: number of values in it, including itself, with aliases expanded.
        height: number of levels below it, with aliases expanded.
    """

    kind: Kind
    source: Source
    start: int
    end: int
    value: Any = None
    raw: str = ""
    quoted: bool = False
    note: Note | None = None
    flow: bool = False
    items: list[Node] = field(default_factory=list)
    pairs: dict[str, Pair] = field(default_factory=dict)
    alias: bool = False
    size: int = 1
    height: int = 0

    def plain(self) -> Any:
        """The value without positions: None, bool, int, float, str, list and dict."""
        if self.kind is Kind.SCALAR:
            return self.value
        if self.kind is Kind.MAP:
            return {name: pair.value.plain() for name, pair in self.pairs.items()}
        items = [item.plain() for item in self.items]
        return expand_ellipsis(items) or items


@dataclass(slots=True, eq=False)
class Pair:
    """A key and its value. ``merged``: it comes from a section merged by ``<<``, and so has a position elsewhere."""

    name: str
    key: Node
    value: Node
    merged: bool = False


def expand_ellipsis(items: list[Any]) -> list[Any] | None:
    """Expand ``[0.0, 0.1, ..., 1.5]``; None if there is no ellipsis, or no regular step."""
    places = [index for index, item in enumerate(items) if item in ("...", "…")]
    if len(places) != 1 or not 2 <= places[0] == len(items) - 2:
        return None
    (*head, before, first), last = items[: places[0]], items[-1]
    if any(isinstance(item, bool) or not isinstance(item, int | float) for item in (*head, before, first, last)):
        return None
    step = first - before
    count = (last - first) / step if step else 0
    if not 1 <= count <= 10_000 or abs(count - round(count)) > 1e-6:
        return None
    rest = [first + step * number for number in range(1, round(count))]
    return [*items[: places[0]], *(round(item, 9) if isinstance(item, float) else item for item in rest), last]


class LimitExceeded(Exception):  # noqa: N818 - caught in this package
    """The text is deeper or larger than a recipe may be."""

    def __init__(self, message: str, start: int) -> None:
        super().__init__(message)
        self.start = start


def build(source: Source, text: str) -> tuple[Node | None, list[Found]]:
    """Build the tree of one text.

    Args:
        source: the text that positions refer to.
        text: the text to parse; as long as ``source.text``, with some parts blanked.

    Returns:
        The root (None for an empty text) and the findings.

    Raises:
        yaml.YAMLError: the text is not YAML.
        LimitExceeded: depth, number of values or alias expansion exceed their limits.
    """
    return _Builder(source).run(text)


class _Builder:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Found] = []
        self.anchors: dict[str, Node] = {}
        self.open_anchors: list[str | None] = []
        self.count = 0
        self.end = 0  # end of the last value: block collections end there, not at the next token

    def run(self, text: str) -> tuple[Node | None, list[Found]]:
        self.events = _Loader(text)
        root: Node | None = None
        documents = 0
        try:
            while not isinstance(event := self.events.get_event(), yaml.StreamEndEvent):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    self.anchors = {}
                    if documents == 2:
                        self._report("GA103", "a second document begins here; only the first is the recipe", event)
                elif not isinstance(event, yaml.StreamStartEvent | yaml.DocumentEndEvent):
                    node = self._node(event, 0)
                    root = root or node
        finally:
            self.events.dispose()
        return root, self.found

    def _report(self, code: str, message: str, event: Any, help: str = "") -> None:
        span = self.source.span(event.start_mark.index, max(event.end_mark.index, event.start_mark.index + 1))
        self.found.append((code, Finding(message, span=span, help=help)))

    def _count(self, size: int, event: Any) -> None:
        self.count += size
        if self.count > MAX_VALUES:
            raise LimitExceeded(f"more than {MAX_VALUES:,} values once aliases are written out", event.start_mark.index)

    def _check_depth(self, depth: int, start: int) -> None:
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"more than {MAX_DEPTH} levels deep", start)

    def _node(self, event: Any, depth: int) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        self._check_depth(depth, start)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(1, event)
        tag = event.tag
        if tag == "!":
            tag = "tag:yaml.org,2002:str"
        elif tag is not None and tag not in _OWN_TAGS:
            self._report("GA104", f"the tag `{tag}` does nothing here: a recipe holds plain values only", event)
            tag = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, tag)
        else:
            self.open_anchors.append(event.anchor)
            kind = Kind.LIST if isinstance(event, yaml.SequenceStartEvent) else Kind.MAP
            node = Node(kind, self.source, self._after_properties(event), end, flow=bool(event.flow_style))
            (self._items if kind is Kind.LIST else self._pairs)(node, depth)
            self.open_anchors.pop()
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _after_properties(self, event: Any) -> int:
        """The offset of the value itself, after its anchor and tag."""
        start = event.start_mark.index
        if event.anchor or event.tag:
            start = _PROPERTIES.match(self.source.text, start).end()  # type: ignore[union-attr]
        return start

    def _scalar(self, event: Any, tag: str | None) -> Node:
        start, end = self._after_properties(event), event.end_mark.index
        word, quoted = event.value, event.style in ("'", '"', "|", ">")
        if event.style in ("|", ">"):  # a block ends at the end of its last line, before the line break
            end = start + len(self.source.text[start:end].rstrip())
        end = max(start, end)  # a tag without a value
        node = Node(Kind.SCALAR, self.source, start, end, raw=word, quoted=quoted)
        if tag:
            node.value = tagged(tag, word)
        elif quoted:
            node.value = word
        else:
            node.value, node.note = plain(word)
        self.end = max(self.end, end)
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        self.end = max(self.end, end)
        target = self.anchors.get(event.anchor)
        if target is None:
            inside = event.anchor in self.open_anchors
            why = "refers to the value that contains it" if inside else "refers to an anchor that is not above it"
            self._report("GA101", f"`*{event.anchor}` {why}", event)
            return Node(Kind.SCALAR, self.source, start, end)
        self._count(target.size, event)
        self._check_depth(depth + target.height, start)
        return Node(
            target.kind, self.source, start, end, target.value, target.raw, target.quoted, target.note, target.flow,
            target.items, target.pairs, alias=True, size=target.size, height=target.height,
        )  # fmt: skip

    def _items(self, node: Node, depth: int) -> None:
        while not isinstance(event := self.events.get_event(), yaml.SequenceEndEvent):
            item = self._node(event, depth + 1)
            node.items.append(item)
            node.size += item.size
            node.height = max(node.height, item.height + 1)
        self._close(node, event)

    def _pairs(self, node: Node, depth: int) -> None:
        merged: list[Node] = []
        while not isinstance(event := self.events.get_event(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if len(key.raw) > MAX_IN_KEY:
                raise LimitExceeded(f"a key of more than {MAX_IN_KEY:,} characters", key.start)
            value = self._node(self.events.get_event(), depth + 1)
            node.size += value.size + 1
            node.height = max(node.height, value.height + 1)
            if key.kind is not Kind.SCALAR:
                self._report("GA101", "a key must be a word, not a list or a section", event)
                continue
            if key.raw == "<<" and not key.quoted:
                merged += value.items if value.kind is Kind.LIST else [value]
                continue
            if earlier := node.pairs.get(key.raw):
                self.found.append(("GA102", _duplicate(key, earlier, value)))
            # A key is its text: `on:` and `1:` are not converted.
            node.pairs[key.raw] = Pair(key.raw, key, value)
        for section in merged:
            if section.kind is not Kind.MAP:
                span = self.source.span(section.start, section.end)
                self.found.append(("GA101", Finding("`<<` takes a section to merge in", span=span)))
            for name, pair in section.pairs.items():
                node.pairs.setdefault(name, Pair(name, pair.key, pair.value, merged=True))
        self._close(node, event)

    def _close(self, node: Node, event: Any) -> None:
        if node.flow:
            self.end = max(self.end, event.end_mark.index)
        node.end = max(self.end, node.start)


def _duplicate(key: Node, earlier: Pair, value: Node) -> Finding:
    source = key.source
    first = source.span(earlier.key.start, earlier.key.end)
    same = earlier.value.plain() == value.plain()
    consequence = "with the same value" if same else "and the last one wins"
    return Finding(
        f"`{key.raw}` is here twice, {consequence}",
        span=source.span(key.start, key.end),
        label=f"first on line {first.line}",
        related=(Related("first here", span=first),),
    )
