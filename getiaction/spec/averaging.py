"""The `ema` section of a recipe's model: an exponential moving average of the weights (EMA).

The schedule is that of LeRobot's coming `ema` section (LeRobot main, configs/default.py, August 2026), which is that of
diffusers' `EMAModel` and of the original Diffusion Policy:
update t (from 0) uses the decay 1 - (1 + t / inv_gamma) ** -power, between min_decay and max_decay. So the first
update copies the weights, and early weights are forgotten quickly. A constant `decay` (openpi uses 0.99) replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MIN_DECAY, MAX_DECAY = 0.0, 0.9999


class Averaging:
    """Settings of the average: average = decay * average + (1 - decay) * weights, after each optimizer step.

    Args:
        decay: A constant decay; null for the schedule.
        update_after_step: The average is a copy of the weights up to this optimizer step.
        inv_gamma: Scale of the schedule, in steps.
        power: Exponent of the schedule.
        min_decay: Smallest decay of the schedule.
        max_decay: Largest decay of the schedule.
        keep_raw: Also save the weights without averaging, in pretrained_model_raw/.

    Raises:
        ValueError: a number is out of its range, or a constant decay is combined with limits of the schedule.
    """

    def __init__(
        self,
        decay: float | None = None,
        update_after_step: int = 0,
        inv_gamma: float = 1.0,
        power: float = 0.75,
        min_decay: float = MIN_DECAY,
        max_decay: float = MAX_DECAY,
        keep_raw: bool = False,
    ) -> None:
        if decay is not None and not 0 <= decay <= 1:
            raise ValueError(f"ema.decay must be between 0 and 1, got {decay}")
        if decay is not None and (min_decay, max_decay) != (MIN_DECAY, MAX_DECAY):
            raise ValueError("ema.decay is constant: it cannot be combined with ema.min_decay or ema.max_decay")
        if not 0 <= min_decay <= max_decay <= 1:
            raise ValueError(f"ema needs 0 <= min_decay <= max_decay <= 1, got {min_decay} and {max_decay}")
        if inv_gamma <= 0 or power <= 0:
            raise ValueError(f"ema.inv_gamma and ema.power must be above 0, got {inv_gamma} and {power}")
        if update_after_step < 0:
            raise ValueError(f"ema.update_after_step must be at least 0, got {update_after_step}")
        self.decay = decay
        self.update_after_step = update_after_step
        self.inv_gamma = inv_gamma
        self.power = power
        self.min_decay = min_decay
        self.max_decay = max_decay
        self.keep_raw = keep_raw

    @classmethod
    def read(cls, section: Any) -> Averaging | None:
        """Read the settings of `ema: true` or `ema: {…}`; None for `false` and null.

        Raises:
            ValueError: a value that cannot be used.
            TypeError: a key that does not exist.
        """
        if section is None or section is False:
            return None
        if section is True:
            return cls()
        if not isinstance(section, Mapping):
            raise ValueError(f"ema must be true or a section such as {{decay: 0.999}}, got {section!r}")
        return cls(**section)

    def decay_at(self, step: int) -> float:
        """The decay of the update after an optimizer step.

        Args:
            step: Optimizer steps done, from 1.
        """
        t = step - self.update_after_step - 1
        if t < 0:
            return 0.0
        if self.decay is not None:
            return self.decay
        scheduled = 1 - (1 + t / self.inv_gamma) ** -self.power
        return min(max(scheduled, self.min_decay), self.max_decay)

    def share_of_start(self, steps: int) -> float:
        """The share of the initial weights in the average after a number of steps, from 0 to 1."""
        updates = max(steps - self.update_after_step, 0)
        if self.decay is not None:
            return self.decay**updates if self.update_after_step == 0 else 0.0
        share = 1.0
        for step in range(1, steps + 1):
            share *= self.decay_at(step)
            if share < 1e-3:
                return 0.0
        return share
