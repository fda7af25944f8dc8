"""Version 1 of the JSON of `inspect-dataset`. Keys may be added, but not changed or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction_cli.diagnostics import Severity
from getiaction_cli.rendering.json_text import json_text
from getiaction_cli.rendering.json_v1 import diagnostic_v1

if TYPE_CHECKING:
    from getiaction_cli.datasets.inspection import Inspection
    from getiaction_cli.datasets.scan import Scan


def render(inspection: Inspection) -> str:
    """Return the document. A number that is not finite is null."""
    dataset, lengths, report = inspection.dataset, inspection.lengths, inspection.report
    document: dict[str, Any] = {
        "repo_id": dataset.repo_id,
        "root": str(dataset.root),
        "origin": dataset.place.origin,
        "revision": dataset.place.revision,
        "format": dataset.version,
        "fingerprint": dataset.fingerprint,
        "robot_type": dataset.robot_type,
        "fps": dataset.fps,
        "episodes": inspection.episodes,
        "frames": inspection.frames,
        "seconds": inspection.seconds,
        "tasks": _tasks(inspection),
        "size_bytes": dataset.size_bytes,
        "decoded_bytes": inspection.decoded,
        "cameras": [
            {
                "key": camera.key,
                "width": camera.width,
                "height": camera.height,
                "channels": camera.channels,
                "storage": camera.storage,
                "codec": camera.codec or None,
                "pix_fmt": camera.pix_fmt or None,
                "fps": camera.fps or None,
                "depth": camera.depth,
            }
            for camera in inspection.cameras
        ],
        "features": [
            {
                "key": feature.key,
                "role": feature.role,
                "why": feature.why,
                "dtype": feature.dtype,
                "shape": list(feature.shape),
                "names": list(feature.names) if feature.names else None,
                "stats": _stats((dataset.stats or {}).get(feature.key)),
            }
            for feature in dataset.features.values()
        ],
        "episode_length": {
            "min": int(lengths.min()) if len(lengths) else None,
            "median": float(np.median(lengths)) if len(lengths) else None,
            "mean": float(lengths.mean()) if len(lengths) else None,
            "max": int(lengths.max()) if len(lengths) else None,
            "outliers": [int(dataset.episodes.index[row]) for row in inspection.outliers[:1000]],
        },
        "diagnostics": [diagnostic_v1(diagnostic) for diagnostic in report.diagnostics],
        "not_checked": inspection.not_checked,
        "not_run": [{"rule": entry.rule, "reason": entry.reason} for entry in report.not_run],
        "policies": [
            {
                "name": verdict.name,
                "trainable": verdict.trainable,
                "installed": verdict.installed,
                "changes": list(verdict.changes),
                "reasons": list(verdict.reasons),
                "machine": list(verdict.machine),
                "unreadable": verdict.unreadable,
            }
            for verdict in inspection.policies
        ],
        "deep": _scan(inspection.scan),
        "next": inspection.next_command or None,
        "verdict": "ok" if report.ok else "error",
        "summary": {
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "infos": report.count(Severity.INFO),
        },
    }
    return json_text(document)


def _tasks(inspection: Inspection) -> list[dict[str, Any]]:
    counts = inspection.dataset.episodes.task_counts()
    texts = inspection.dataset.tasks or list(counts)
    rows = []
    for text in texts:
        episodes, frames = counts.get(text, (0, 0))
        rows.append({"task": text, "episodes": episodes, "frames": frames})
    return rows


def _stats(entry: dict[str, np.ndarray] | None) -> dict[str, list[float]] | None:
    return {name: values.reshape(-1).tolist() for name, values in entry.items()} if entry else None


def _scan(scan: Scan | None) -> dict[str, Any] | None:
    if scan is None:
        return None
    return {
        "rows": scan.rows,
        "bytes": scan.bytes,
        "seconds": scan.seconds,
        "exact_quantiles": scan.exact_quantiles,
        "sampled_rows": scan.sampled_rows,
        "rank_error": scan.rank_error,
        "features": {
            key: {
                "count": feature.count,
                "not_finite": feature.not_finite,
                **{name: getattr(feature, name).tolist() for name in ("min", "max", "mean", "std")},
                **{name: values.tolist() for name, values in feature.quantiles.items()},
            }
            for key, feature in scan.features.items()
        },
        "lag_frames": scan.lag.frames if scan.lag else None,
        "videos": [{"file": v.file, "decoded": v.decoded, "asked": v.asked, "problem": v.problem} for v in scan.videos],
        "unread": scan.unread,
    }
