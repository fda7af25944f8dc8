"""The window of times that a policy reads around each frame: derived from its configuration, or set by the recipe."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from getiaction.errors import DataError

DeltaTimestamps = dict[str, list[float]]


def reconcile(
    stated: Mapping[str, Sequence[float]] | None,
    wanted: Mapping[str, Sequence[float]] | None,
    features: Mapping[str, Any],
    fps: float,
    policy: str,
    stride: int = 1,
) -> DeltaTimestamps | None:
    """Combine a recipe's delta_timestamps with those derived from the policy.

    A stated window with the number of moments that the policy reads is used, with a warning if the moments differ.

    Args:
        stated: the recipe's windows in seconds, by key; missing keys are derived.
        wanted: the windows derived from the policy's configuration and the dataset's fps.
        features: the dataset's features.
        fps: the dataset's frames per second.
        policy: the policy's name, for the message.
        stride: frames from one moment to the next in derived windows.

    Returns:
        Seconds by key, or None if only the frame itself is read.

    Raises:
        DataError: a stated key is missing from the dataset, or its number of moments is not the policy's.
    """
    result: DeltaTimestamps = {key: [moment * stride for moment in moments] for key, moments in (wanted or {}).items()}
    for key, moments in (stated or {}).items():
        if key not in features:
            raise DataError(f"delta_timestamps names {key}, which the dataset doesn't have", _known(features))
        if key in result:
            expected = result[key]
            differing = (
                f"delta_timestamps gives {key} {_seconds(moments)}; "
                f"{policy} at {fps:g} fps takes {_seconds(expected)} by default"
            )
            if len(moments) != len(expected):
                raise DataError(
                    differing,
                    f"leave data.init_args.delta_timestamps.{key} out: it is derived from the policy and the dataset",
                )
            if any(abs(a - b) >= 0.1 / fps for a, b in zip(moments, expected, strict=True)):
                warnings.warn(f"{differing}; training uses delta_timestamps", stacklevel=2)
                result[key] = [_on_frame(moment, fps) for moment in moments]
            continue
        if wanted is not None and (key.startswith("observation.") or key == "action"):
            if len(moments) == 1 and abs(moments[0]) < 0.1 / fps:
                continue  # the frame itself, whose time dimension LeRobot drops
            raise DataError(
                f"delta_timestamps gives {key} {_seconds(moments)}, but {policy} reads one {key} per sample",
                f"leave data.init_args.delta_timestamps.{key} out",
            )
        result[key] = [float(moment) for moment in moments]
    return result or None


def frames_apart(moments: Sequence[float] | None, fps: float) -> int:
    """Frames from one moment of a window to the next; 1 if the distances differ or the window has one moment."""
    apart = {round((after - before) * fps) for before, after in pairwise(moments or ())}
    return max(1, apart.pop()) if len(apart) == 1 else 1


def action_stride(delta_timestamps: Mapping[str, Sequence[float]] | None, fps: float, stride: int) -> int:
    """Frames from one action of a policy to the next: as in `delta_timestamps`, else `stride`."""
    stated = (delta_timestamps or {}).get("action")
    return frames_apart(stated, fps) if stated and len(stated) > 1 else stride


def _on_frame(moment: float, fps: float) -> float:
    """Snap a rounded number of seconds to its frame; a moment between two frames is unchanged."""
    frame = round(moment * fps)
    return frame / fps if abs(moment * fps - frame) < 0.1 else float(moment)


def _known(features: Mapping[str, Any]) -> str:
    return f"it has {', '.join(features)}"


def _seconds(moments: Sequence[float]) -> str:
    """Format as `[-0.1, 0.0, …, 1.4] (16 moments)`; complete if short."""
    shown = [f"{moment:.4g}" for moment in moments]
    if len(shown) <= 16:
        return f"[{', '.join(shown)}]"
    return f"[{', '.join(shown[:3])}, …, {shown[-1]}] ({len(shown)} moments)"
