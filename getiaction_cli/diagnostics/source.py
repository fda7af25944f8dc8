"""A text and its lines: turns offsets into lines and columns, and back into what a reader sees."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from getiaction_cli.diagnostics import Span

# What editors count as a line. YAML also breaks at U+0085, U+2028 and U+2029; no editor shows a new line number there.
_BREAK = re.compile(r"\r\n|\r|\n")

COMMAND_LINE = "<command line>"


class Source:
    """A named text.

    Args:
        file: the name shown to the user, as they typed it.
        text: the whole text.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    @property
    def line_count(self) -> int:
        """How many lines there are; an empty text has one."""
        return len(self._starts)

    @property
    def is_command_line(self) -> bool:
        """True for the text of an override, which no fix can edit."""
        return self.file == COMMAND_LINE

    def line_of(self, offset: int) -> int:
        """The line, from 1, on which that offset lies."""
        return bisect_right(self._starts, offset)

    def start_of(self, line: int) -> int:
        """The offset at which a line, counted from 1, begins; the end of the text past the last one."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its break."""
        return self.text[self.start_of(number) : self.start_of(number + 1)].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        first, last = self.line_of(start), self.line_of(end)
        return Span(first, start - self.start_of(first) + 1, last, end - self.start_of(last) + 1, start, end)

    def lines(self, span: Span) -> tuple[str, ...]:
        """The lines a span touches."""
        last = span.end_line if span.end_column > 1 or span.end_line == span.line else span.end_line - 1
        return tuple(self.line(number) for number in range(span.line, last + 1))
