"""Words and numbers that several of these rules use."""

from __future__ import annotations

MEAN = "the mean action"  # the name in getiaction.evaluation.result, which rules do not import


def percent(share: float) -> str:
    """Return a share as a percentage: "0.42 %", "7.4 %", "31 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"
