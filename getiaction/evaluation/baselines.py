"""Predictions without learning, for the same frames and made at the same moments as the policy's.

A baseline may use what is known on a robot at that moment: the state and the executed actions, never a later frame.
At the first frame of an episode there is no earlier action: the state replaces it if possible, else the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from getiaction.evaluation.result import CARRY_ON, HOLD_ACTION, HOLD_STATE, MEAN


def joint_names(feature: Mapping[str, Any], size: int) -> list[str]:
    """The names of a vector's dimensions in a dataset, or `0`, `1`, … if it does not name them."""
    names = feature.get("names")
    if isinstance(names, Mapping):
        names = [name for part in names.values() for name in (part if isinstance(part, Sequence) else ())]
    if isinstance(names, Sequence) and not isinstance(names, str) and len(names) == size:
        return [str(name) for name in names]
    return [str(i) for i in range(size)]


def corresponding(action: Sequence[str], state: Sequence[str]) -> list[int] | None:
    """For each dimension of the action, the index of the state's dimension with the same name or position.

    None if names and sizes differ.
    """
    if set(action) <= set(state) and len(set(state)) == len(state):
        return [list(state).index(name) for name in action]
    return list(range(len(action))) if len(action) == len(state) else None


def follows(actions: np.ndarray, state: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> bool:
    """Whether actions are positions like the state, judged by whether the state is closer to them than their mean.

    Args:
        actions: `(rows, action)`.
        state: `(rows, action)` the corresponding dimensions of the state.
        mean: `(action,)` mean of the actions.
        scale: `(action,)` divisor of differences; zero for dimensions to ignore.
    """
    moving = scale > 0
    if not moving.any():
        return False
    near = np.abs(actions - state)[:, moving] / scale[moving]
    far = np.abs(actions - mean)[:, moving] / scale[moving]
    return bool(near.mean() < far.mean())


def predictions(
    actions: np.ndarray,
    state: np.ndarray | None,
    *,
    rows: np.ndarray,
    starts: np.ndarray,
    firsts: np.ndarray,
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> dict[str, np.ndarray]:
    """The predictions of each baseline, `(len(rows), action)` each.

    Args:
        actions: `(all rows, action)` as recorded.
        state: `(all rows, action)` the dimensions of the state that correspond to the action; None if none do.
        rows: the predicted frames.
        starts: for each of them the frame at which the prediction was made.
        firsts: for each of them the first frame of its episode.
        mean: `(action,)` the mean action.
        low: `(action,)` smallest recorded action.
        high: `(action,)` largest recorded action.
    """
    begins = starts == firsts
    unknown = state[starts] if state is not None else np.broadcast_to(mean, (len(rows), len(mean)))
    last = np.where(begins[:, None], unknown, actions[np.maximum(starts - 1, firsts)])
    before = np.where((starts - 2 < firsts)[:, None], last, actions[np.maximum(starts - 2, firsts)])
    movement = (last - before) * (rows - starts + 1)[:, None]
    found = {
        HOLD_ACTION: last,
        CARRY_ON: np.clip(last + movement, low, high),
        MEAN: np.broadcast_to(mean, last.shape),
    }
    return found if state is None else {HOLD_STATE: state[starts], **found}
