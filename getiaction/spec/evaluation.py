"""The `evaluation:` section of a recipe: rollouts in simulation while training and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from getiaction.errors import RolloutError

# Metrics that a run with an `evaluation:` section logs, and for which more is better.
HIGHER_IS_BETTER = (
    "eval/success_rate",
    "eval/success_rate_low",
    "eval/success_rate_high",
    "eval/sum_reward",
    "eval/max_reward",
)
METRICS = (*HIGHER_IS_BETTER, "eval/episode_length")
MOST_TOGETHER = 10
_LEAST = {"episodes": 1, "every_n_steps": 1, "batch_size": 1, "seed": 0, "video": 0}


class Evaluation:
    """When and how to run rollouts.

    Args:
        env: The simulated environment: its LeRobot `type`, and fields of that type's configuration.
        episodes: How many episodes to run, for each task of the environment.
        every_n_steps: Run them after every so many optimizer steps, and at the end; null for the end only.
        batch_size: How many environments are stepped together; null for up to 10.
        seed: Seed of the first episode; episode i has seed + i.
        video: How many episodes are filmed, for each task of the environment.
    """

    def __init__(
        self,
        env: dict[str, Any],
        episodes: int = 50,
        every_n_steps: int | None = None,
        batch_size: int | None = None,
        seed: int = 1000,
        video: int = 3,
    ) -> None:
        self.env = env
        self.episodes = episodes
        self.every_n_steps = every_n_steps
        self.batch_size = batch_size
        self.seed = seed
        self.video = video

    @classmethod
    def read(cls, section: Any) -> Evaluation:
        """The options of a section.

        Raises:
            RolloutError: a key that does not exist, or a value that cannot be used.
        """
        if not isinstance(section, Mapping) or not isinstance(section.get("env"), Mapping):
            raise RolloutError("evaluation.env must be a section with a `type`", "for example: env: {type: pusht}")
        for key, value in section.items():
            if key != "env" and key not in _LEAST:
                raise RolloutError(f"evaluation has no key `{key}`", f"it takes: env, {', '.join(_LEAST)}")
            if key == "env" or value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < _LEAST[key]:
                raise RolloutError(f"evaluation.{key} must be a whole number of at least {_LEAST[key]}, not {value!r}")
        return cls(**{key: value for key, value in section.items() if value is not None})

    @property
    def together(self) -> int:
        """How many environments are stepped together."""
        return min(self.batch_size or MOST_TOGETHER, self.episodes)
