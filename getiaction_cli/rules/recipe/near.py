"""Names that are spelt like a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names spelt most like a word, hyphens and case aside; one that has all of its parts comes first."""
    plain = {_plain(name): name for name in names}
    near = difflib.get_close_matches(_plain(word), plain, n=3, cutoff=0.75)
    near.sort(key=lambda name: not set(_plain(word).split("_")) <= set(name.split("_")))
    return tuple(plain[name] for name in near)


def same_letters(word: str, name: str) -> bool:
    """True when a word differs from a name in hyphens and case only, so that it can't mean anything else."""
    return _plain(word) == _plain(name)


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
