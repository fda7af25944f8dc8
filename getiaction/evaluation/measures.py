"""Compute errors from predicted and recorded actions; numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from getiaction.evaluation.result import Borders, Episode, Joint, Moment

# A predicted value is outside the recorded range if its distance from it is larger than this share of the range.
MARGIN = 0.2
WORST = 5


@dataclass(frozen=True)
class Predicted:
    """A policy's predictions for all frames of some episodes.

    Attributes:
        actions: `(rows, action)` predicted.
        recorded: `(rows, action)`.
        starts: `(rows,)` the row at which the prediction for each row was made.
        firsts: `(episodes,)` first row of each episode.
        lengths: `(episodes,)` number of frames of each episode.
        numbers: `(episodes,)` index of each episode in the dataset.
    """

    actions: np.ndarray
    recorded: np.ndarray
    starts: np.ndarray
    firsts: np.ndarray
    lengths: np.ndarray
    numbers: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """All rows."""
        return np.arange(len(self.actions))

    @property
    def first(self) -> np.ndarray:
        """`(rows,)` the first row of the episode of each row."""
        return np.repeat(self.firsts, self.lengths)

    @property
    def slices(self) -> list[slice]:
        """The rows of each episode."""
        return [slice(first, first + length) for first, length in zip(self.firsts, self.lengths, strict=True)]


def share(error: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Errors `(…, action)` as shares of each joint's range, averaged over the joints that move."""
    moving = scale > 0
    if not moving.any():
        return np.zeros(error.shape[:-1])
    return (error[..., moving] / scale[moving]).mean(axis=-1)


def joints(
    found: Predicted,
    baselines: Mapping[str, np.ndarray],
    names: Sequence[str],
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[Joint, ...]:
    """Measure each dimension of the action."""
    error = np.abs(found.actions - found.recorded).mean(axis=0)
    theirs = {name: np.abs(values - found.recorded).mean(axis=0) for name, values in baselines.items()}
    scale = high - low
    made = []
    for i, name in enumerate(names):
        values, recorded = found.actions[:, i], found.recorded[:, i]
        margin = MARGIN * scale[i]
        made.append(
            Joint(
                name=name,
                error=float(error[i]),
                share=float(error[i] / scale[i]) if scale[i] > 0 else None,
                low=float(low[i]),
                high=float(high[i]),
                baselines={which: float(value[i]) for which, value in theirs.items()},
                outside=float(((values < low[i] - margin) | (values > high[i] + margin)).mean()),
                at_limit=_at_limit(values, scale[i]),
                recorded_at_limit=_at_limit(recorded, scale[i]),
            )
        )
    return tuple(made)


def _at_limit(values: np.ndarray, scale: float) -> float:
    """The share of values equal to the minimum or to the maximum (the larger share), minus the one that must be."""
    near = 1e-5 * scale
    low, high = float(values.min()), float(values.max())
    if high - low <= 2 * near:
        return 0.0
    return float(max((values <= low + near).mean(), (values >= high - near).mean()) - 1 / len(values))


def episodes(found: Predicted, scale: np.ndarray, tasks: Sequence[str]) -> tuple[Episode, ...]:
    """Measure each episode; `tasks` has the text of each."""
    error = share(np.abs(found.actions - found.recorded), scale)
    return tuple(
        Episode(int(number), task, int(length), float(error[rows].mean()))
        for number, task, length, rows in zip(found.numbers, tasks, found.lengths, found.slices, strict=True)
    )


def by_task(measured: Sequence[Episode]) -> dict[str, float]:
    """The error of each task over the frames of its episodes, worst first."""
    groups: dict[str, list[Episode]] = {}
    for episode in measured:
        groups.setdefault(episode.task, []).append(episode)
    errors = {
        task: sum(e.error * e.frames for e in group) / sum(e.frames for e in group) for task, group in groups.items()
    }
    return dict(sorted(errors.items(), key=lambda entry: -entry[1]))


def horizon(found: Predicted, values: np.ndarray, scale: np.ndarray, steps: int) -> tuple[float, ...]:
    """The error of predicted values at each step of the chunk; nan for steps that no chunk reaches."""
    error = share(np.abs(values - found.recorded), scale)
    step = found.rows - found.starts
    counts = np.bincount(step, minlength=steps)
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple((np.bincount(step, weights=error, minlength=steps) / counts).tolist())


def worst(found: Predicted, scale: np.ndarray, names: Sequence[str], fps: float) -> tuple[Moment, ...]:
    """The moments with the largest errors, at most two per episode."""
    error = np.abs(found.actions - found.recorded)
    shares = share(error, scale)
    begins, place = np.unique(found.starts, return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, weights=shares) / counts
    moments: list[Moment] = []
    taken: dict[int, int] = {}
    safe = np.where(scale > 0, scale, np.inf)
    for at in np.argsort(-means):
        row = begins[at]
        which = int(np.searchsorted(found.firsts, row, side="right") - 1)
        if taken.get(which, 0) == 2:
            continue
        taken[which] = taken.get(which, 0) + 1
        joint = names[int((error[place == at] / safe).mean(axis=0).argmax())]
        second = float((row - found.firsts[which]) / fps)
        moments.append(Moment(int(found.numbers[which]), second, float(means[at]), joint))
        if len(moments) == WORST:
            break
    return tuple(moments)


def borders(found: Predicted, scale: np.ndarray) -> Borders | None:
    """Movements of actions across the borders of chunks and inside of chunks; None without a border."""
    crossing, inside, recorded = [], [], []
    for rows in found.slices:
        moves = share(np.abs(np.diff(found.actions[rows], axis=0)), scale)
        border = np.diff(found.starts[rows]) > 0
        crossing.append(moves[border])
        inside.append(moves[~border])
        recorded.append(share(np.abs(np.diff(found.recorded[rows], axis=0)), scale))
    jumps, within = np.concatenate(crossing), np.concatenate(inside)
    if not len(jumps) or not len(within):
        return None
    fast = float(np.quantile(np.concatenate(recorded), 0.95))
    return Borders(len(jumps), float(jumps.mean()), float(within.mean()), fast)


def evenly(values: Sequence[int], count: int) -> list[int]:
    """Select at most `count` of the values, evenly spread from first to last."""
    if count >= len(values):
        return list(values)
    places = np.linspace(0, len(values) - 1, count).round().astype(int)
    return [values[i] for i in dict.fromkeys(places.tolist())]
