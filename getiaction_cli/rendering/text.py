"""Text for a terminal, measured in columns. Recipes come from strangers: nothing in them may steer it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from typing import TextIO

from getiaction_cli.control import clean as clean


def width(text: str) -> int:
    """How many columns a clean text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def cut(text: str, columns: int) -> str:
    """As much of a clean text as fits, with an ellipsis where something is left out."""
    used = fits = 0
    for position, char in enumerate(text):
        used += _columns(char)
        if used > columns:
            return text[:fits] + "…"
        if used <= columns - 1:
            fits = position + 1
    return text


def wrap(text: str, columns: int, indent: str) -> str:
    """A paragraph in lines of at most that many columns, all but the first indented."""
    lines = textwrap.wrap(
        clean(text), max(columns - len(indent), 20), break_long_words=False, break_on_hyphens=False
    ) or [""]  # fmt: skip
    return ("\n" + indent).join(lines)


def wants_color(stream: TextIO | None = None) -> bool:
    """Colours on a terminal that knows them, unless NO_COLOR is set; FORCE_COLOR asks for them anywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    stream = stream or sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """How wide the terminal is; 100 where there is none."""
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


COLOURS = ("\x1b[0m", *(f"\x1b[{code}m" for code in _CODES.values()))


class Paint:
    """Colours, or none. Plain ANSI: importing rich costs more than checking a recipe."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, style: str, text: str) -> str:
        """The text in that style."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.on and text else text
