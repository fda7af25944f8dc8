"""Facts about LeRobot's policies, each with its evidence in LeRobot's source.

The facts are in `facts.toml`, which documents its format. An entry's evidence names files of LeRobot with a
regular expression each: if one is not found in the installed LeRobot, the fact may no longer be true there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Parameters that make a policy's constructor download weights, which a checkpoint then overwrites → the value that
# downloads nothing.
FETCHES_WEIGHTS = {"pretrained_backbone_weights": None, "load_vlm_weights": False}

# Entries that are only displayed: text without evidence, which no rule relies on.
TEXT = frozenset({"name", "task", "cameras", "state", "why_not"})


def table() -> dict[str, dict[str, Any]]:
    """`facts.toml`: policy → fact → entry."""
    return {policy: of(policy) for policy in _parts()}


@functools.cache
def of(policy: str) -> dict[str, Any]:
    """The facts of one policy, by name; empty for a policy that the table does not have."""
    import tomllib

    return tomllib.loads(_parts().get(policy, "")).get(policy, {})


@functools.cache
def _parts() -> dict[str, str]:
    """The text of each policy's entries: parsing those of one takes 0.2 ms, of all policies 4 ms."""
    text = Path(__file__).with_name("facts.toml").read_text(encoding="utf-8")
    parts = re.split(r"^(?=\[\w+\]$)", text, flags=re.MULTILINE)[1:]
    return {part[1 : part.index("]")]: part for part in parts}


def holds(policy: str, fact: str) -> bool:
    """Whether the table has this fact for a policy, conditional or not."""
    return fact in of(policy)


def value(policy: str, fact: str, default: Any = None) -> Any:
    """The value of a fact that depends on no parameter; ``default`` where the table has none."""
    entry = of(policy).get(fact)
    return default if entry is None else entry.get("is", True)


def evidence(entry: Any) -> tuple[str, ...]:
    """The evidence of an entry; of all items if it is a list of tables."""
    if isinstance(entry, list):
        return tuple(place for item in entry for place in evidence(item))
    places = entry.get("evidence", ())
    return (places,) if isinstance(places, str) else tuple(places)


def all_evidence() -> Iterator[tuple[str, str, str]]:
    """Every (policy, fact, evidence) of the table, in its order."""
    for policy, facts in table().items():
        for fact, entry in facts.items():
            if fact not in TEXT:
                yield from ((policy, fact, place) for place in evidence(entry))


def missing_evidence(entry: Any, lerobot: Path) -> str:
    """The first evidence of an entry that is not found in a LeRobot; empty if all of it is found.

    Args:
        entry: an entry of the table, or a list of tables.
        lerobot: the folder of the package ``lerobot``.
    """
    return next((place for place in evidence(entry) if not _is_there(place, lerobot)), "")


@functools.cache
def _is_there(place: str, lerobot: Path) -> bool:
    file, _, pattern = place.partition(" : ")
    return re.search(pattern, _text(lerobot / "policies" / file)) is not None


@functools.cache
def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
