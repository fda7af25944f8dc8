"""An evaluation as plain values: a sound policy of two joints; tests change what they are about."""

from dataclasses import replace
from typing import Any

import numpy as np

from getiaction.evaluation.result import (
    CARRY_ON,
    HOLD_ACTION,
    HOLD_STATE,
    MEAN,
    Borders,
    Comparison,
    Episode,
    Evaluation,
    Joint,
    Latency,
    Moment,
    Probe,
    Trajectory,
)

BASELINES = {HOLD_STATE: 0.08, HOLD_ACTION: 0.07, CARRY_ON: 0.1, MEAN: 0.25}


def joint(name: str, **changes: Any) -> Joint:
    """A joint that was learned: an error of 2 % of a range of 2."""
    values: dict[str, Any] = {
        "error": 0.04,
        "share": 0.02,
        "low": -1.0,
        "high": 1.0,
        "baselines": {key: 2 * error for key, error in BASELINES.items()},
        "outside": 0.0,
        "at_limit": 0.0,
        "recorded_at_limit": 0.0,
    }
    return Joint(name=name, **{**values, **changes})


def evaluation(**changes: Any) -> Evaluation:
    """A sound policy on three held-out episodes."""
    frames = np.linspace(-1, 1, 12, dtype=np.float32)[:, None].repeat(2, axis=1)
    made = Evaluation(
        model="outputs/reach/2026-01-01_00-00-00/pretrained_model",
        policy="act",
        dataset="made/reach",
        root="/data/reach",
        fps=10.0,
        part="held-out",
        available=3,
        steps=4,
        observations=1,
        camera_inputs=("observation.image",),
        state_inputs=("observation.state",),
        joints=(joint("shoulder"), joint("elbow")),
        episodes=tuple(Episode(7 + i, "Reach the target.", 12, 0.02 + i / 1000) for i in range(3)),
        tasks={"Reach the target.": 0.021},
        horizon=(0.01, 0.02, 0.03, 0.04),
        baseline_horizon={key: (error / 2, error, error, error * 1.5) for key, error in BASELINES.items()},
        error=0.02,
        baselines=BASELINES,
        no_state="",
        worst=(Moment(8, 0.4, 0.06, "elbow"),),
        cameras=Probe(("observation.image",), 36, 0.02, 0.03, 0.02, 0.001),
        state=Probe(("observation.state",), 36, 0.02, 0.05, 0.04, 0.001),
        trained=Comparison((0, 1, 2), 36, 0.018, BASELINES),
        borders=Borders(9, 0.02, 0.01, 0.01),
        latency=Latency(0.02, 0.018, 5, "cpu"),
        frames=36,
        seconds=0.4,
        trajectories=(Trajectory(7, frames, frames * 0.9, np.array([0, 4, 8])),),
    )
    return replace(made, **changes)
