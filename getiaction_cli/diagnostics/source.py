"""A text and its lines: convert offsets to lines and columns, and back."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from getiaction_cli.diagnostics import Span

# Line breaks as in editors. YAML also breaks lines at U+0085, U+2028 and U+2029, where editors don't.
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
        """Number of lines; an empty text has one."""
        return len(self._starts)

    @property
    def is_command_line(self) -> bool:
        """Whether this is the text of an override, which fixes can't edit."""
        return self.file == COMMAND_LINE

    def line_of(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self._starts, offset)

    def start_of(self, line: int) -> int:
        """The offset of the start of a line, counted from 1; after the last line, the end of the text."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its break."""
        return self.text[self.start_of(number) : self.start_of(number + 1)].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        first, last = self.line_of(start), self.line_of(end)
        return Span(first, start - self.start_of(first) + 1, last, end - self.start_of(last) + 1, start, end)

    def lines(self, span: Span) -> tuple[str, ...]:
        """The lines that a span covers."""
        last = span.end_line if span.end_column > 1 or span.end_line == span.line else span.end_line - 1
        return tuple(self.line(number) for number in range(span.line, last + 1))
