"""Characters that a terminal or an editor obeys instead of showing. What strangers send may hold some of them.

Texts are cleaned where a line is made of them (`clean`), and everything once more where it leaves the program
(`CleanStream`), so that no command and no format can forget it. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TextIO

TAB = "    "

# Control characters, and the marks that turn the direction of writing, end lines or take no room.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Colours, and where a link to a page begins or ends.
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\")


def clean(text: str) -> str:
    """One line of text without what a terminal would obey: control characters become a picture or a replacement."""
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
    """A JSON document, or a text in double quotes, with these characters as the escapes that JSON and YAML know."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class CleanStream:
    """A text stream that lets nothing through which steers a terminal, but our own colours and links.

    Args:
        stream: where it goes.
        allowed: the escape sequences that may pass; more may be added to it later.
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
