"""Record the outcome of each key of a migrated configuration, and the resulting recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

Path = tuple[str, ...]


class Kind(StrEnum):
    """The outcome of a key of the source."""

    CARRIED = "carried over"
    NOTHING = "means nothing here"
    LOST = "cannot be expressed"
    ADDED = "added"


class Source(StrEnum):
    """The trainer that a configuration is for."""

    LEROBOT = "lerobot-train"
    LIGHTNING = "LightningCLI"
    OWN = "getiaction"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one key of the source, and of all keys below it.

    Args:
        key: its route in the source; for an added key its name there, or empty.
        kind: the kind of outcome.
        to: the route in the recipe, if it was carried over or added.
        why: the reason; for a lost key, what to do instead.
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
        source: the trainer of the configuration.
        recipe: the recipe as plain values.
        outcomes: the outcome of each key, in the order of the source, then added keys.
    """

    source: Source
    recipe: dict[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """The keys that a recipe cannot express."""
        return tuple(outcome for outcome in self.outcomes if outcome.kind is Kind.LOST)


class Ledger:
    """Records the outcome of every key of a source, and builds the recipe.

    The first outcome of a key is final; the outcome of a section applies to all keys below it without an outcome.

    Args:
        values: the source as plain values.
        recipe: the initial recipe.
    """

    def __init__(self, values: dict[str, Any], recipe: dict[str, Any] | None = None) -> None:
        self.values = values
        self.recipe = recipe if recipe is not None else {}
        self.leaves = list(leaves(values))
        self._below: dict[Path, list[Path]] = {}
        for leaf in self.leaves:
            for end in range(len(leaf) + 1):
                self._below.setdefault(leaf[:end], []).append(leaf)
        self._decided: dict[Path, Outcome] = {}
        self._added: list[Outcome] = []

    def get(self, *path: str) -> Any:
        """The value at a path of the source; None if it is missing."""
        value: Any = self.values
        for key in path:
            if isinstance(value, list):
                value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def has(self, *path: str) -> bool:
        """Whether the source has a key."""
        above = self.get(*path[:-1])
        return isinstance(above, dict) and path[-1] in above

    def open(self, path: Path) -> bool:
        """Whether a key, or one below it, does not have an outcome yet."""
        return any(self._deciding(leaf) is None for leaf in self._below.get(path, ()))

    def carry(self, path: Path, to: str, value: Any = None, why: str = "") -> None:
        """Write a key to the recipe at ``to``, with its own value or another one."""
        if self.open(path):
            self.put(to, self.get(*path) if value is None else value)
            self.note(path, to, why)

    def nothing(self, path: Path, why: str) -> None:
        """Record that a key has no effect in a recipe."""
        self._decide(path, Outcome(".".join(path), Kind.NOTHING, "", why, self.get(*path)))

    def lose(self, path: Path, instead: str) -> None:
        """Record that a recipe cannot express a key."""
        self._decide(path, Outcome(".".join(path), Kind.LOST, "", instead, self.get(*path)))

    def keep(self, path: Path) -> None:
        """Record that a key is in the recipe already, at the same route."""
        self.note(path, ".".join(path))

    def note(self, path: Path, to: str, why: str = "") -> None:
        """Record that a key is in the recipe already, at ``to``."""
        self._decide(path, Outcome(".".join(path), Kind.CARRIED, to, why, self.get(*path)))

    def replace(self, to: str, why: str) -> None:
        """Change the outcome of the key carried over to a route to no effect, because another key overrides it."""
        for path, outcome in self._decided.items():
            if outcome.to == to:
                self._decided[path] = Outcome(outcome.key, Kind.NOTHING, "", why, outcome.value)

    def recarry(self, path: Path, to: str, value: Any) -> None:
        """As `carry`, also for a key with an outcome."""
        self._decided.pop(path, None)
        self.carry(path, to, value)

    def add(self, to: str, value: Any, why: str, key: str = "") -> None:
        """Write a default of the source's trainer to the recipe."""
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
        """Whether the recipe has a value at a path."""
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
        """Remove a key from the recipe, and sections that become empty."""
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
        """All outcomes, in the order of the source, then added keys."""
        deciding = [self._deciding(leaf) for leaf in self.leaves]
        return (*(self._decided[path] for path in dict.fromkeys(deciding) if path is not None), *self._added)

    def undecided(self) -> Iterator[Path]:
        """Yield the keys without an outcome; the caller may decide on them meanwhile."""
        return (leaf for leaf in self.leaves if self._deciding(leaf) is None)

    def _deciding(self, leaf: Path) -> Path | None:
        """The longest path whose outcome applies to a leaf; None if there is none yet."""
        return next((leaf[:end] for end in range(len(leaf), 0, -1) if leaf[:end] in self._decided), None)

    def _decide(self, path: Path, outcome: Outcome) -> None:
        if path not in self._decided and self.open(path):
            self._decided[path] = outcome


def leaves(values: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that are not sections, and of empty sections. Objects in a list are sections."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, str(key)))
    elif isinstance(values, list) and values and all(isinstance(item, dict) and item for item in values):
        for index, value in enumerate(values):
            yield from leaves(value, (*path, str(index)))
    elif path:
        yield path
