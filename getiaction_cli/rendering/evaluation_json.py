"""Version 1 of the JSON of an evaluated policy. Its shape is frozen: keys may be added, none may change or go.

Errors without `_units` are shares of the joint's recorded range.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from getiaction_cli.control import escaped
from getiaction_cli.diagnostics import Severity
from getiaction_cli.rendering.json_v1 import diagnostic_v1

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation, Probe
    from getiaction_cli.diagnostics import Report


def render(evaluation: Evaluation, report: Report) -> str:
    """The document. A number that is not finite is null."""
    still, still_error = evaluation.still
    trained, borders, latency = evaluation.trained, evaluation.borders, evaluation.latency
    document: dict[str, Any] = {
        "version": 1,
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
    return escaped(json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


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


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
