"""Which episodes are used, and which of them are held out for validation; shared by training and the checks."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Sequence


def used(total: int, episodes: Sequence[int] | None, excluded: Collection[int] | None) -> list[int] | None:
    """Return the episodes to use, in the order of the recipe.

    Args:
        total: how many episodes the dataset has.
        episodes: `episodes` of the recipe.
        excluded: `exclude_episodes` of the recipe.

    Returns:
        Their indices; None if neither list is given, which means all episodes.
    """
    if episodes is None and not excluded:
        return None
    left_out = set(excluded or ())
    return [episode for episode in (range(total) if episodes is None else episodes) if episode not in left_out]


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
