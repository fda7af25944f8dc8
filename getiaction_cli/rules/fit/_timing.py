"""What the rules about ``delta_timestamps`` share: how two windows differ, and the fix."""

from collections.abc import Iterator
from itertools import pairwise

from getiaction_cli.analysis.recipe_on_dataset import DELTAS, Fit, frames_apart, ordinal
from getiaction_cli.diagnostics import Change, Finding


def derive(fit: Fit, *keys: str) -> Change:
    """Return a fix that removes these keys, so that their time steps are derived from the policy."""
    rest = [key for key in fit.recipe.keys(DELTAS) if key not in keys]
    routes = tuple(f"{DELTAS}.{key}" for key in keys) if rest else (DELTAS,)
    what = " and ".join(f"delta_timestamps.{key}" for key in keys) if rest else "delta_timestamps"
    return Change(f"remove {what}: the time steps are derived from the policy and the fps", remove=routes, safe=True)


def unlike(fit: Fit, key: str) -> Iterator[Finding]:
    """Describe the window of a key in the recipe if it differs from the policy's."""
    stated, expected = fit.steps(key), fit.expected(key)
    if stated is None or stated == (expected or [0]):  # for a window of one frame, LeRobot drops the time dimension
        return
    if expected is None:
        yield Finding(
            f"{fit.policy.policy.class_name} reads `{key}` at the current frame only, without a time dimension; "
            f"`delta_timestamps` gives it one ({fit.seconds(stated)})",
            at=f"{DELTAS}.{key}",
            on="key",
            stops=True,
            label="adds a time dimension",
            fix=derive(fit, key),
        )
        return
    yield Finding(
        f"`delta_timestamps` gives `{key}` {fit.seconds(stated)}; {fit.policy.policy.class_name} with "
        f"{fit.describe_timing()} learns from {fit.seconds(expected)}",
        at=f"{DELTAS}.{key}",
        label=_difference(stated, expected),
        related=fit.timing(),
        help=_on_purpose(stated, expected),
        stops=len(stated) != len(expected),
        fix=derive(fit, key),
    )


def _on_purpose(stated: list[int], expected: list[int]) -> str:
    """Return the setting for a larger stride if that is the only difference between both windows."""
    apart, own = frames_apart(stated), frames_apart(expected)
    if apart > own == 1 and stated == [step * apart for step in expected]:
        return f"`data.init_args.stride: {apart}` learns from every {ordinal(apart)} frame on purpose"
    return ""


def _difference(stated: list[int], expected: list[int]) -> str:
    if len(stated) != len(expected):
        return f"{len(stated)} frames, not {len(expected)}"
    shift = stated[0] - expected[0]
    if all(s - e == shift for s, e in zip(stated, expected, strict=True)):
        return f"{abs(shift)} {'frame' if abs(shift) == 1 else 'frames'} too {'late' if shift > 0 else 'early'}"
    if stated == expected[::-1]:
        return "backwards"
    apart = {b - a for a, b in pairwise(stated)}
    if len(apart) == 1 and (stride := apart.pop()) > 1:
        return f"takes every {ordinal(stride)} frame"
    return "other frames"
