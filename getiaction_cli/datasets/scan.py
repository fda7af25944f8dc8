"""What a deep look found, as values: the numbers in the tables, and a sample of the pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

WORKERS = max(2, min(8, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class Spot:
    """One frame of one table. ``dimension`` is -1 where the whole frame is meant."""

    file: str
    episode: int
    frame: int
    dimension: int = -1
    value: float = float("nan")


@dataclass(slots=True)
class FeatureScan:
    """One feature over all frames.

    Args:
        key: the feature.
        count: frames read (those with a non-finite value are left out of the statistics, dimension by dimension).
        min, max, mean, std: (dimensions,).
        quantiles: "q01" … "q99" → (dimensions,).
        at_min, at_max: how many frames lie exactly there, (dimensions,).
        not_finite: how many values are NaN or infinite.
        first_not_finite: where the first ones are.
        largest_step: (dimensions,) the largest change from one frame to the next.
        usual_step: (dimensions,) the change that 95 % of the frames stay below.
        jumps: the largest steps, one per dimension that has a suspicious one.
        jump_counts: (dimensions,) how many steps are beyond half of the usual range.
        still: (episodes, dimensions) True where a dimension has one value for a whole episode.
    """

    key: str
    count: int
    min: Matrix
    max: Matrix
    mean: Matrix
    std: Matrix
    quantiles: dict[str, Matrix]
    at_min: npt.NDArray[np.int64]
    at_max: npt.NDArray[np.int64]
    not_finite: int
    first_not_finite: list[Spot]
    largest_step: Matrix
    usual_step: Matrix
    jumps: list[Spot]
    jump_counts: npt.NDArray[np.int64]
    still: npt.NDArray[np.bool_]


@dataclass(slots=True)
class VideoScan:
    """One file with pictures of a camera (a video, or a table), some of them decoded.

    Args:
        file: relative to the dataset's folder.
        key: the camera.
        decoded, asked: frames.
        problem: the end of a sentence that begins with the file's name; empty when all could be decoded.
        width, height, pix_fmt, frames: as the file's header says.
        brightness: mean of the decoded pixels, 0 to 255.
        blank: how many of the decoded frames are of one colour.
        change: the largest difference of a pixel between two decoded frames.
    """

    file: str
    key: str
    decoded: int = 0
    asked: int = 0
    problem: str = ""
    width: int = 0
    height: int = 0
    pix_fmt: str = ""
    frames: int = 0
    brightness: float = float("nan")
    blank: int = 0
    change: float = float("nan")


@dataclass(slots=True)
class Lag:
    """How state and action lie in time: the action of frame t looks like the state of frame t + ``frames``."""

    frames: int
    similarity: float


@dataclass(slots=True)
class Scan:
    """Everything read.

    Args:
        rows: frames read.
        bytes: bytes of the columns read, uncompressed.
        seconds: time for the tables.
        features: by key.
        exact_quantiles: False when they come from a sample.
        sampled_rows: how many frames the quantiles are of.
        misplaced: column → (how many rows, the first of them) that are not where the metadata says.
        off_time: how many timestamps are not frame_index / fps, and the first of them.
        off_time_by: the largest such difference, in seconds.
        frozen: stretches in which the state stands still while the action moves: (spot, frames).
        duplicates: pairs of episodes that begin with the same frames.
        lag: None when it can't be judged.
        videos: the files with pictures that were looked at.
        unread: what could not be read: file → why.
        not_checked: what this look left out, in words.
    """

    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    features: dict[str, FeatureScan] = field(default_factory=dict)
    exact_quantiles: bool = True
    sampled_rows: int = 0
    misplaced: dict[str, tuple[int, Spot]] = field(default_factory=dict)
    off_time: tuple[int, Spot | None] = (0, None)
    off_time_by: float = 0.0
    frozen: list[tuple[Spot, int]] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    lag: Lag | None = None
    videos: list[VideoScan] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)

    @property
    def rank_error(self) -> float:
        """How far a quantile's rank may be off (three standard errors), as a fraction; 0 when exact."""
        return 0.0 if self.exact_quantiles or not self.sampled_rows else 1.5 / float(np.sqrt(self.sampled_rows))
