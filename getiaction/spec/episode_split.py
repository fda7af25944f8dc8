"""Which episodes are held out for validation: the rule that training follows and that the verdict counts by."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable


def held_out(tasks: Iterable[Hashable], val_split: float) -> list[int]:
    """Return the positions of the episodes to hold out: the last ones of each task, never all episodes of a task.

    LeRobot splits by task as well, but holds out every episode of a task that has only one.

    Args:
        tasks: the first task of each chosen episode, in the order in which the recipe lists the episodes.
        val_split: fraction of the episodes to hold out, at least 0 and below 1; rounded up per task.

    Returns:
        Positions in ``tasks``, task by task. Where no task has an episode to spare, the last ones of all. Empty where
        ``val_split`` is 0 or there is only one episode.
    """
    if not val_split:
        return []
    groups: dict[Hashable, list[int]] = {}
    count = 0
    for position, task in enumerate(tasks):
        groups.setdefault(task, []).append(position)
        count = position + 1
    positions = [position for group in groups.values() for position in _last(group, val_split)]
    return positions or _last(range(count), val_split)


def _last(group: list[int] | range, fraction: float) -> list[int]:
    """Return the last ``fraction`` of a group, rounded up, but never all of it."""
    return list(group[len(group) - max(0, min(math.ceil(len(group) * fraction), len(group) - 1)) :])
