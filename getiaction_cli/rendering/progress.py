"""Progress on stderr: a live bar on a terminal, otherwise one line at the end."""

from __future__ import annotations

import sys
import time
from threading import Lock
from typing import TextIO

from getiaction_cli.rendering.text import clean, columns, cut
from getiaction_cli.units import size

_EVERY = 0.1  # seconds between two updates


class Progress:
    """A progress bar; a `getiaction_cli.datasets.progress.OnProgress`."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.stream = stream or sys.stderr
        self.live = not quiet and self.stream.isatty()
        self._begun: dict[str, float] = {}
        self._closed: set[str] = set()
        self._drawn = 0.0
        self._lock = Lock()

    def __call__(self, doing: str, done: int, total: int, unit: str) -> None:
        """Show ``done`` of ``total``; the call with ``done >= total`` ends the line."""
        with self._lock:
            now = time.monotonic()
            begun = self._begun.setdefault(doing, now)
            if self.quiet or doing in self._closed:
                return
            if done >= total:
                self._closed.add(doing)
                self._line(f"{doing}: {_amount(total, unit)} in {now - begun:.1f} s", end="\n")
            elif self.live and now - self._drawn >= _EVERY:
                self._drawn = now
                room = max(10, min(30, columns() - len(doing) - 40))
                filled = room * done // max(total, 1)
                bar = "█" * filled + "░" * (room - filled)
                self._line(
                    f"{doing} {bar} {_amount(done, unit)} of {_amount(total, unit)}{_left(now - begun, done, total)}"
                )

    def clear(self) -> None:
        """Erase an unfinished bar before an error is printed."""
        if self.live:
            self._write("\r\x1b[K")

    def _line(self, text: str, end: str = "") -> None:
        start = "\r\x1b[K" if self.live else ""
        self._write(start + cut(clean(text), columns() - 1) + end)

    def _write(self, text: str) -> None:
        stream = getattr(self.stream, "uncleaned", self.stream)  # CleanStream would replace the cursor movement
        stream.write(text)
        stream.flush()


def _amount(number: int, unit: str) -> str:
    return size(number) if unit == "bytes" else f"{number:,} {unit}"


def _left(seconds: float, done: int, total: int) -> str:
    if seconds < 2 or not done:
        return ""
    left = seconds * (total - done) / done
    return f", {left:.0f} s left" if left < 120 else f", {left / 60:.0f} min left"
