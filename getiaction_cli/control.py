"""Control characters in untrusted text, which a terminal or an editor would obey.

`clean` replaces them in parts of a line, and `CleanStream` replaces them in all output, so that no command or format
can omit it. Only uses the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TextIO

TAB = "    "

# Control characters, and marks that change the text direction, end lines or have no width.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Colours, and starts and ends of hyperlinks.
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\")


def clean(text: str) -> str:
    """Return text on one line; control characters are replaced by control pictures or U+FFFD."""
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\t":
        return TAB
    if char in "\r\n":
        return " "
    if ord(char) < 32:
        return chr(0x2400 + ord(char))
    return char if char.isprintable() else "\ufffd"


def escaped(text: str) -> str:
    """Escape control characters in JSON, or in text in double quotes, as JSON and YAML do."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class CleanStream:
    """A text stream that replaces control characters, except our own colours and links.

    Args:
        stream: the underlying stream.
        allowed: escape sequences that may pass; the set may grow later.
    """

    def __init__(self, stream: TextIO, allowed: Collection[str]) -> None:
        self.uncleaned = stream
        self._allowed = allowed

    def write(self, text: str) -> int:
        """Write a text of one or more lines."""
        if _OBEYED.search(text):
            parts = _SEQUENCE.split(text)
            marks = [mark if mark in self._allowed else "" for mark in _SEQUENCE.findall(text)]
            text = "".join(_many(part) + mark for part, mark in zip(parts, [*marks, ""], strict=True))
        return self.uncleaned.write(text)

    def writelines(self, lines: Collection[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # a way around
            raise AttributeError(name)
        return getattr(self.uncleaned, name)


def _many(text: str) -> str:
    return _OBEYED.sub(lambda match: _shown(match[0]), text)
