"""Version 1 of the JSON of `evaluate`. Keys may be added, but not changed or removed.

Errors without `_units` are shares of the joint's recorded range. A run folder stores the document, with trajectories,
as evaluation.json, from which the run's page is generated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction_cli.diagnostics import Diagnostic, Report, Severity
from getiaction_cli.rendering.json_text import VERSION, json_text
from getiaction_cli.rendering.json_v1 import diagnostic_v1
from getiaction_cli.rendering.page_html import finite

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation, Probe, Trajectory


@dataclass(frozen=True)
class StoredEvaluation:
    """The content of evaluation.json in a run folder.

    Attributes:
        evaluation: the measurements, without images.
        report: the findings.
        steps: number of optimizer steps of the run at that time.
        evaluated: time of the evaluation, in ISO 8601.
    """

    evaluation: Evaluation
    report: Report
    steps: int
    evaluated: str


def render(evaluation: Evaluation, report: Report) -> str:
    """Return the document. A number that is not finite is null."""
    return json_text(_document(evaluation, report))


def dump(evaluation: Evaluation, report: Report, steps: int) -> str:
    """Return the content of a run folder's evaluation.json; `steps` is the run's number of optimizer steps."""
    kept = {
        "evaluated": datetime.now().astimezone().isoformat(timespec="seconds"),
        "trained_steps": steps,
        "trajectories": [_trajectory(trajectory) for trajectory in evaluation.trajectories],
    }
    return json_text({**_document(evaluation, report), **kept}, indent=None)


def parse(document: Any) -> StoredEvaluation | None:
    """Read what `dump` wrote; None for anything else, such as a damaged file or a later version.

    Args:
        document: the parsed JSON, from a run folder that is not trusted.
    """
    try:
        evaluation = _evaluation(document)
        found = [
            Diagnostic(
                code=str(one["code"]),
                name=str(one["name"]),
                severity=Severity(one["severity"]),
                message=str(one["message"]),
                file=str(one["file"]),
                path=str(one["path"]),
                help=str(one["help"]),
            )
            for one in document["findings"]
        ]
        report = Report(evaluation.model, tuple(found))
        return StoredEvaluation(evaluation, report, int(document["trained_steps"]), str(document["evaluated"]))
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _document(evaluation: Evaluation, report: Report) -> dict[str, Any]:
    still, still_error = evaluation.still
    trained, borders, latency = evaluation.trained, evaluation.borders, evaluation.latency
    return {
        "verdict": "ok" if report.ok else "error",
        "model": evaluation.model,
        "policy": evaluation.policy,
        "dataset": evaluation.dataset,
        "root": evaluation.root,
        "fps": evaluation.fps,
        "part": evaluation.part,
        "available_episodes": evaluation.available,
        "frames": evaluation.frames,
        "seconds": evaluation.seconds,
        "n_action_steps": evaluation.steps,
        "n_obs_steps": evaluation.observations,
        "inputs": {"cameras": list(evaluation.camera_inputs), "state": list(evaluation.state_inputs)},
        "no_state": evaluation.no_state,
        "error": evaluation.error,
        "baselines": evaluation.baselines,
        "holding_still": {"baseline": still, "error": still_error},
        "horizon": {"policy": list(evaluation.horizon), **{k: list(v) for k, v in evaluation.baseline_horizon.items()}},
        "joints": [
            {
                "name": joint.name,
                "error_units": joint.error,
                "error": joint.share,
                "low": joint.low,
                "high": joint.high,
                "baselines_units": joint.baselines,
                "outside": joint.outside,
                "at_limit": joint.at_limit,
                "recorded_at_limit": joint.recorded_at_limit,
            }
            for joint in evaluation.joints
        ],
        "episodes": [
            {"episode": e.number, "task": e.task, "frames": e.frames, "error": e.error} for e in evaluation.episodes
        ],
        "tasks": evaluation.tasks,
        "worst": [
            {"episode": m.episode, "second": m.second, "error": m.error, "joint": m.joint} for m in evaluation.worst
        ],
        "cameras": _probe(evaluation.cameras),
        "state": _probe(evaluation.state),
        "trained": trained
        and {
            "episodes": list(trained.episodes),
            "frames": trained.frames,
            "error": trained.error,
            "baselines": trained.baselines,
        },
        "borders": borders
        and {
            "count": borders.count,
            "jump": borders.jump,
            "inside": borders.inside,
            "fast": borders.fast,
        },
        "latency": latency
        and {
            "seconds": latency.seconds,
            "fastest": latency.fastest,
            "tries": latency.tries,
            "device": latency.device,
        },
        "findings": [diagnostic_v1(diagnostic) for diagnostic in report.diagnostics],
        "not_run": [{"rule": entry.rule, "reason": entry.reason} for entry in report.not_run],
        "summary": {
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "infos": report.count(Severity.INFO),
        },
    }


def _probe(probe: Probe | None) -> dict[str, Any] | None:
    if probe is None:
        return None
    return {
        "inputs": list(probe.inputs),
        "moments": probe.moments,
        "error": probe.error,
        "exchanged": probe.exchanged,
        "moved": probe.moved,
        "doubt": probe.doubt,
    }


def _trajectory(trajectory: Trajectory) -> dict[str, Any]:
    return {
        "episode": trajectory.episode,
        "recorded": [finite(row) for row in trajectory.recorded],
        "predicted": [finite(row) for row in trajectory.predicted],
        "starts": [int(frame) for frame in trajectory.starts],
    }


def _evaluation(document: Mapping[str, Any]) -> Evaluation:
    """Return an `Evaluation` from its document; every value is checked or converted."""
    from getiaction.evaluation.result import (
        Borders,
        Comparison,
        Episode,
        Evaluation,
        Joint,
        Latency,
        Moment,
        Trajectory,
    )

    if document["version"] != VERSION:
        raise ValueError("another version")
    horizons = {str(name): tuple(_floats(values)) for name, values in document["horizon"].items()}
    trained, borders, latency = (document[key] for key in ("trained", "borders", "latency"))
    joints = tuple(
        Joint(
            name=str(one["name"]),
            error=_float(one["error_units"]),
            share=None if one["error"] is None else float(one["error"]),
            baselines=_named(one["baselines_units"]),
            **{key: _float(one[key]) for key in ("low", "high", "outside", "at_limit", "recorded_at_limit")},
        )
        for one in document["joints"]
    )
    made = Evaluation(
        model=str(document["model"]),
        policy=str(document["policy"]),
        dataset=str(document["dataset"]),
        root=str(document["root"]),
        no_state=str(document["no_state"]),
        fps=_float(document["fps"]),
        error=_float(document["error"]),
        seconds=_float(document["seconds"]),
        part=document["part"] if document["part"] in ("held-out", "training", "new") else "unknown",
        available=int(document["available_episodes"]),
        frames=int(document["frames"]),
        steps=int(document["n_action_steps"]),
        observations=int(document["n_obs_steps"]),
        camera_inputs=tuple(map(str, document["inputs"]["cameras"])),
        state_inputs=tuple(map(str, document["inputs"]["state"])),
        joints=joints,
        episodes=tuple(
            Episode(int(one["episode"]), str(one["task"]), int(one["frames"]), _float(one["error"]))
            for one in document["episodes"]
        ),
        tasks=_named(document["tasks"]),
        horizon=horizons.pop("policy"),
        baseline_horizon=horizons,
        baselines=_named(document["baselines"]),
        worst=tuple(
            Moment(int(one["episode"]), _float(one["second"]), _float(one["error"]), str(one["joint"]))
            for one in document["worst"]
        ),
        cameras=_probed(document["cameras"]),
        state=_probed(document["state"]),
        trained=trained
        and Comparison(
            tuple(map(int, trained["episodes"])),
            int(trained["frames"]),
            _float(trained["error"]),
            _named(trained["baselines"]),
        ),
        borders=borders
        and Borders(int(borders["count"]), *(_float(borders[key]) for key in ("jump", "inside", "fast"))),
        latency=latency
        and Latency(
            _float(latency["seconds"]), _float(latency["fastest"]), int(latency["tries"]), str(latency["device"])
        ),
        trajectories=tuple(
            Trajectory(
                int(one["episode"]),
                recorded := np.array([_floats(row) for row in one["recorded"]]).reshape(-1, len(joints)),
                np.array([_floats(row) for row in one["predicted"]]).reshape(recorded.shape),
                np.array([int(frame) for frame in one["starts"] if 0 <= int(frame) < len(recorded)], dtype=int),
            )
            for one in document["trajectories"]
        ),
    )
    if not (made.fps > 0 and made.still):
        raise ValueError("no frames per second")
    return made


def _probed(values: Any) -> Probe | None:
    from getiaction.evaluation.result import Probe

    if values is None:
        return None
    numbers = {key: _float(values[key]) for key in ("error", "exchanged", "moved", "doubt")}
    return Probe(tuple(map(str, values["inputs"])), int(values["moments"]), **numbers)


def _named(values: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _float(value) for name, value in values.items()}


def _floats(values: Sequence[Any]) -> list[float]:
    return [_float(value) for value in values]


def _float(value: Any) -> float:
    """Convert a number; null stands for one that is not finite."""
    return math.nan if value is None else float(value)
