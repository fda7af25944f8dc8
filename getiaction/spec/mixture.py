"""Several datasets in one recipe (`data.init_args.datasets`): entries, shares, common features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from getiaction.spec import episode_split

# The key of a batch that holds the number of each sample's dataset.
DATASET_INDEX = "dataset_index"
# Prefixes of the features that policies read: every dataset must have them.
_READ = ("observation.", "action", "next.reward", "language")


class Entry:
    """One dataset of a mixture.

    Args:
        repo_id: The dataset's Hub id.
        root: Its folder.
        revision: Branch, tag or commit on the Hub.
        episodes: Indices of its episodes to use; null uses all.
        exclude_episodes: Indices of its episodes to exclude from these.
        weight: Share of the samples of an epoch, relative to the other datasets; null in all of them uses each
            frame once per epoch.
        rename_map: Its feature key → the key in the mixture.
        stride: Frames from one step of the mixture to the next: 3 reads a dataset of 30 fps at 10 fps. Null is 1, for
            a dataset with the frame rate of the others.
    """

    def __init__(
        self,
        repo_id: str | None = None,
        root: str | None = None,
        revision: str | None = None,
        episodes: list[int] | None = None,
        exclude_episodes: list[int] | None = None,
        weight: float | None = None,
        rename_map: dict[str, str] | None = None,
        stride: int | None = None,
    ) -> None:
        self.repo_id = repo_id
        self.root = root
        self.revision = revision
        self.episodes = episodes
        self.exclude_episodes = exclude_episodes
        self.weight = weight
        self.rename_map = {} if rename_map is None else rename_map
        self.stride = stride

    @property
    def frames_apart(self) -> int:
        """Frames from one step to the next."""
        return self.stride or 1

    def rate(self, fps: float) -> float:
        """Steps per second of a dataset with `fps` frames per second; an int if it is a whole number."""
        rate = fps / self.frames_apart
        return int(rate) if rate == int(rate) else rate


def read(entries: Sequence[Any]) -> list[Entry]:
    """Read the `datasets` of a recipe.

    Raises:
        ValueError: an entry is not a section, the weights can't be shares, or a value is of another type.
        TypeError: an entry has a key that does not exist.
    """
    found = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise ValueError(f"datasets.{number} must be a section with a repo_id, got {entry!r}")
        found.append(Entry(**entry))
    if not found:
        raise ValueError("datasets is empty")
    if wrong := weight_problem([entry.weight for entry in found]):
        raise ValueError(wrong[1])
    for number, entry in enumerate(found):
        if not is_rename_map(entry.rename_map):
            raise ValueError(f"the rename_map of datasets.{number} must map feature keys to feature keys")
        if entry.stride is not None and not is_stride(entry.stride):
            raise ValueError(f"the stride of datasets.{number} must be a whole number above 0, got {entry.stride!r}")
    return found


def is_rename_map(value: Any) -> bool:
    """Whether it maps feature keys to feature keys."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for pair in value.items() for key in pair)


def is_stride(value: Any) -> bool:
    """Whether a value is a whole number of at least 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def entries_with_other_rates(fps: Sequence[float], entries: Sequence[Entry]) -> list[int]:
    """Indices of the entries whose steps per second differ from those of the first one."""
    rates = [entry.rate(each) for each, entry in zip(fps, entries, strict=True)]
    return [number for number, rate in enumerate(rates) if not math.isclose(rate, rates[0], rel_tol=1e-6)]


def equal_strides(fps: Sequence[float]) -> list[int] | None:
    """The smallest stride of each dataset that gives all the same steps per second; None if that is below 5."""
    if not all(each == int(each) for each in fps):
        return None
    common = math.gcd(*map(int, fps))
    return [int(each) // common for each in fps] if common >= 5 else None  # robots are controlled at higher rates


def weight_problem(weights: Sequence[Any]) -> tuple[int, str] | None:
    """The first entry with an invalid weight, and why it is invalid; None if all are valid."""
    for number, weight in enumerate(weights):
        if weight is None:
            if any(other is not None for other in weights):
                return number, f"datasets.{number} has no weight, and others have one: weigh all of them or none"
        elif isinstance(weight, bool) or not isinstance(weight, int | float):
            return number, f"the weight of datasets.{number} must be a number, got {weight!r}"
        elif not (weight > 0 and math.isfinite(weight)):
            return number, f"the weight of datasets.{number} must be above 0, got {weight:g}"
    return None


def shares(counts: Sequence[int], weights: Sequence[float | None]) -> list[int]:
    """The number of samples of each dataset in an epoch; their sum is the number of samples of all datasets.

    Args:
        counts: Samples of each dataset.
        weights: Weight of each; None for all of them uses each sample once.
    """
    given = [weight for weight in weights if weight is not None]
    if len(given) < len(counts):
        return list(counts)
    total = sum(counts)
    exact = [total * weight / sum(given) for weight in given]
    whole = [math.floor(share) for share in exact]
    # The largest remainders are rounded up.
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in order[: total - sum(whole)]:
        whole[i] += 1
    return whole


def renamed(features: Mapping[str, Any], rename_map: Mapping[str, str]) -> dict[str, Any]:
    """Features by their keys in the mixture."""
    return {rename_map.get(key, key): feature for key, feature in features.items()}


def used_twice(
    roots: Sequence[Path], episodes: Sequence[int], entries: Sequence[Entry]
) -> Iterator[tuple[int, int, int]]:
    """Yield each entry that uses an episode of an earlier one: its number, that of the earlier one, the episode.

    Args:
        roots: Folder of each dataset.
        episodes: How many episodes each has.
        entries: What the recipe says of each.
    """
    holder: dict[Path, dict[int, int]] = {}
    for number, (root, there, entry) in enumerate(zip(roots, episodes, entries, strict=True)):
        taken = holder.setdefault(Path(root).resolve(), {})
        some = episode_split.used(there, entry.episodes, entry.exclude_episodes)
        mine = range(there) if some is None else some
        both = next((episode for episode in mine if episode in taken), None)
        if both is not None:
            yield number, taken[both], both
        else:
            taken.update(dict.fromkeys(mine, number))


def in_common(tables: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """The features that all datasets have, in the order of the first one.

    Args:
        tables: Features of each dataset as info.json declares them, renamed.
    """
    return {key: feature for key, feature in tables[0].items() if all(key in table for table in tables[1:])}


def differences(first: Mapping[str, Mapping[str, Any]], other: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The differences that prevent mixing two datasets: feature key → the difference of `other`, as text.

    A feature that no policy reads may be missing; the samples do not contain it.
    """
    found = {}
    for key in dict.fromkeys((*first, *other)):
        mine, theirs = first.get(key), other.get(key)
        if mine is None or theirs is None:
            if key.startswith(_READ):
                found[key] = "does not have it" if theirs is None else "has it, and the first dataset does not"
            continue
        for what in ("dtype", "shape", "names"):
            a, b = (_plain(feature.get(what)) for feature in (mine, theirs))
            if a != b and not (what == "names" and (a is None or b is None or not key.startswith(_READ))):
                found[key] = f"has {what} {b} instead of {a}"
                break
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
