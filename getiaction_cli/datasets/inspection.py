"""Everything that an inspection says, collected once, so that terminal, JSON and HTML show the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from getiaction_cli.datasets import ONLY_DEEP

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.features import Feature
    from getiaction_cli.datasets.scan import Scan
    from getiaction_cli.diagnostics import Report


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """Whether a policy can train on the dataset.

    Args:
        name: LeRobot's name of the policy.
        trainable: True when a recipe for it can be written (``changes`` say what it must set).
        installed: False when its packages are missing here.
        changes: what the recipe sets for this dataset, in words.
        reasons: what it lacks; empty when trainable.
        machine: what this machine lacks.
        unreadable: what of the installed LeRobot could not be read, so that this is not known; empty for nothing.
    """

    name: str
    trainable: bool
    installed: bool = True
    changes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    machine: tuple[str, ...] = ()
    unreadable: str = ""

    def lacks(self, report: Report) -> tuple[str, ...]:
        """The reasons that are not among the dataset's own problems, which the report has already."""
        known = {diagnostic.message for diagnostic in report.diagnostics}
        return tuple(reason for reason in self.reasons if reason not in known)


@dataclass(frozen=True, slots=True)
class CameraFormat:
    """One camera, as info.json and the header of its first file describe it; empty or 0 where neither knows."""

    key: str
    width: int
    height: int
    channels: int
    storage: str
    codec: str
    pix_fmt: str
    fps: float
    files: int
    depth: bool


@dataclass(frozen=True)
class Inspection:
    """One dataset, looked at.

    Args:
        dataset: its metadata.
        report: what is wrong with it.
        policies: one verdict per policy that trains from demonstrations; empty when that can't be judged.
        scan: what ``--deep`` read; None when it did not.
    """

    dataset: Dataset
    report: Report
    policies: tuple[PolicyVerdict, ...] = ()
    scan: Scan | None = None

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Frames of each episode, in order."""
        return np.maximum(self.dataset.episodes.length, 0)

    @property
    def frames(self) -> int:
        """Frames in all: those of the episodes where they are known, else what info.json counts."""
        return int(self.lengths.sum()) if len(self.lengths) else self.dataset.total_frames or 0

    @property
    def decoded(self) -> int:
        """Bytes of all pictures when they are decoded: the size of the store that training keeps."""
        return self.dataset.frame_bytes * self.frames

    @property
    def episodes(self) -> int:
        """Episodes: those that are there, else what info.json counts."""
        return len(self.lengths) or self.dataset.total_episodes or 0

    @property
    def seconds(self) -> float | None:
        """How long it is, if the frame rate is known."""
        return self.frames / self.dataset.fps if self.dataset.fps else None

    @cached_property
    def outliers(self) -> list[int]:
        """Rows of the episodes whose length is far from the others' (five times the usual deviation), longest first."""
        if len(self.lengths) < 8:
            return []
        middle = np.median(self.lengths)
        usual = max(1.4826 * float(np.median(np.abs(self.lengths - middle))), 0.02 * float(middle), 1.0)
        far = np.nonzero(np.abs(self.lengths - middle) > 5 * usual)[0]
        far = far[np.argsort(-np.abs(self.lengths[far] - middle), kind="stable")]
        return [int(row) for row in far]

    def histogram(self, most: int = 10) -> list[tuple[int, int, int]]:
        """Episode lengths as (shortest, longest, how many episodes), in steps that people can read."""
        if not len(self.lengths):
            return []
        low, high = int(self.lengths.min()), int(self.lengths.max())
        step = _round_step((high - low + 1) / most)
        start = low // step * step
        edges = np.arange(start, high + step + 1, step)
        counts, _ = np.histogram(self.lengths, bins=edges)
        return [(int(edges[i]), int(edges[i + 1]) - 1, int(count)) for i, count in enumerate(counts)]

    @cached_property
    def cameras(self) -> list[CameraFormat]:
        """The cameras."""
        return [self._camera(self.dataset.features[key]) for key in self.dataset.camera_keys]

    def _camera(self, feature: Feature) -> CameraFormat:
        files = self.dataset.video_files.get(feature.key, {}) if feature.dtype == "video" else {}
        here = [name for name in files if name in self.dataset.listing.sizes]
        header = self.dataset.videos.get(here[0]) if here else None
        width, height = feature.resolution or (0, 0)
        codec = feature.video("codec") or (header.codec if header else "")
        fps = feature.video("fps") or (header.fps if header else None) or 0
        return CameraFormat(
            key=feature.key,
            width=width,
            height=height,
            channels=feature.channels or 0,
            storage=feature.dtype,
            codec=str(codec),
            pix_fmt=str(feature.video("pix_fmt") or ""),
            fps=float(fps) if isinstance(fps, int | float) else 0.0,
            files=len(here),
            depth=feature.role == "depth",
        )

    @cached_property
    def not_checked(self) -> list[str]:
        """What was not checked, as sentences: it may be fine or not."""
        said = list(dict.fromkeys(entry.reason for entry in self.report.not_run))
        words = []
        for reason in said:
            rules = [entry.rule for entry in self.report.not_run if entry.reason == reason]
            if reason == ONLY_DEEP:
                words.append(
                    "the recorded numbers (non-finite values, jumps, frozen and clipped joints, timestamps, order, "
                    "whether the statistics match the data) and the pictures: --deep reads them"
                )
            else:
                words.append(f"{reason} ({', '.join(rules[:6])}{', …' if len(rules) > 6 else ''})")
        return words + (self.scan.not_checked if self.scan is not None else [])

    def is_waiting(self, verdict: PolicyVerdict) -> bool:
        """True for a policy that lacks nothing but the repair of the dataset's own errors."""
        return bool(verdict.reasons) and not verdict.lacks(self.report) and not verdict.unreadable

    @property
    def next_command(self) -> str:
        """What to do next."""
        ready = [verdict for verdict in self.policies if verdict.trainable]
        if not self.report.ok or not ready:
            return ""
        # A small policy first: it trains on any machine.
        by_name = {verdict.name: verdict for verdict in ready}
        first = next((by_name[policy] for policy in ("act", "diffusion") if policy in by_name), ready[0])
        return f"getiaction init {shlex.quote(self.dataset.place.argument)} --policy {first.name}"


def _round_step(step: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, … that is at least ``step``."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= step:
                return factor * size
        size *= 10
