"""How a recipe, its dataset and its policy fit together: the arithmetic that the GA3xx rules and the summary share.

Everything here is derived as training derives it: the features that the policy gets, the time steps of one sample, the
episodes that are trained on and the frames in them that begin a sample.
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

# The parameters that decide which time steps of a key make one sample.
TIMING = ("chunk_size", "horizon", "action_horizon", "action_chunk_size", "n_action_pred_token", "n_obs_steps")


@dataclass(frozen=True)
class Fit:
    """One recipe on one dataset.

    Args:
        recipe: what the user wrote.
        dataset: what it names.
        policy: the policy's configuration with the features it gets from this dataset.
        readable: every feature that a policy could read, by key.
        writable: every feature that a policy could predict, by key.
    """

    recipe: Recipe
    dataset: Dataset
    policy: PolicyConfig
    readable: dict[str, Any]
    writable: dict[str, Any]

    @property
    def facts(self) -> Facts:
        """What is known of the policy besides its configuration."""
        return self.policy.facts

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def fps(self) -> float:
        """Frames per second; Unavailable when the dataset doesn't say."""
        if not self.dataset.fps or not self.dataset.fps > 0:
            raise Unavailable("the dataset's fps is not known", is_reported=False)
        return self.dataset.fps

    @property
    def tolerance(self) -> float:
        """Seconds by which a time step may miss a frame."""
        said = self.recipe.data("tolerance_s", DEFAULT_TOLERANCE)
        return float(said) if isinstance(said, int | float) else DEFAULT_TOLERANCE

    @cached_property
    def stated(self) -> dict[str, list[float]]:
        """The well-formed entries of the recipe's ``delta_timestamps``, in seconds."""
        said = self.recipe.get(DELTAS)
        entries = said.items() if isinstance(said, dict) else ()
        return {key: [float(t) for t in times] for key, times in entries if is_times(times)}

    def steps(self, key: str) -> list[int] | None:
        """The frames that a stated entry means; None when they lie between frames."""
        times = self.stated[key]
        return None if any(self.is_between(t, key) for t in times) else [round(t * self.fps) for t in times]

    def is_between(self, time: float, key: str) -> bool:
        """True when a time lies between two frames: a rounded number of seconds ("0.033") doesn't."""
        if not math.isfinite(time):
            return True
        # What is derived anyway needs only to be recognised; anything else goes to LeRobot as written.
        tolerance = 0.1 if self.derives(key) else self.tolerance * self.fps
        return abs(time * self.fps - round(time * self.fps)) > tolerance

    def derives(self, key: str) -> bool:
        """True when training derives the time steps of this key: what is stated can only agree or contradict."""
        return key == ACTION or key.startswith(OBSERVATION) or self.expected(key) is not None

    def expected(self, key: str) -> list[int] | None:
        """The frames of a key that policy and `stride` ask for; None for the current frame without a time dimension."""
        if key == ACTION:
            steps = self.policy.action_delta_indices
        elif key == REWARD:
            steps = self.policy.reward_delta_indices
        else:
            steps = self.policy.observation_delta_indices if key.startswith(OBSERVATION) else None
        return None if steps is None else [step * self.stride for step in steps]

    def window(self, key: str) -> list[int]:
        """The frames of a key that training reads: those that are stated, where the policy can take as many."""
        expected = self.expected(key)
        stated = self.steps(key) if key in self.stated else None
        return stated if stated and expected and len(stated) == len(expected) else expected or [0]

    @property
    def stride(self) -> int:
        """Frames from one step of the policy to the next, as the recipe says; 1 where it says nothing usable."""
        said = self.recipe.data("stride", 1)
        return said if type(said) is int and said > 0 else 1

    @cached_property
    def frames_apart(self) -> int:
        """Frames from one action to the next in what training reads; 1 where the distances differ."""
        window = self.window(ACTION)
        return frames_apart(window) if len(window) > 1 else self.stride

    @cached_property
    def dropped(self) -> int:
        """Frames at the end of each episode that begin no sample."""
        return max(0, self.policy.drop_n_last_frames) * self.frames_apart

    def reads(self, key: str) -> bool:
        """True when the policy's loss depends on this key of a sample."""
        if key == REWARD:
            return self.policy.reward_delta_indices is not None
        if key in self.policy.output_features or self.renames.get(key, key) in self.policy.input_features:
            return True
        return key == STATE and self.facts.known and self.facts.reads_state_device

    def network_reads(self, key: str) -> bool:
        """True when the network computes with this key of a sample.

        LeRobot normalizes every `observation.…` of the dataset, but its networks take cameras, `observation.state` and,
        in some policies, `observation.environment_state` only. A plugin may read anything.
        """
        name = self.renames.get(key, key)
        feature = self.policy.input_features.get(name)
        if feature is None or self.policy.policy.entry.plugin:
            return self.reads(key)
        kind = feature.type.value
        return kind == "VISUAL" or name == STATE or (kind == "ENV" and self.policy.policy.reads_environment)

    def unread(self) -> list[str]:
        """The features of the dataset that the policy is given and its network does not read."""
        return [key for key in self.readable if self.reads(key) and not self.network_reads(key)]

    def without(self, left_out: Collection[str]) -> Change:
        """The fix that leaves features out of the policy's inputs."""
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
        """The features that the recipe's ``input_features`` names; None where it leaves the choice to the dataset."""
        said = self.recipe.get(INPUTS)
        return [key for key in said if isinstance(key, str)] if isinstance(said, list | dict) else None

    @cached_property
    def renames(self) -> dict[str, str]:
        """Dataset key → key that a pretrained policy knows it by."""
        said = self.recipe.get(RENAMES)
        return {str(old): str(new) for old, new in said.items()} if isinstance(said, dict) else {}

    def seconds(self, steps: Sequence[int]) -> str:
        """A window in words: "16 frames, -0.1 to 1.4 s"."""
        if not len(steps):
            return "no frames"
        first, last = steps[0] / self.fps, steps[-1] / self.fps
        if len(steps) == 1:
            return f"1 frame, at {first:g} s"
        stride = frames_apart(steps)
        apart = f", every {ordinal(stride)}" if stride > 1 else ""
        return f"{len(steps)} frames{apart}, {first:g} to {last:g} s"

    def timing(self) -> tuple[Related, ...]:
        """The places that decide the window: the policy's parameters that the recipe sets, and the dataset's fps."""
        written = [name for name in TIMING if self.recipe.has(self.recipe.param_route(name))]
        places = [Related(f"{name} is {self.policy.get(name)}", at=self.recipe.param_route(name)) for name in written]
        return (*places, Related(f"{self.fps:g} frames per second", file="meta/info.json", key="fps"))

    def timing_in_words(self) -> str:
        """The parameters behind the window: "horizon 16, n_obs_steps 2"."""
        names = [name for name in TIMING if self.policy.get(name) is not None]
        if self.policy.observation_delta_indices is None:
            names = [name for name in names if name != "n_obs_steps"]
        words = [f"{name} {self.policy.get(name)}" for name in names]
        return ", ".join([*words, f"stride {self.stride}"] if self.stride > 1 else words)

    # -- episodes ----------------------------------------------------------------------------------------------------

    @cached_property
    def chosen(self) -> npt.NDArray[np.int64]:
        """The rows of the episodes that the recipe takes, those that exist, in the recipe's order."""
        return np.concatenate(self._chosen_of_each)

    @cached_property
    def _chosen_of_each(self) -> list[npt.NDArray[np.int64]]:
        """The same for each dataset of a mixture, by its row in all of them."""
        if isinstance(self.dataset, Mixture):
            return self.dataset.chosen
        there = len(self.dataset.episodes)
        asked, excluded = (self._listed(name) for name in ("episodes", "exclude_episodes"))
        some = episode_split.used(there, asked, excluded)
        return [np.arange(there) if some is None else np.array(some, dtype=np.int64)]

    @cached_property
    def lacking_of_each(self) -> list[tuple[Dataset, list[str]]]:
        """Each dataset, and the files of those episodes that are on the Hub and not in this machine's cache."""
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
        """The episodes of a list in the recipe that exist, each once; None where the recipe has no such list."""
        said, there = self.recipe.data(name), len(self.dataset.episodes)
        if not isinstance(said, list):
            return None
        return list(dict.fromkeys(e for e in said if isinstance(e, int) and 0 <= e < there))

    @property
    def val_split(self) -> float:
        """The fraction of the episodes to hold out; 0 where the recipe says nothing that can be one."""
        said = self.recipe.data("val_split", 0.0)
        return float(said) if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said < 1 else 0.0

    @cached_property
    def _split(self) -> tuple[npt.NDArray[np.int64], list[int], npt.NDArray[np.int64]]:
        """The entry of the dataset's ``splits``: computed once for all recipes that choose the same episodes."""
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
        """The rows of the episodes kept for validation: the last ones of each task, never all of it."""
        return self._split[1]

    @cached_property
    def frames(self) -> npt.NDArray[np.int64]:
        """Frames of each episode that is trained on."""
        return self._split[2]

    @cached_property
    def _strides(self) -> npt.NDArray[np.int64]:
        """Frames of each of those episodes that are one step: 1, but in a mixture of several frame rates."""
        if isinstance(self.dataset, Mixture):
            return self.dataset.strides[self._split[0]]
        return np.broadcast_to(np.int64(1), self.frames.shape)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How long each of those episodes is, in the steps that windows are counted in."""
        return -(-self.frames // self._strides) if isinstance(self.dataset, Mixture) else self.frames

    @cached_property
    def samples(self) -> npt.NDArray[np.int64]:
        """How many frames of each of those episodes begin a sample."""
        return np.maximum(0, self.frames - self.dropped * self._strides)

    @cached_property
    def frames_plan(self) -> Plan | None:
        """How training will come by the frames, when nothing is decoded yet; None without cameras, or in a trial."""
        if self.recipe.trainer("fast_dev_run"):
            return None
        size = self.dataset.frame_bytes * int(self.dataset.episodes.length[self.chosen].sum())
        if not size:
            return None
        try:
            option = frame_loading.read_option(self.recipe.data("frame_store"))
        except ValueError:
            return None  # its text is judged as a value
        return frame_loading.choose(option, size=size, missing=size, folder=frame_loading.frames_root(option))

    @property
    def samples_per_second(self) -> float:
        """What loading alone may be expected to deliver on this machine; an order of magnitude."""
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
        said = self.recipe.data("train_batch_size", 8)
        return said if isinstance(said, int) and said > 0 else 8

    @cached_property
    def step(self) -> Batches:
        """What an optimizer step trains on."""
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
        """Batches in one validation over all episodes held out."""
        said = self.recipe.data("val_batch_size")
        size = said if isinstance(said, int) and said > 0 else self.batch_size
        samples = int(self.dataset.episodes.length[self.held_out].sum()) if self.held_out else 0
        return Batches(size, processes=self.step.processes).batches(samples)

    @property
    def batches(self) -> int:
        """Batches that an epoch really has, after ``trainer.limit_train_batches``."""
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
                # Only the last steps of an episode have too few behind them.
                behind = int(length) - 1 - np.arange(max(0, begins - int(steps.max())), begins)
                missing += int((steps[None, :] > behind[:, None]).sum()) * int(episodes) * stride
        return min(1.0, missing / total)


def fit(recipe: Recipe, dataset: Dataset, policy: PolicyConfig) -> Fit:
    """Put the three together.

    Raises:
        Unavailable: LeRobot can't make policy features of this dataset; another rule says so.
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
    """Frames from one step of a window to the next; 1 where the distances differ."""
    apart = {after - before for before, after in pairwise(steps)}
    return max(1, apart.pop()) if len(apart) == 1 else 1


def is_times(value: object) -> bool:
    """True for a list of numbers."""
    return isinstance(value, list) and all(isinstance(t, int | float) and not isinstance(t, bool) for t in value)


def ordinal(number: int) -> str:
    """2 → "2nd"."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def listed(words: Sequence[str], most: int = 6) -> str:
    """Backquoted words: "`a`, `b` and 3 more"."""
    quoted = [f"`{word}`" for word in words[:most]]
    if len(words) > most:
        return ", ".join(quoted) + f" and {len(words) - most} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
