"""The recipe applied to its dataset and policy: the arithmetic shared by the rules GA3xx and the summary.

Everything is derived as in training: the features of the policy, the time steps of one sample, the episodes used for
training and the frames in them that start a sample.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from getiaction.spec import episode_split, frame_loading, launch
from getiaction.spec.batches import Batches
from getiaction.spec.frame_loading import Plan
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.datasets.mixture import Mixture
from getiaction_cli.diagnostics import Change, Related, Unavailable
from getiaction_cli.machine import probe
from getiaction_cli.policies import Facts, PolicyConfig, Rejected, to_policy_features
from getiaction_cli.recipe import Recipe

DELTAS = "data.init_args.delta_timestamps"
INPUTS = "model.init_args.input_features"
OUTPUTS = "model.init_args.output_features"
RENAMES = "model.init_args.rename_map"
OBSERVATION = "observation."
STATE, ENVIRONMENT, ACTION, REWARD = "observation.state", "observation.environment_state", "action", "next.reward"
DEFAULT_TOLERANCE = 1e-4

# The parameters that determine the time steps of a key in one sample.
TIMING = ("chunk_size", "horizon", "action_horizon", "action_chunk_size", "n_action_pred_token", "n_obs_steps")


@dataclass(frozen=True)
class Fit:
    """One recipe on one dataset.

    Args:
        recipe: the recipe.
        dataset: its dataset.
        policy: the policy's configuration with the features of this dataset.
        readable: all features that a policy could read, by key.
        writable: all features that a policy could predict, by key.
    """

    recipe: Recipe
    dataset: Dataset
    policy: PolicyConfig
    readable: dict[str, Any]
    writable: dict[str, Any]

    @property
    def facts(self) -> Facts:
        """Facts about the policy besides its configuration."""
        return self.policy.facts

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def fps(self) -> float:
        """Frames per second; raises Unavailable if the dataset does not declare them."""
        if not self.dataset.fps or not self.dataset.fps > 0:
            raise Unavailable("the dataset's fps is not known", is_reported=False)
        return self.dataset.fps

    @property
    def tolerance(self) -> float:
        """The largest allowed difference in seconds between a time step and a frame."""
        value = self.recipe.data("tolerance_s", DEFAULT_TOLERANCE)
        return float(value) if isinstance(value, int | float) else DEFAULT_TOLERANCE

    @cached_property
    def stated(self) -> dict[str, list[float]]:
        """The well-formed entries of the recipe's ``delta_timestamps``, in seconds."""
        value = self.recipe.get(DELTAS)
        entries = value.items() if isinstance(value, dict) else ()
        return {key: [float(t) for t in times] for key, times in entries if is_times(times)}

    def steps(self, key: str) -> list[int] | None:
        """The frames of an entry of ``delta_timestamps``; None if a time is between two frames."""
        times = self.stated[key]
        return None if any(self.is_between(t, key) for t in times) else [round(t * self.fps) for t in times]

    def is_between(self, time: float, key: str) -> bool:
        """Whether a time is between two frames; a rounded number of seconds ("0.033") is not."""
        if not math.isfinite(time):
            return True
        # Times that training derives only need to be recognized; others are passed to LeRobot unchanged.
        tolerance = 0.1 if self.derives(key) else self.tolerance * self.fps
        return abs(time * self.fps - round(time * self.fps)) > tolerance

    def derives(self, key: str) -> bool:
        """Whether training derives the time steps of this key, so that a stated window must agree."""
        return key == ACTION or key.startswith(OBSERVATION) or self.expected(key) is not None

    def expected(self, key: str) -> list[int] | None:
        """The frames of a key that policy and `stride` require; None for the current frame without a time dimension."""
        if key == ACTION:
            steps = self.policy.action_delta_indices
        elif key == REWARD:
            steps = self.policy.reward_delta_indices
        else:
            steps = self.policy.observation_delta_indices if key.startswith(OBSERVATION) else None
        return None if steps is None else [step * self.stride for step in steps]

    def window(self, key: str) -> list[int]:
        """The frames of a key that training reads: the stated ones if the policy reads as many, else derived ones."""
        expected = self.expected(key)
        stated = self.steps(key) if key in self.stated else None
        return stated if stated and expected and len(stated) == len(expected) else expected or [0]

    @property
    def stride(self) -> int:
        """The recipe's `stride`, frames from one step of the policy to the next; 1 if it is missing or invalid."""
        value = self.recipe.data("stride", 1)
        return value if type(value) is int and value > 0 else 1

    @cached_property
    def frames_apart(self) -> int:
        """Frames from one action to the next in a training window; 1 if the distances differ."""
        window = self.window(ACTION)
        return frames_apart(window) if len(window) > 1 else self.stride

    @cached_property
    def dropped(self) -> int:
        """Number of frames at the end of each episode that do not start a sample."""
        return max(0, self.policy.drop_n_last_frames) * self.frames_apart

    def reads(self, key: str) -> bool:
        """Whether the policy's loss depends on this key of a sample."""
        if key == REWARD:
            return self.policy.reward_delta_indices is not None
        if key in self.policy.output_features or self.renames.get(key, key) in self.policy.input_features:
            return True
        return key == STATE and self.facts.known and self.facts.reads_state_device

    def network_reads(self, key: str) -> bool:
        """Whether the network reads this key of a sample.

        LeRobot normalizes every `observation.…` of the dataset, but its networks only read cameras,
        `observation.state` and, in some policies, `observation.environment_state`. A plugin may read anything.
        """
        name = self.renames.get(key, key)
        feature = self.policy.input_features.get(name)
        if feature is None or self.policy.policy.entry.plugin:
            return self.reads(key)
        kind = feature.type.value
        return kind == "VISUAL" or name == STATE or (kind == "ENV" and self.policy.policy.reads_environment)

    def unread(self) -> list[str]:
        """The features of the dataset that the policy receives, but its network does not read."""
        return [key for key in self.readable if self.reads(key) and not self.network_reads(key)]

    def without(self, left_out: Collection[str]) -> Change:
        """The fix that removes features from the policy's inputs."""
        title = f"leave {listed(sorted(left_out))} out of the inputs"
        given = self.recipe.get(INPUTS)
        if isinstance(given, list | dict) and given:
            routes = [f"{INPUTS}.{place}" for place in (given if isinstance(given, dict) else range(len(given)))]
            gone = tuple(route for route, key in zip(routes, given, strict=True) if key in left_out)
            if isinstance(given, dict):
                return Change(title, remove=gone)
            return Change(title, set=((INPUTS, [key for key in given if key not in left_out]),))
        keep = [key for key in self.readable if self.reads(key) and key not in left_out]
        return Change(title, set=((INPUTS, keep),))

    @cached_property
    def inputs(self) -> list[str] | None:
        """The features that the recipe's ``input_features`` lists; None if it is not set."""
        listed_inputs = self.recipe.get(INPUTS)
        if not isinstance(listed_inputs, list | dict):
            return None
        return [key for key in listed_inputs if isinstance(key, str)]

    @cached_property
    def renames(self) -> dict[str, str]:
        """Dataset key → key of the pretrained policy."""
        renames = self.recipe.get(RENAMES)
        return {str(old): str(new) for old, new in renames.items()} if isinstance(renames, dict) else {}

    def seconds(self, steps: Sequence[int]) -> str:
        """Describe a window: "16 frames, -0.1 to 1.4 s"."""
        if not len(steps):
            return "no frames"
        first, last = steps[0] / self.fps, steps[-1] / self.fps
        if len(steps) == 1:
            return f"1 frame, at {first:g} s"
        stride = frames_apart(steps)
        apart = f", every {ordinal(stride)}" if stride > 1 else ""
        return f"{len(steps)} frames{apart}, {first:g} to {last:g} s"

    def timing(self) -> tuple[Related, ...]:
        """The places that determine the window: the policy's parameters that the recipe sets, and the dataset's fps."""
        written = [name for name in TIMING if self.recipe.has(self.recipe.param_route(name))]
        places = [Related(f"{name} is {self.policy.get(name)}", at=self.recipe.param_route(name)) for name in written]
        return (*places, Related(f"{self.fps:g} frames per second", file="meta/info.json", key="fps"))

    def describe_timing(self) -> str:
        """The parameters that determine the window, as text: "horizon 16, n_obs_steps 2"."""
        names = [name for name in TIMING if self.policy.get(name) is not None]
        if self.policy.observation_delta_indices is None:
            names = [name for name in names if name != "n_obs_steps"]
        words = [f"{name} {self.policy.get(name)}" for name in names]
        return ", ".join([*words, f"stride {self.stride}"] if self.stride > 1 else words)

    # -- episodes ----------------------------------------------------------------------------------------------------

    @cached_property
    def chosen(self) -> npt.NDArray[np.int64]:
        """The rows of the recipe's episodes that exist, in the recipe's order."""
        return np.concatenate(self._chosen_of_each)

    @cached_property
    def _chosen_of_each(self) -> list[npt.NDArray[np.int64]]:
        """The chosen rows of each dataset of a mixture, counted over all datasets."""
        if isinstance(self.dataset, Mixture):
            return self.dataset.chosen
        there = len(self.dataset.episodes)
        asked, excluded = (self._listed(name) for name in ("episodes", "exclude_episodes"))
        some = episode_split.used(there, asked, excluded)
        return [np.arange(there) if some is None else np.array(some, dtype=np.int64)]

    @cached_property
    def lacking_of_each(self) -> list[tuple[Dataset, list[str]]]:
        """Each dataset with the files of its chosen episodes that are not in this machine's cache."""
        each = self.dataset.datasets if isinstance(self.dataset, Mixture) else [self.dataset]
        first, found = 0, list[tuple[Dataset, list[str]]]()
        for dataset, rows in zip(each, self._chosen_of_each, strict=True):
            found.append((dataset, dataset.lacking(rows - first)))
            first += len(dataset.episodes)
        return found

    @property
    def lacking(self) -> list[str]:
        """The files of all datasets that are not in this machine's cache."""
        return [name for _, names in self.lacking_of_each for name in names]

    def _listed(self, name: str) -> list[int] | None:
        """The episodes of a list in the recipe that exist, without duplicates; None without such a list."""
        episodes, count = self.recipe.data(name), len(self.dataset.episodes)
        if not isinstance(episodes, list):
            return None
        return list(dict.fromkeys(e for e in episodes if isinstance(e, int) and 0 <= e < count))

    @property
    def val_split(self) -> float:
        """The fraction of the episodes to hold out; 0 if it is missing or invalid."""
        value = self.recipe.data("val_split", 0.0)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and 0 <= value < 1 else 0.0

    @cached_property
    def _split(self) -> tuple[npt.NDArray[np.int64], list[int], npt.NDArray[np.int64]]:
        """Training rows, held-out rows and lengths; cached in the dataset for recipes that choose equal episodes."""
        splits, episodes = self.dataset.splits, self.dataset.episodes
        choice = self.val_split, self.chosen.tobytes()
        if choice not in splits:
            rows, held_out = self.chosen, list[int]()
            if self.val_split:
                tasks, kept = episodes.first_task_codes(), list[npt.NDArray[np.int64]]()
                for some in self._chosen_of_each:  # each dataset of a mixture holds out its own
                    held = episode_split.held_out(tasks[some].tolist(), self.val_split)
                    kept.append(np.delete(some, held))
                    held_out += some[held].tolist()
                rows = np.concatenate(kept)
            splits[choice] = rows, held_out, episodes.length[rows]
        return splits[choice]

    @property
    def held_out(self) -> list[int]:
        """The rows of the episodes held out for validation: the last ones of each task, never all of them."""
        return self._split[1]

    @cached_property
    def frames(self) -> npt.NDArray[np.int64]:
        """Number of frames of each training episode."""
        return self._split[2]

    @cached_property
    def _strides(self) -> npt.NDArray[np.int64]:
        """Frames per step of each training episode; 1 except in a mixture of several frame rates."""
        if isinstance(self.dataset, Mixture):
            return self.dataset.strides[self._split[0]]
        return np.broadcast_to(np.int64(1), self.frames.shape)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each training episode in steps."""
        return -(-self.frames // self._strides) if isinstance(self.dataset, Mixture) else self.frames

    @cached_property
    def samples(self) -> npt.NDArray[np.int64]:
        """Number of frames of each training episode that start a sample."""
        return np.maximum(0, self.frames - self.dropped * self._strides)

    @cached_property
    def frames_plan(self) -> Plan | None:
        """How training loads frames if none are decoded yet; None without cameras, or with `fast_dev_run`."""
        if self.recipe.trainer("fast_dev_run"):
            return None
        size = self.dataset.frame_bytes * int(self.dataset.episodes.length[self.chosen].sum())
        if not size:
            return None
        try:
            option = frame_loading.read_option(self.recipe.data("frame_store"))
        except ValueError:
            return None  # reported by the rules about values
        return frame_loading.choose(option, size=size, missing=size, folder=frame_loading.frames_root(option))

    @property
    def samples_per_second(self) -> float:
        """Estimated throughput of loading on this machine, an order of magnitude."""
        assert self.frames_plan is not None
        dataset = self.dataset
        return frame_loading.expected_samples_per_second(
            self.frames_plan.method,
            cameras=len(dataset.camera_keys),
            window=len(self.policy.observation_delta_indices or [0]),
            frame_bytes=dataset.frame_bytes,
            pixels=sum(w * h for w, h in (dataset.features[key].resolution or (0, 0) for key in dataset.camera_keys)),
            cores=frame_loading.cores(),
            workers=0,
        )

    @property
    def batch_size(self) -> int:
        """Samples per batch of training."""
        value = self.recipe.data("train_batch_size", 8)
        return value if isinstance(value, int) and value > 0 else 8

    @cached_property
    def step(self) -> Batches:
        """The batches of an optimizer step."""
        accumulated = self.recipe.trainer("accumulate_grad_batches", 1)
        trainer = self.recipe.get("trainer")
        machine = probe()
        on_gpus = self.recipe.trainer("accelerator", "auto") in ("auto", "gpu", "cuda") and machine.has_cuda
        return Batches(
            self.batch_size,
            accumulated if type(accumulated) is int and accumulated > 0 else 1,
            launch.read().processes(
                trainer if isinstance(trainer, dict) else {}, len(machine.gpus) if on_gpus else None
            ),
        )

    @property
    def batches_per_epoch(self) -> int:
        """Batches of one process in one pass over the samples; the last one may be smaller."""
        return self.step.batches(int(self.samples.sum()))

    @property
    def val_batches(self) -> int:
        """Number of batches of one validation over all held-out episodes."""
        value = self.recipe.data("val_batch_size")
        size = value if isinstance(value, int) and value > 0 else self.batch_size
        samples = int(self.dataset.episodes.length[self.held_out].sum()) if self.held_out else 0
        return Batches(size, processes=self.step.processes).batches(samples)

    @property
    def batches(self) -> int:
        """Number of batches of an epoch after ``trainer.limit_train_batches``."""
        limit = self.recipe.trainer("limit_train_batches", 1.0)
        if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 0:
            return self.batches_per_epoch
        return min(limit, self.batches_per_epoch) if isinstance(limit, int) else int(self.batches_per_epoch * limit)

    @property
    def padded(self) -> float:
        """The share of action targets that extend past an episode's end and repeat its last action."""
        window = self.window(ACTION)
        steps = np.array([s for s in window if s > 0])
        total = int(self.samples.sum()) * max(1, len(window))
        if not len(steps) or not total:
            return 0.0
        missing = 0
        for stride in np.unique(self._strides).tolist():
            lengths = self.lengths[self._strides == stride]
            for length, episodes in zip(*np.unique(lengths, return_counts=True), strict=True):
                begins = max(0, int(length) - self.dropped)
                # Only the last steps of an episode have windows that extend past its end.
                behind = int(length) - 1 - np.arange(max(0, begins - int(steps.max())), begins)
                missing += int((steps[None, :] > behind[:, None]).sum()) * int(episodes) * stride
        return min(1.0, missing / total)


