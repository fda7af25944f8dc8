"""Names that are spelt like a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names spelt most like a word, hyphens and case aside."""
    plain = {name.lower().replace("-", "_"): name for name in names}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), plain, n=3, cutoff=0.75)
    return tuple(plain[name] for name in near)
