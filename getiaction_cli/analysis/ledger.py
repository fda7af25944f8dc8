"""What became of each key of a configuration that is migrated, and the recipe that comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

Path = tuple[str, ...]


class Kind(StrEnum):
    """What became of a key of the source."""

    CARRIED = "carried over"
    NOTHING = "means nothing here"
    LOST = "cannot be expressed"
    ADDED = "added"


class Source(StrEnum):
    """Whose configuration it is."""

    LEROBOT = "lerobot-train"
    LIGHTNING = "LightningCLI"
    OWN = "getiaction"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one key of the source, and of all keys below it.

    Args:
        key: its route in the source; for what is added, its name there, or empty.
        kind: the outcome.
        to: the route in the recipe, where it was carried over or added.
        why: the reason; for what cannot be expressed, what to do instead.
        value: its value in the source, or the value that was added.
    """

    key: str
    kind: Kind
    to: str = ""
    why: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Migration:
    """A recipe made from another trainer's configuration.

    Args:
        source: whose configuration it was.
        recipe: the recipe as plain values.
        outcomes: what became of each key, in the order of the source; what was added comes last.
    """

    source: Source
    recipe: dict[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """What cannot be expressed in a recipe."""
        return tuple(outcome for outcome in self.outcomes if outcome.kind is Kind.LOST)


class Ledger:
    """Keeps the outcome of every key of a source, and the recipe that comes of them.

    The first outcome of a key is final; one of a section covers what is below it and not decided yet.

    Args:
        values: the source as plain values.
        recipe: the recipe to begin with.
    """

    def __init__(self, values: dict[str, Any], recipe: dict[str, Any] | None = None) -> None:
        self.values = values
        self.recipe = recipe if recipe is not None else {}
        self.leaves = list(leaves(values))
        self._decided: dict[Path, Outcome] = {}
        self._added: list[Outcome] = []

    def get(self, *path: str) -> Any:
        """The value at a path of the source; None where there is none."""
        value: Any = self.values
        for key in path:
            if isinstance(value, list):
                value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def has(self, *path: str) -> bool:
        """True when the source has that key."""
        above = self.get(*path[:-1])
        return isinstance(above, dict) and path[-1] in above

    def open(self, path: Path) -> bool:
        """True when that key, or one below it, has no outcome yet."""
        return any(leaf[: len(path)] == path for leaf in self.undecided())

    def carry(self, path: Path, to: str, value: Any = None, why: str = "") -> None:
        """The key is ``to`` in the recipe, with its own value or another one."""
        if self.open(path):
            self.put(to, self.get(*path) if value is None else value)
            self.note(path, to, why)

    def nothing(self, path: Path, why: str) -> None:
        """The key means nothing here."""
        self._decide(path, Outcome(".".join(path), Kind.NOTHING, "", why, self.get(*path)))

    def lose(self, path: Path, instead: str) -> None:
        """What the key asks for cannot be expressed."""
        self._decide(path, Outcome(".".join(path), Kind.LOST, "", instead, self.get(*path)))

    def keep(self, path: Path) -> None:
        """The key is called the same in the recipe, and is there already."""
        self.note(path, ".".join(path))

    def note(self, path: Path, to: str, why: str = "") -> None:
        """The key is ``to`` in the recipe, which is written already."""
        self._decide(path, Outcome(".".join(path), Kind.CARRIED, to, why, self.get(*path)))

    def replace(self, to: str, why: str) -> None:
        """What was carried over to that route means nothing: another key takes it."""
        for path, outcome in self._decided.items():
            if outcome.to == to:
                self._decided[path] = Outcome(outcome.key, Kind.NOTHING, "", why, outcome.value)

    def recarry(self, path: Path, to: str, value: Any) -> None:
        """As `carry`, also for a key that has an outcome."""
        self._decided.pop(path, None)
        self.carry(path, to, value)

    def add(self, to: str, value: Any, why: str, key: str = "") -> None:
        """Write what the source leaves to its trainer's default."""
        self.put(to, value)
        self._added.append(Outcome(key, Kind.ADDED, to, why, value))

    def put(self, route: str, value: Any) -> None:
        """Set a value of the recipe."""
        section: Any = self.recipe
        for key, below in pairwise(parts := route.split(".")):
            if isinstance(section, list):
                section = section[int(key)]
                continue
            inside = section.get(key)
            if not (isinstance(inside, dict) or (isinstance(inside, list) and below.isdecimal())):
                section[key] = {}
            section = section[key]
        section[parts[-1]] = value

    def holds(self, *path: str) -> bool:
        """True when the recipe has a value at a path."""
        section: Any = self.recipe
        for key in path:
            if isinstance(section, list) and key.isdecimal() and int(key) < len(section):
                section = section[int(key)]
            elif isinstance(section, dict) and key in section:
                section = section[key]
            else:
                return False
        return True

    def remove(self, path: Path) -> None:
        """Take a key out of the recipe, and the sections that are empty without it."""
        above: list[tuple[Any, Any]] = []
        section: Any = self.recipe
        for name in path:
            key: Any = int(name) if isinstance(section, list) else name
            if isinstance(section, dict) and key not in section:
                return
            above.append((section, key))
            section = section[key]
        for number, (parent, key) in enumerate(reversed(above)):
            if number and parent[key]:
                return
            del parent[key]

    def outcomes(self) -> tuple[Outcome, ...]:
        """All of them, in the order of the source; what was added last."""
        deciding = [self._deciding(leaf) for leaf in self.leaves]
        return (*(self._decided[path] for path in dict.fromkeys(deciding) if path is not None), *self._added)

    def undecided(self) -> Iterator[Path]:
        """The keys that have no outcome yet, one after the other."""
        return (leaf for leaf in self.leaves if self._deciding(leaf) is None)

    def _deciding(self, leaf: Path) -> Path | None:
        """The path whose outcome covers a leaf, the longest one; None for none yet."""
        return next((leaf[:end] for end in range(len(leaf), 0, -1) if leaf[:end] in self._decided), None)

    def _decide(self, path: Path, outcome: Outcome) -> None:
        if path not in self._decided and self.open(path):
            self._decided[path] = outcome


def leaves(values: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are not sections, empty sections among them. Objects in a list are sections."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, str(key)))
    elif isinstance(values, list) and values and all(isinstance(item, dict) and item for item in values):
        for index, value in enumerate(values):
            yield from leaves(value, (*path, str(index)))
    elif path:
        yield path
