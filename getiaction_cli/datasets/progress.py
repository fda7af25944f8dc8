"""How long work on a dataset reports its progress."""

from __future__ import annotations

from typing import Protocol


class OnProgress(Protocol):
    """Called as work continues. The command line draws a bar; this package prints nothing."""

    def __call__(self, doing: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` (``unit`` "bytes", "frames", …); the last call has ``done == total``."""
