"""Find names with a similar spelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names with the most similar spelling, ignoring hyphens and case; one with all parts of the word comes first.

    Without a similar one: the name that has all parts of the word and the fewest others.
    """
    plain = {_plain(name): name for name in names}
    near = difflib.get_close_matches(_plain(word), plain, n=3, cutoff=0.75)
    near.sort(key=lambda name: not set(_plain(word).split("_")) <= set(name.split("_")))
    return tuple(plain[name] for name in near or _longer(_plain(word), plain))


def _longer(word: str, names: Iterable[str]) -> list[str]:
    """The name with all parts of a word and the fewest others: "weight_decay" in "optimizer_weight_decay"."""
    parts = set(word.split("_"))
    if not any(len(part) > 3 for part in parts):
        return []
    more = {name: len(name.split("_")) for name in names if parts <= set(name.split("_"))}
    fewest = [name for name, count in more.items() if count == min(more.values())]
    return fewest if len(fewest) == 1 else []


def same_letters(word: str, name: str) -> bool:
    """Whether a word differs from a name only in hyphens and case."""
    return _plain(word) == _plain(name)


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
