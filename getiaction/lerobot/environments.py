"""LeRobot's simulated environments: their configuration, creation and rollouts."""

import contextlib
import difflib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import draccus
import numpy as np
import torch
from draccus.utils import ParsingError
from lerobot.configs import PreTrainedConfig
from lerobot.envs import EnvConfig, HubEnvConfig, close_envs, make_env, make_env_pre_post_processors
from lerobot.envs.utils import preprocess_observation
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.processor import PolicyProcessorPipeline, RenameObservationsProcessorStep
from lerobot.scripts import lerobot_eval
from lerobot.utils.constants import ACTION
from lerobot.utils.io_utils import write_video
from lerobot.utils.random_utils import get_rng_state, set_rng_state, set_seed

from getiaction.errors import MachineError, RolloutError
from getiaction.lerobot.configuration import plain
from getiaction.lerobot.errors import first_line, quiet_prints
from getiaction.spec.installing import install_command

Environments = dict[str, dict[int, Any]]


def environment_names() -> list[str]:
    """The environment types that LeRobot registers, sorted."""
    return sorted(EnvConfig.get_known_choices())


def environment_config(env: Mapping[str, Any]) -> EnvConfig:
    """Make LeRobot's configuration of an environment.

    Args:
        env: `type`, and fields of that type's configuration class.

    Raises:
        RolloutError: the type or a field does not exist, a value is invalid, or the type is not a simulation that runs
            from installed packages.
    """
    values = dict(env)
    name = values.pop("type", None)
    if name not in EnvConfig.get_known_choices():
        close = difflib.get_close_matches(str(name), environment_names(), n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"one of: {', '.join(environment_names())}"
        raise RolloutError(f"LeRobot has no environment `{name}`", hint)
    cls = EnvConfig.get_choice_class(name)
    known = [each.name for each in fields(cls) if each.init]
    if issubclass(cls, HubEnvConfig):
        raise RolloutError(f"`{name}` runs code that it downloads from the Hub; getiaction never does that")
    if {"robot", "teleop"} <= set(known):
        raise RolloutError(f"`{name}` drives a real robot; rollouts run in simulation only")
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"it takes: {', '.join(sorted(known))}"
            raise RolloutError(f"the environment {name} has no field `{key}`", hint)
    try:
        return draccus.decode(cls, plain(values))
    except (ParsingError, ValueError, TypeError) as error:
        cause = error.__cause__ if isinstance(error, ParsingError) and error.__cause__ else error
        raise RolloutError(f"the environment {name}: {first_line(cause)}") from error


def declared_inputs(config: EnvConfig) -> set[str]:
    """The observation keys that an environment's configuration declares, as a policy receives them."""
    return {config.features_map.get(key, key) for key in config.features}


@contextlib.contextmanager
def environments(config: EnvConfig, count: int) -> Iterator[Environments]:
    """Create `count` environments of each task, and close them afterwards.

    They are stepped one after another in this process. LeRobot's default, one process each, fails for environments
    registered by other packages: the new process does not import these packages.

    Yields:
        Suite name → task number → vector environment.

    Raises:
        MachineError: the environment's package is not installed.
        RolloutError: the environment cannot be created.
    """
    _choose_renderer()
    try:
        with quiet_prints(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make_env(config, n_envs=count, use_async_envs=False)
    except ImportError as error:
        raise MachineError(
            f"the environment {config.type} needs a package that is not installed: {first_line(error)}",
            install_command(f"getiaction[{config.type}]"),
        ) from error
    except Exception as error:
        raise RolloutError(f"the environment {config.type} cannot be created: {first_line(error)}") from error
    try:
        yield made
    finally:
        with quiet_prints(), contextlib.suppress(Exception):
            close_envs(made)


def _choose_renderer() -> None:
    """Let MuJoCo render offscreen if there is no display; its default needs a window."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("MUJOCO_GL", "egl")


@dataclass
class Actor:
    """A policy with its processors.

    Args:
        policy: LeRobot's policy.
        preprocessor: from an observation with LeRobot's keys to the policy's input.
        postprocessor: from the policy's output to an action in the robot's units.
    """

    policy: PreTrainedPolicy
    preprocessor: PolicyProcessorPipeline
    postprocessor: PolicyProcessorPipeline

    @property
    def config(self) -> PreTrainedConfig:
        """The policy's configuration."""
        return self.policy.config


def mismatches(config: EnvConfig, vector: Any, actor: Actor) -> tuple[list[str], list[str]]:
    """Compare an observation and the action space of a created environment with the features of a policy.

    Args:
        config: the environment's configuration.
        vector: a vector environment made from it.
        actor: the policy.

    Returns:
        Differences that make a rollout impossible, and harmless ones.
    """
    observation, _ = vector.reset(seed=[0] * vector.num_envs)
    before, _ = make_env_pre_post_processors(env_cfg=config, policy_cfg=actor.config)
    seen = before({**preprocess_observation(observation), "task": [""] * vector.num_envs})
    renames: dict[str, str] = {}
    for step in actor.preprocessor.steps:
        if isinstance(step, RenameObservationsProcessorStep):
            renames |= step.rename_map
    shapes = {renames.get(key, key): tuple(v.shape[1:]) for key, v in seen.items() if isinstance(v, torch.Tensor)}
    errors, notes = [], []
    for key, feature in actor.config.input_features.items():
        shape = tuple(feature.shape)
        if key not in shapes:
            if not key.startswith("observation.images.empty_camera"):
                errors.append(f"the policy reads `{key}`, and the environment provides {', '.join(sorted(shapes))}")
        elif feature.type.value == "VISUAL":
            if shapes[key] != shape:
                pictures = f"{_size(shapes[key])} in the environment and {_size(shape)} in the dataset"
                notes.append(f"the pictures of `{key}` are {pictures}")
        elif shapes[key] != shape:
            errors.append(f"`{key}` has {_count(shapes[key])} in the environment and {_count(shape)} in the dataset")
    action = (actor.config.output_features or {}).get(ACTION)
    space = vector.single_action_space.shape
    if action is not None and space is not None and tuple(space) != tuple(action.shape):
        errors.append(
            f"the environment takes {_count(space)} as an action and the policy predicts {_count(action.shape)}"
        )
    return errors, notes


def _size(shape: Sequence[int]) -> str:
    """Width and height of a (channels, height, width) shape."""
    return f"{shape[-1]}x{shape[-2]}" if len(shape) == 3 else str(tuple(shape))


def _count(shape: Sequence[int]) -> str:
    size = int(np.prod(shape))
    return f"{size} value{'' if size == 1 else 's'}"


@dataclass(frozen=True)
class Episode:
    """One episode of a rollout.

    Args:
        task: suite and task number, as "pusht_0".
        seed: the seed of the environment.
        success: whether the environment reported success.
        sum_reward: the sum over all its steps.
        max_reward: the largest of all its steps.
        steps: the number of actions executed.
        video: the file name of its video; None without a video.
    """

    task: str
    seed: int
    success: bool
    sum_reward: float
    max_reward: float
    steps: int
    video: str | None = None


class StoppedEarly(Exception):  # noqa: N818 - a request of the user
    """Rollouts were stopped. `on_step` raises it; `roll_out` raises it again with the finished episodes.

    Only complete batches count: in an interrupted batch the short episodes are finished first, and in most environments
    those are the successful ones.

    Args:
        episodes: the episodes of the complete batches.
    """

    def __init__(self, episodes: Sequence[Episode] = ()) -> None:
        super().__init__("stopped early")
        self.episodes = tuple(episodes)


def roll_out(
    config: EnvConfig,
    actor: Actor,
    *,
    episodes: int,
    batch_size: int,
    seed: int,
    videos: Path | None = None,
    most_videos: int = 0,
    on_step: Callable[[int, int], None] = lambda done, step: None,
) -> list[Episode]:
    """Run a policy in an environment with LeRobot's own rollout, as `lerobot-eval` does.

    Episode i of each task gets the seed `seed + i`, and the random numbers of the policy start from `seed`.
    If an episode ends early, `lerobot-eval` adds the reward of the step after the last one to `sum_reward`; here it is
    excluded. Everything else is equal.

    Args:
        config: the environment's configuration.
        actor: the policy.
        episodes: number of episodes per task; further ones of the last batch are not counted.
        batch_size: number of environments stepped in parallel.
        seed: seed of the first episode.
        videos: a folder for the videos of the first episodes of each task.
        most_videos: the maximum number of videos per task.
        on_step: called after every step with the episodes finished so far and the step of the current batch.

    Returns:
        The episodes, by task and then by seed.

    Raises:
        MachineError, RolloutError: the environment cannot be created.
        StoppedEarly: `on_step` raised it, or Ctrl-C was pressed.
    """
    policy = actor.policy
    around = make_env_pre_post_processors(env_cfg=config, policy_cfg=actor.config)
    finished: list[Episode] = []
    training = policy.training

    def batches(made: Environments) -> Iterator[tuple[Any, _Batch]]:
        for suite, tasks in made.items():
            for number, vector in tasks.items():
                for first in range(0, episodes, vector.num_envs):
                    yield (
                        vector,
                        _Batch(
                            task=f"{suite}_{number}",
                            seeds=[seed + first + i for i in range(vector.num_envs)],
                            counted=min(vector.num_envs, episodes - first),
                            filmed=min(vector.num_envs, max(0, most_videos - first)) if videos else 0,
                            fps=int(vector.unwrapped.metadata.get("render_fps", config.fps)),
                        ),
                    )

    with isolated_random_state(seed), environments(config, batch_size) as made:
        policy.eval()
        try:
            with _ctrl_c_pressed() as pressed:

                def stepped(step: int) -> None:
                    if pressed():
                        raise StoppedEarly
                    on_step(len(finished), step)

                for vector, batch in batches(made):
                    batch.run(vector, actor, around, stepped)
                    finished += batch.episodes(videos)
        except (StoppedEarly, KeyboardInterrupt):
            raise StoppedEarly(finished) from None
        finally:
            policy.train(training)
            policy.reset()
    return finished


@contextlib.contextmanager
def _ctrl_c_pressed() -> Iterator[Callable[[], bool]]:
    """Context in which Ctrl-C is noted instead of raised; a second one is raised.

    Simulators call Python from C, where an exception is printed and lost.
    """
    presses = 0

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # as in training
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: presses > 0
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def isolated_random_state(seed: int) -> Iterator[None]:
    """Context in which all generators are seeded as in `lerobot-eval`; afterwards their state is restored."""
    state = get_rng_state()
    set_seed(seed)
    try:
        yield
    finally:
        set_rng_state(state)


@dataclass
class _Batch:
    """Episodes that start together and are stepped until the last of them ends."""

    task: str
    seeds: list[int]
    counted: int
    filmed: int
    fps: int
    steps: int = 0
    frames: list[list[np.ndarray]] = field(default_factory=list)
    data: dict[str, torch.Tensor] = field(default_factory=dict)

    def run(self, vector: Any, actor: Actor, around: tuple[Any, Any], on_step: Callable[[int], None]) -> None:
        def film(env: Any) -> None:
            if self.filmed:
                self.frames.append([env.envs[i].render() for i in range(self.filmed)])
            on_step(self.steps)
            self.steps += 1

        # Suppresses LeRobot's progress bar, which is not shown inside SLURM.
        quiet = mock.patch.object(lerobot_eval, "inside_slurm", lambda: True)
        mixed = torch.autocast(str(actor.config.device)) if actor.config.use_amp else contextlib.nullcontext()
        with quiet, torch.no_grad(), mixed, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.data = lerobot_eval.rollout(
                vector,
                actor.policy,
                *around,
                actor.preprocessor,
                actor.postprocessor,
                seeds=self.seeds,
                render_callback=film,
            )

    def episodes(self, videos: Path | None) -> list[Episode]:
        lasts = torch.argmax(self.data["done"].to(int), dim=1)
        found = []
        for i, (seed, last) in enumerate(zip(self.seeds[: self.counted], lasts.tolist(), strict=False)):
            video = f"{self.task}_seed_{seed}.mp4" if videos and i < self.filmed else None
            if videos and video:
                videos.mkdir(parents=True, exist_ok=True)
                # The image after the last action already shows the next episode.
                write_video(videos / video, [pictures[i] for pictures in self.frames[: last + 1]], self.fps)
            rewards = self.data["reward"][i, : last + 1].to(torch.float64)
            success = bool(self.data["success"][i, : last + 1].any())
            found.append(Episode(self.task, seed, success, float(rewards.sum()), float(rewards.max()), last + 1, video))
        return found
