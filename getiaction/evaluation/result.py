"""The result of an evaluation on recorded episodes, as plain values. Standard library and numpy only.

Errors are mean absolute differences between predicted and recorded actions. A *share* is such an error divided by the
joint's recorded range (largest minus smallest value), so that joints of different units can be averaged; joints that
never move have no share and are excluded from averages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

# Names of the baselines.
HOLD_STATE = "holding the current state"
HOLD_ACTION = "repeating the last action"
CARRY_ON = "carrying on the last movement"
MEAN = "the mean action"

# The evaluated episodes were held out of training, were trained on, are from another dataset, or it is unknown.
Part = Literal["held-out", "training", "new", "unknown"]


@dataclass(frozen=True)
class Joint:
    """One dimension of the action.

    Attributes:
        name: Name in the dataset.
        error: Error in the dataset's units.
        share: Error as a share of the recorded range; None for a joint that never moves.
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
    """The change of the error if an input is exchanged between moments at random.

    Attributes:
        inputs: The features that were exchanged together.
        moments: Number of moments.
        error: Error with the recorded inputs, as a share of the range.
        exchanged: Error with the inputs of other moments, likewise.
        moved: Mean change of the predictions, as a share of the range.
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
        """The relative growth of the error: 0.5 means 50 % larger, 0 means no change."""
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
    """Movements of actions from one frame to the next, as shares of the range, averaged over joints.

    Attributes:
        count: Number of borders between chunks.
        jump: Mean predicted movement across a border.
        inside: Mean predicted movement inside of a chunk.
        fast: 95 % quantile of recorded movements.
    """

    count: int
    jump: float
    inside: float
    fast: float


@dataclass(frozen=True)
class Latency:
    """Seconds from observation to actions for one prediction: median and minimum of several tries."""

    seconds: float
    fastest: float
    tries: int
    device: str


@dataclass(frozen=True)
class Trajectory:
    """An episode for charts.

    Attributes:
        episode: Its index.
        recorded: `(frames, action)` recorded actions in the dataset's units.
        predicted: `(frames, action)` predicted actions, likewise.
        starts: Frames at which a chunk starts.
        pictures: (camera, frame, JPEG) of some moments.
    """

    episode: int
    recorded: np.ndarray
    predicted: np.ndarray
    starts: np.ndarray
    pictures: tuple[tuple[str, int, bytes], ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """The complete result.

    Attributes:
        model: Folder, checkpoint or Hub id of the policy.
        policy: Its name.
        dataset: The dataset's id.
        root: Its folder.
        fps: Frames per second.
        part: Whether the policy was trained on these episodes.
        available: Number of such episodes in the dataset.
        steps: Actions executed from one prediction.
        observations: Observations that one prediction depends on.
        camera_inputs: The cameras that the policy reads.
        state_inputs: The features of the robot's and the environment's state that it reads.
        joints: Measures of each dimension of the action.
        episodes: Measures of each episode.
        tasks: Error per task, as a share.
        horizon: `(steps,)` error per step of the chunk, as a share.
        baseline_horizon: `horizon` for each baseline.
        error: Error as a share, averaged over joints.
        baselines: `error` for each baseline.
        no_state: Why holding the state is not among the baselines; empty if it is.
        worst: The worst moments, worst first.
        cameras: Result of exchanging images; None if the policy has no camera, or with too few moments.
        state: Result of exchanging the state, likewise.
        trained: Measures on training episodes, if held-out ones were evaluated.
        borders: Movements at the borders of chunks; None without a border.
        latency: Duration of a prediction.
        frames: Number of evaluated frames.
        seconds: Duration of the predictions, without probes.
        trajectories: Some episodes for charts.
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
        """The better of the two baselines that hold still, and its error as a share."""
        names = [name for name in (HOLD_STATE, HOLD_ACTION) if name in self.baselines]
        best = min(names, key=lambda name: self.baselines[name])
        return best, self.baselines[best]

    @property
    def chunk_seconds(self) -> float:
        """Duration of the actions executed from one prediction, in seconds."""
        return self.steps / self.fps
