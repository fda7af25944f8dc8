"""JSON files of a dataset: read without ever raising, and where each value is in the text."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction_cli.diagnostics import Span
from getiaction_cli.diagnostics.source import Source

_MAX_BYTES = 256 << 20
_MAX_DEPTH = 200
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_CONTAINERS = 16  # whose places are kept: many findings point into the same few sections
_MOST_DIGITS = 9


@dataclass(frozen=True)
class JsonFile:
    """What a JSON file holds. ``problem`` is empty when it could be read; then ``value`` is what is in it."""

    text: str = ""
    value: Any = None
    problem: str = ""
    at: int = 0

    @cached_property
    def source(self) -> Source:
        """The text, for its lines."""
        return Source("", self.text)


def read_json(path: Path) -> JsonFile:
    """Read a JSON file; any failure becomes its ``problem``."""
    try:
        raw = trust.read_bytes(path, _MAX_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            return JsonFile(problem=f"is larger than {_MAX_BYTES >> 20} MB")
        return JsonFile(problem=f"can't be opened: {error.strerror or error}")
    if not raw.strip():
        return JsonFile(problem="is empty")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return JsonFile(problem=f"is not text: byte {error.start} is not UTF-8")
    try:
        return JsonFile(text, json.loads(text))
    except json.JSONDecodeError as error:
        return JsonFile(text, None, f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}", error.pos)
    except RecursionError:
        return JsonFile(text, None, "is not usable JSON: nested too deeply")
    except ValueError as error:
        return JsonFile(text, None, f"is not usable JSON: {error}")


def stumble(file: JsonFile) -> Span | None:
    """Where an unreadable file stops being JSON: a character that is there, also when the file ends too early."""
    at = min(file.at, len(file.text.rstrip()) - 1)
    return file.source.span(at, at + 1) if file.problem and at >= 0 else None


def find(source: Source, route: str) -> Span | None:
    """Where the value at a dotted route is; keys may hold dots ("features.observation.state.shape").

    Where the last steps are absent, the nearest parent's key is shown. None when the text is not a JSON object.
    """
    try:
        found = _descend(source.text, _skip(source.text, 0), route)
    except (ValueError, IndexError, RecursionError):
        return None
    return source.span(*found) if found else None


def _descend(text: str, at: int, route: str) -> tuple[int, int] | None:
    span: tuple[int, int] | None = None
    for _ in range(_MAX_DEPTH):
        if not route:
            return span
        step = _step(text, at, route)
        if step is None:
            return span
        key_start, key_end, value_at, value_end, route = step
        if text[value_at] in "{[" and "\n" in text[value_at:value_end]:
            span = key_start, key_end  # a long section is shown by its key
        else:
            span = value_at, value_end
        at = value_at
    return span


def _step(text: str, at: int, route: str) -> tuple[int, int, int, int, str] | None:
    """The member of the container at ``at`` that the route enters: start and end of key and value, the route left."""
    if text[at] == "{":
        members = _members(text, at)
        key = max((head for head in _heads(route) if head in members), key=len, default=None)
        return None if key is None else (*members[key], route[len(key) + 1 :])
    if text[at] == "[":
        head, _, rest = route.partition(".")
        items = _items(text, at)
        if head.isdigit() and int(head[:_MOST_DIGITS]) < len(items):
            start, end = items[int(head)]
            return start, end, start, end, rest
    return None


def _heads(route: str) -> Iterator[str]:
    """The route up to each of its first dots, and the whole of it where it has no more."""
    at = -1
    for _ in range(_MAX_DEPTH):
        at = route.find(".", at + 1)
        yield route[:at] if at >= 0 else route
        if at < 0:
            return


@lru_cache(maxsize=_CONTAINERS)
def _members(text: str, at: int) -> dict[str, tuple[int, int, int, int]]:
    """Key → start and end of key and value in the mapping at ``at``; of equal keys the last, as json.loads does."""
    members: dict[str, tuple[int, int, int, int]] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, key_end = _DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise ValueError("no key")
        value_at = _skip(text, _skip(text, key_end) + 1)
        value_end = _end(text, value_at)
        members[key] = at, key_end, value_at, value_end
        at = _skip(text, value_end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members


@lru_cache(maxsize=_CONTAINERS)
def _items(text: str, at: int) -> list[tuple[int, int]]:
    """Start and end of each item of the list at ``at``."""
    items = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _end(text, at)
        items.append((at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return items


def _end(text: str, at: int) -> int:
    """Where the value that starts at ``at`` ends."""
    return _DECODER.raw_decode(text, at)[1]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
