"""Text for a terminal, measured in columns. Recipes are untrusted: their control characters are replaced."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from typing import TextIO

from getiaction_cli.control import clean as clean


def width(text: str) -> int:
    """Return the width in columns of a text without control characters."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def cut(text: str, columns: int) -> str:
    """Shorten a text without control characters to ``columns``, with an ellipsis at the end."""
    used = fits = 0
    for position, char in enumerate(text):
        used += _columns(char)
        if used > columns:
            return text[:fits] + "…"
        if used <= columns - 1:
            fits = position + 1
    return text


_COMMAND = re.compile(r"`getiaction [^`]*`")
_MARKER = re.compile(r"(?:[-*]|\d+\.) +")  # starts a list entry
_KEPT = "\x00"  # a placeholder for a space; clean() removes it from texts


def wrap(text: str, columns: int, indent: str) -> str:
    """Wrap a paragraph to ``columns``; all lines but the first are indented.

    A command in backquotes stays on one line, so that it can be copied.
    """
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _KEPT), clean(text))
    lines = textwrap.wrap(whole, max(columns - len(indent), 20), break_long_words=False, break_on_hyphens=False)
    return ("\n" + indent).join(lines or [""]).replace(_KEPT, " ")


def reflow(markdown: str, columns: int) -> str:
    """Wrap the paragraphs and list entries of Markdown to ``columns``; code and tables are not changed."""
    lines: list[str] = []
    entry: list[str] = []
    fenced = False

    def end() -> None:
        if entry:
            marker = _MARKER.match(entry[0])
            indent = " " * len(marker[0]) if marker else ""
            lines.append(wrap(" ".join(line.strip() for line in entry), columns, indent))
            entry.clear()

    for line in markdown.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or line.startswith(("```", "#", "|", "    ")) or not line.strip():
            end()
            lines.append(line)
            continue
        if _MARKER.match(line):
            end()
        entry.append(line)
    end()
    return "\n".join(lines)


def wants_color(stream: TextIO | None = None) -> bool:
    """Whether to use colours: on a terminal unless NO_COLOR is set, always with FORCE_COLOR or CLICOLOR_FORCE."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    stream = stream or sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Return the width of the terminal; 100 if there is none."""
    return max(40, shutil.get_terminal_size((100, 24)).columns)


_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "bold": "1",
    "gutter": "1;34",
    "dim": "2",
    "good": "1;32",
}


_LINK_END = "\x1b]8;;\x1b\\"
# The escape sequences that may reach a terminal: colours, and links from `linked`.
SEQUENCES = {"\x1b[0m", _LINK_END, *(f"\x1b[{code}m" for code in _CODES.values())}


def linked(text: str, url: str) -> str:
    """Return the text as a hyperlink (OSC 8) if stdout is a terminal with colours and there is a URL.

    Args:
        text: the visible text.
        url: a URL of getiaction's documentation, never from a recipe or a dataset.
    """
    if not url or not url.isascii() or not sys.stdout.isatty() or not wants_color():
        return text
    start = f"\x1b]8;;{url}\x1b\\"
    SEQUENCES.add(start)
    return f"{start}{text}{_LINK_END}"


class Paint:
    """ANSI styles, or none. It does not use rich, whose import takes longer than checking a recipe."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, style: str, text: str) -> str:
        """Return the text in a style."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.on and text else text
