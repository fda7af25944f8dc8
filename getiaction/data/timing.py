"""Which moments a policy wants around each frame: derived from its configuration, checked against the recipe."""

from collections.abc import Mapping, Sequence
from typing import Any

from getiaction.errors import DataError

DeltaTimestamps = dict[str, list[float]]


def reconcile(
    stated: Mapping[str, Sequence[float]] | None,
    wanted: Mapping[str, Sequence[float]] | None,
    features: Mapping[str, Any],
    fps: float,
    policy: str,
) -> DeltaTimestamps | None:
    """The delta_timestamps to read a dataset with.

    Args:
        stated: what the recipe says, per key, in seconds; what it leaves out is derived.
        wanted: what the policy's own configuration and the dataset's fps give.
        features: the dataset's features.
        fps: the dataset's frames per second.
        policy: the policy's name, for the message.

    Returns:
        Seconds per key, or None where no key wants more than the frame itself.

    Raises:
        DataError: a stated key that the dataset doesn't have, or moments that contradict the policy.
    """
    result: DeltaTimestamps = {key: list(moments) for key, moments in (wanted or {}).items()}
    for key, moments in (stated or {}).items():
        if key not in features:
            raise DataError(f"delta_timestamps names {key}, which the dataset doesn't have", _known(features))
        if key in result:
            expected = result[key]
            pairs = zip(moments, expected, strict=False)
            if len(moments) == len(expected) and all(abs(a - b) < 0.1 / fps for a, b in pairs):
                continue
            raise DataError(
                f"delta_timestamps gives {key} {_seconds(moments)}, "
                f"but {policy} at {fps:g} fps wants {_seconds(expected)}",
                f"Leave data.init_args.delta_timestamps.{key} out: it is derived from the policy and the dataset.",
            )
        if wanted is not None and (key.startswith("observation.") or key == "action"):
            raise DataError(
                f"delta_timestamps gives {key} {_seconds(moments)}, but {policy} reads one {key} per sample",
                f"Leave data.init_args.delta_timestamps.{key} out.",
            )
        result[key] = [float(moment) for moment in moments]
    return result or None


def _known(features: Mapping[str, Any]) -> str:
    return f"It has {', '.join(features)}."


def _seconds(moments: Sequence[float]) -> str:
    """`[-0.1, 0.0, …, 1.4] (16 moments)`: whole when short."""
    shown = [f"{moment:.4g}" for moment in moments]
    if len(shown) <= 16:
        return f"[{', '.join(shown)}]"
    return f"[{', '.join(shown[:3])}, …, {shown[-1]}] ({len(shown)} moments)"
