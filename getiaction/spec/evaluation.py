"""The `evaluation:` section of a recipe: rollouts in simulation while training and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from getiaction.errors import RolloutError

# Metrics that a run with an `evaluation:` section logs; higher is better for all of them.
HIGHER_IS_BETTER = (
    "eval/success_rate",
    "eval/success_rate_low",
    "eval/success_rate_high",
    "eval/sum_reward",
    "eval/max_reward",
)
METRICS = (*HIGHER_IS_BETTER, "eval/episode_length")
MAX_PARALLEL = 10
_MINIMUM = {"episodes": 1, "every_n_steps": 1, "batch_size": 1, "seed": 0, "video": 0}


class Evaluation:
    """Options of rollouts during training.

    Args:
        env: The simulated environment: its LeRobot `type`, and fields of that type's configuration.
        episodes: Number of episodes to run, for each task of the environment.
        every_n_steps: Optimizer steps from one evaluation to the next; null evaluates only after training.
        batch_size: Number of environments stepped in parallel; null for up to 10.
        seed: Seed of the first episode; episode i has seed + i.
        video: Number of episodes to film, for each task of the environment.
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
        """Read the options of a section.

        Raises:
            RolloutError: an unknown key, or an invalid value.
        """
        if not isinstance(section, Mapping) or not isinstance(section.get("env"), Mapping):
            raise RolloutError("evaluation.env must be a section with a `type`", "for example: env: {type: pusht}")
        for key, value in section.items():
            if key != "env" and key not in _MINIMUM:
                raise RolloutError(f"evaluation has no key `{key}`", f"it takes: env, {', '.join(_MINIMUM)}")
            if key == "env" or value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < _MINIMUM[key]:
                raise RolloutError(
                    f"evaluation.{key} must be a whole number of at least {_MINIMUM[key]}, not {value!r}"
                )
        return cls(**{key: value for key, value in section.items() if value is not None})

    @property
    def parallel_environments(self) -> int:
        """Number of environments stepped in parallel."""
        return min(self.batch_size or MAX_PARALLEL, self.episodes)
