"""Words and numbers that several of these rules use."""

from __future__ import annotations

MEAN = "the mean action"  # as getiaction.evaluation.result calls it; a rule imports nothing of the core


def percent(share: float) -> str:
    """A share as people read it: "0.42 %", "7.4 %", "31 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"
