"""What an evaluation on recorded episodes measured, as plain values. Standard library and numpy only.

Errors are mean absolute differences between predicted and recorded actions. A *share* is such an error divided by the
joint's recorded range (largest minus smallest value), so that joints of different units can be averaged; joints that
never move have no share and are left out of averages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

# What baselines are called, everywhere.
HOLD_STATE = "holding the current state"
HOLD_ACTION = "repeating the last action"
CARRY_ON = "carrying on the last movement"
MEAN = "the mean action"

# Episodes kept out of training, episodes trained on, those of a dataset that differs from the training's, or those
# of which nothing says whether it was.
Part = Literal["held-out", "training", "new", "unknown"]


@dataclass(frozen=True)
class Joint:
    """One dimension of the action.

    Attributes:
        name: As the dataset calls it.
        error: In the dataset's units.
        share: Of the recorded range; None for a joint that never moves.
        low: Smallest recorded action.
        high: Largest recorded action.
        baselines: The error of each baseline, in the dataset's units.
        outside: Share of the predicted values that are outside the recorded range by more than a fifth of it.
        at_limit: Share of the predicted values exactly at the smallest or largest value that is ever predicted.
        recorded_at_limit: The same share of the recorded values.
    """

    name: str
    error: float
    share: float | None
    low: float
    high: float
    baselines: dict[str, float]
    outside: float
    at_limit: float
    recorded_at_limit: float


@dataclass(frozen=True)
class Episode:
    """One evaluated episode: its index, its task, its frames and its error as a share of the range."""

    number: int
    task: str
    frames: int
    error: float


@dataclass(frozen=True)
class Moment:
    """A moment at which the policy predicted: where, and the error of that prediction as a share of the range."""

    episode: int
    second: float
    error: float
    joint: str


@dataclass(frozen=True)
class Probe:
    """What becomes of the error when an input is exchanged between moments at random.

    Attributes:
        inputs: The features that were exchanged together.
        moments: How many moments were asked.
        error: With the inputs as recorded, as a share of the range.
        exchanged: With the inputs of other moments.
        moved: How far the predictions moved, as a share of the range.
        doubt: Standard error of `exchanged - error` over the moments.
    """

    inputs: tuple[str, ...]
    moments: int
    error: float
    exchanged: float
    moved: float
    doubt: float

    @property
    def growth(self) -> float:
        """By how much of itself the error grows: 0.5 is half as much again, 0 is not at all."""
        return (self.exchanged - self.error) / self.error if self.error else np.inf


@dataclass(frozen=True)
class Comparison:
    """The same measures on episodes that the policy was trained on: error and best baseline, as shares."""

    episodes: tuple[int, ...]
    frames: int
    error: float
    baselines: dict[str, float]


@dataclass(frozen=True)
class Borders:
    """How far actions move from one frame to the next, as shares of the range, averaged over joints.

    Attributes:
        count: Borders between chunks.
        jump: Predicted, across a border.
        inside: Predicted, inside a chunk.
        fast: Recorded: 95 of 100 movements are not larger.
    """

    count: int
    jump: float
    inside: float
    fast: float


@dataclass(frozen=True)
class Latency:
    """Seconds from observation to actions for one prediction: the middle and the fastest of several tries."""

    seconds: float
    fastest: float
    tries: int
    device: str


@dataclass(frozen=True)
class Trajectory:
    """An episode to draw: `(frames, action)` recorded and predicted, the frames at which it predicted, and pictures.

    Attributes:
        episode: Its index.
        recorded: In the dataset's units.
        predicted: Likewise.
        starts: Frames at which a chunk begins.
        pictures: (camera, frame, JPEG) of some moments.
    """

    episode: int
    recorded: np.ndarray
    predicted: np.ndarray
    starts: np.ndarray
    pictures: tuple[tuple[str, int, bytes], ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """All that was measured.

    Attributes:
        model: Where the policy came from.
        policy: Its name.
        dataset: The dataset's id.
        root: Its folder.
        fps: Frames per second.
        part: What the policy knows of these episodes.
        available: How many such episodes there are.
        steps: Actions executed of one prediction.
        observations: Observations that one prediction depends on.
        camera_inputs: The cameras that the policy reads.
        state_inputs: What it reads of the robot's and the environment's state.
        joints: Per dimension of the action.
        episodes: Per episode.
        tasks: Error per task, as a share.
        horizon: `(steps,)` error per step of the chunk, as a share.
        baseline_horizon: The same for each baseline.
        error: As a share, averaged over joints.
        baselines: Likewise for each baseline.
        no_state: Why holding the state is not among the baselines; empty where it is.
        worst: The worst moments, worst first.
        cameras: What exchanged pictures do; None where the policy has no camera or too few moments were there.
        state: What an exchanged state does.
        trained: The same on training episodes, where held-out ones were evaluated.
        borders: Between chunks; None where there is no border.
        latency: How long a prediction takes.
        frames: How many were evaluated.
        seconds: How long that took, probes left out.
        trajectories: Some episodes to draw.
    """

    model: str
    policy: str
    dataset: str
    root: str
    fps: float
    part: Part
    available: int
    steps: int
    observations: int
    camera_inputs: tuple[str, ...]
    state_inputs: tuple[str, ...]
    joints: tuple[Joint, ...]
    episodes: tuple[Episode, ...]
    tasks: dict[str, float]
    horizon: tuple[float, ...]
    baseline_horizon: dict[str, tuple[float, ...]]
    error: float
    baselines: dict[str, float]
    no_state: str
    worst: tuple[Moment, ...]
    cameras: Probe | None
    state: Probe | None
    trained: Comparison | None
    borders: Borders | None
    latency: Latency | None
    frames: int
    seconds: float
    trajectories: tuple[Trajectory, ...]

    @property
    def reads_cameras(self) -> bool:
        """Whether the policy has cameras among its inputs."""
        return bool(self.camera_inputs)

    @property
    def reads_state(self) -> bool:
        """Whether the policy has a state among its inputs."""
        return bool(self.state_inputs)

    @property
    def still(self) -> tuple[str, float]:
        """The better way of holding still, and its error as a share."""
        names = [name for name in (HOLD_STATE, HOLD_ACTION) if name in self.baselines]
        best = min(names, key=lambda name: self.baselines[name])
        return best, self.baselines[best]

    @property
    def chunk_seconds(self) -> float:
        """For how long the actions of one prediction last."""
        return self.steps / self.fps