def fit(recipe: Recipe, dataset: Dataset, policy: PolicyConfig) -> Fit:
    """Apply a recipe to its dataset and policy.

    Raises:
        Unavailable: LeRobot can't convert the dataset's features, which another rule reports.
    """
    if not dataset.features:
        raise Unavailable("the dataset's features are not known", is_reported=False)
    try:
        readable, writable = to_policy_features({key: feature.raw for key, feature in dataset.features.items()})
    except Rejected as reason:
        raise Unavailable(f"features: {reason}", is_reported=False) from reason
    for key, feature in {**readable, **writable}.items():
        if not feature.shape or not all(type(size) is int and size > 0 for size in feature.shape):
            raise Unavailable(f"the shape of {key} in info.json is not a list of sizes")
    return Fit(recipe, dataset, policy, readable, writable)


def frames_apart(steps: Sequence[int]) -> int:
    """Frames from one step of a window to the next; 1 if the distances differ."""
    apart = {after - before for before, after in pairwise(steps)}
    return max(1, apart.pop()) if len(apart) == 1 else 1


def is_times(value: object) -> bool:
    """Whether a value is a list of numbers."""
    return isinstance(value, list) and all(isinstance(t, int | float) and not isinstance(t, bool) for t in value)


def ordinal(number: int) -> str:
    """Format an ordinal number: "2nd" for 2."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def listed(words: Sequence[str], most: int = 6) -> str:
    """Format words as a list in backquotes: "`a`, `b` and 3 more"."""
    quoted = [f"`{word}`" for word in words[:most]]
    if len(words) > most:
        return ", ".join(quoted) + f" and {len(words) - most} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
