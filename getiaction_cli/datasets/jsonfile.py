"""JSON files of a dataset: read without ever raising, and where each value stands in the text."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction_cli.diagnostics import Span
from getiaction_cli.diagnostics.source import Source

_MAX_BYTES = 256 << 20
_MAX_DEPTH = 200
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonFile:
    """What a JSON file holds. ``problem`` is empty when it could be read; then ``value`` is what stands in it."""

    text: str = ""
    value: Any = None
    problem: str = ""
    at: int = 0

    @property
    def readable(self) -> bool:
        """True when the file is JSON."""
        return not self.problem


def read_json(path: Path) -> JsonFile:
    """Read a JSON file; whatever goes wrong becomes its ``problem``."""
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
    last = len(file.text.rstrip()) - 1
    return Source("", file.text).span(min(file.at, last), min(file.at, last) + 1) if last >= 0 else None


def find(source: Source, route: str) -> Span | None:
    """Where the value at a dotted route stands; keys may hold dots ("features.observation.state.shape").

    Where the last steps are absent, the nearest parent's key is shown. None when the text is no JSON object.
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
        key_start, key_end, value_at, route = step
        value_end = _end(text, value_at)
        if text[value_at] in "{[" and "\n" in text[value_at:value_end]:
            span = key_start, key_end  # a long section is shown by its key
        else:
            span = value_at, value_end
        at = value_at
    return span


def _step(text: str, at: int, route: str) -> tuple[int, int, int, str] | None:
    """The member of the container at ``at`` that the route enters: key start and end, value start, the route left."""
    best: tuple[int, int, int, str] | None = None
    if text[at] == "{":
        longest = -1
        for start, end, value_at in _members(text, at):
            key = json.loads(text[start:end])
            if (route == key or route.startswith(key + ".")) and len(key) > longest:
                longest = len(key)
                best = start, end, value_at, route[len(key) + 1 :]
    elif text[at] == "[":
        head, _, rest = route.partition(".")
        if head.isdigit():
            for number, (start, end, value_at) in enumerate(_items(text, at)):
                if number == int(head):
                    best = start, end, value_at, rest
    return best


def _members(text: str, at: int) -> list[tuple[int, int, int]]:
    members = []
    at = _skip(text, at + 1)
    while text[at] != "}":
        match = _STRING.match(text, at)
        if match is None:
            raise ValueError("no key")
        value_at = _skip(text, _skip(text, match.end()) + 1)
        members.append((match.start(), match.end(), value_at))
        at = _skip(text, _end(text, value_at))
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members


def _items(text: str, at: int) -> list[tuple[int, int, int]]:
    items = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _end(text, at)
        items.append((at, end, at))
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
