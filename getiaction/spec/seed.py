"""Draw a seed for a recipe without one, so that its training can be repeated and resumed."""

from __future__ import annotations

import random
import re

_LINE = re.compile(r"^([\"']?)seed\1[ \t]*:.*$", re.MULTILINE)
_HEAD = re.compile(r"^(?:%[^\n]*\n|#[^\n]*\n|\s*\n)*---[ \t]*(?:#[^\n]*)?\n")


def draw() -> int:
    """Draw a random seed from 0 to 2**31 - 1."""
    return random.SystemRandom().randrange(2**31)


def with_seed(text: str, seed: int) -> str:
    """Add a seed to the text of a recipe without one (or with `seed: null`); keep its comments if possible."""
    import yaml

    line = f"seed: {seed}  # drawn for this run"
    head = _HEAD.match(text)
    start = head.end() if head else 0
    try:
        wanted = {**(yaml.safe_load(text) or {}), "seed": seed}
    except (yaml.YAMLError, TypeError):
        return f"{line}\n{text}"
    for candidate in (_LINE.sub(line, text, count=1), f"{text[:start]}{line}\n{text[start:]}"):
        try:
            if yaml.safe_load(candidate) == wanted:
                return candidate
        except yaml.YAMLError:
            continue
    return yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True)
