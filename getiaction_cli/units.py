"""Formatting of quantities."""

from __future__ import annotations


def size(count: float) -> str:
    """Format bytes: "12 B", "3.4 kB", "120 MB", "1.2 TB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Format seconds: "8.8 s", "12 min", "5.3 h"."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def plural(number: int, one: str, many: str = "") -> str:
    """Format a count with its noun: "1 episode", "1,200 episodes"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def magnitude(count: int) -> str:
    """Format a large count: "12,345", "51.6 million", "3.02 billion"."""
    for least, unit in ((1e9, " billion"), (1e6, " million")):
        if count >= least:
            return f"{count / least:.3g}{unit}"
    return f"{count:,}"


def number(value: float) -> str:
    """Format a number with up to four significant digits: "0.0213", "83.9", "1,204", "1.2e+08"."""
    if value != value:
        return "nan"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.1e}"
