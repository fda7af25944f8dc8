"""Rollouts: run a policy in a simulated environment and count how often it succeeds."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from getiaction.errors import RolloutError
from getiaction.files import write_atomically
from getiaction.lerobot.environments import (
    Actor,
    Episode,
    StoppedEarly,
    declared_inputs,
    environment_config,
    environments,
    isolated_random_state,
    mismatches,
    roll_out,
)
from getiaction.spec.evaluation import Evaluation
from getiaction.spec.run_folder import ROLLOUTS_FILE

Z = 1.959964  # two-sided 95 %


@dataclass(frozen=True)
class Report:
    """The result of rollouts.

    Args:
        env: the recipe's section of the environment.
        episodes: all episodes.
        seconds: duration of the rollouts.
        step: the optimizer steps that the policy had been trained for; None if unknown.
        planned: episodes per task that were requested, if the rollouts were stopped early; None otherwise.
    """

    env: Mapping[str, Any]
    episodes: tuple[Episode, ...]
    seconds: float
    step: int | None = None
    planned: int | None = None

    @property
    def successes(self) -> int:
        """Number of successful episodes."""
        return sum(episode.success for episode in self.episodes)

    @property
    def success_rate(self) -> float:
        """Share of the episodes that succeeded."""
        return self.successes / len(self.episodes)

    @property
    def success_interval(self) -> tuple[float, float]:
        """The 95 % interval of the success rate."""
        return wilson(self.successes, len(self.episodes))

    @property
    def max_reward(self) -> tuple[float, float]:
        """Mean over the episodes of their largest reward, and half the width of its 95 % interval."""
        return mean_and_half_width([episode.max_reward for episode in self.episodes])

    @property
    def metrics(self) -> dict[str, float]:
        """The logged metrics, by name."""
        low, high = self.success_interval
        return {
            "eval/success_rate": self.success_rate,
            "eval/success_rate_low": low,
            "eval/success_rate_high": high,
            "eval/sum_reward": statistics.fmean(episode.sum_reward for episode in self.episodes),
            "eval/max_reward": self.max_reward[0],
            "eval/episode_length": statistics.fmean(episode.steps for episode in self.episodes),
        }

    def rows(self) -> list[tuple[str, str]]:
        """The result as text, as (name, value) pairs."""
        low, high = self.success_interval
        count = len(self.episodes)
        best, half = self.max_reward
        lengths = sorted(episode.steps for episode in self.episodes)
        seeds = [episode.seed for episode in self.episodes]
        spread = f" ± {half:.2f}" if math.isfinite(half) else ""
        stopped = []
        if self.planned is not None:
            stopped = [("stopped", f"early, after {count} episodes; {self.planned} per task were planned")]
        return [
            *stopped,
            (
                "success",
                f"{self.successes} of {count} ({self.success_rate:.0%}; 95 % interval {low:.0%} to {high:.0%})",
            ),
            ("best reward", f"{best:.2f}{spread} (mean of the best moment of each episode)"),
            ("reward", f"{self.metrics['eval/sum_reward']:.2f} (mean of the sums over an episode)"),
            ("length", f"{lengths[0]} to {lengths[-1]} steps, median {statistics.median(lengths):.0f}"),
            ("seeds", f"{min(seeds)} to {max(seeds)}" if len(set(seeds)) > 1 else str(seeds[0])),
        ]

    def line(self) -> str:
        """The result in one line."""
        low, high = self.success_interval
        best, half = self.max_reward
        spread = f" ± {half:.2f}" if math.isfinite(half) else ""
        rate = f"{self.success_rate:.0%}, 95 % interval {low:.0%} to {high:.0%}"
        return f"success {self.successes} of {len(self.episodes)} ({rate}), best reward {best:.2f}{spread}"

    def plain(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "version": 1,
            "env": dict(self.env),
            "step": self.step,
            "stopped_early": self.planned is not None,
            "seconds": round(self.seconds, 3),
            "metrics": self.metrics,
            "max_reward_half_width": self.max_reward[1] if math.isfinite(self.max_reward[1]) else None,
            "episodes": [asdict(episode) for episode in self.episodes],
        }

    def write(self, folder: Path) -> Path:
        """Write `rollouts.json` into a folder; returns the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / ROLLOUTS_FILE
        write_atomically(file, json.dumps(self.plain(), indent=2) + "\n")
        return file


def run(
    options: Evaluation,
    actor: Actor,
    *,
    folder: Path | None = None,
    step: int | None = None,
    on_step: Callable[[int, int], None] = lambda done, step: None,
) -> Report:
    """Run the episodes and summarize them; if Ctrl-C or `on_step` stops them, the complete batches.

    Args:
        options: the environment and the number of episodes.
        actor: the policy with its processors.
        folder: folder for `rollouts.json` and videos; None writes nothing.
        step: the optimizer steps that the policy has been trained for.
        on_step: called after every step with the episodes finished so far and the step of the current batch.

    Raises:
        MachineError: the environment's package is not installed.
        RolloutError: the environment cannot be created, or it does not fit the policy.
        StoppedEarly: stopped before the first batch was complete.
    """
    config = environment_config(options.env)
    began = time.monotonic()
    planned = None
    try:
        episodes: Sequence[Episode] = roll_out(
            config,
            actor,
            episodes=options.episodes,
            batch_size=options.parallel_environments,
            seed=options.seed,
            videos=folder,
            most_videos=options.video,
            on_step=on_step,
        )
    except StoppedEarly as stopped:
        if not stopped.episodes:
            raise
        episodes, planned = stopped.episodes, options.episodes
    report = Report(options.env, tuple(episodes), time.monotonic() - began, step, planned)
    if folder is not None:
        report.write(folder)
    return report


def fitted(env: Mapping[str, Any], actor: Actor, observation_types: Sequence[str]) -> dict[str, Any]:
    """Choose the first `obs_type` that declares every input of the policy, unless the environment sets one.

    Args:
        env: the environment's `type` and fields.
        actor: the policy.
        observation_types: the values of `obs_type` to try.
    """
    if "obs_type" in env:
        return dict(env)
    for word in (None, *observation_types):
        candidate = dict(env) if word is None else {**env, "obs_type": word}
        if set(actor.config.input_features) <= declared_inputs(environment_config(candidate)):
            return candidate
    return dict(env)


def check(options: Evaluation, actor: Actor) -> list[str]:
    """Create the environment once and compare it with the policy, before training starts.

    Returns:
        Harmless differences, such as the size of the images.

    Raises:
        MachineError: the environment's package is not installed.
        RolloutError: the environment cannot be created, or it does not fit the policy.
    """
    config = environment_config(options.env)
    with isolated_random_state(options.seed), environments(config, 1) as made:
        vector = next(iter(next(iter(made.values())).values()))
        errors, notes = mismatches(config, vector, actor)
    if errors:
        raise RolloutError(f"the environment {config.type} does not fit the policy: {'; '.join(errors)}")
    return notes


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's score interval), which stays inside 0 to 1 and works for few episodes."""
    share = successes / count
    middle = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    return (middle - half if successes else 0.0), (middle + half if successes < count else 1.0)


def mean_and_half_width(values: list[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval by the normal approximation; nan for a single value."""
    if len(values) < 2:
        return values[0], math.nan
    return statistics.fmean(values), Z * statistics.stdev(values) / math.sqrt(len(values))
