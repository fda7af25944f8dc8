"""The common coin of every room: where something is, what is wrong there, and the edit that fixes it.

A rule yields a `Finding`: it names places by their route ("model.init_args.chunk_size"). The runner turns it into a
`Diagnostic`, which knows lines and columns. Rendering turns that into colours or JSON. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad it is. Only errors change the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text. Lines and columns count from 1 (in characters), ends are exclusive; offsets count from 0."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters ``start`` to ``end`` (offsets from 0, end exclusive) of the recipe's text by ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that together fix one diagnostic.

    Args:
        title: what the fix does.
        edits: the edits, all of one file.
        safe: it can't change what the user meant.
        file: the file that they edit; empty for the recipe.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """The other half of a contradiction, as a rule names it.

    Args:
        label: what is there, in a few words ("fps is 10").
        at: a route into the recipe; empty when the place is in another file.
        file: a file of the dataset, relative to its root ("meta/info.json"); empty when the place is in the recipe.
        key: the route inside that file ("features.action.shape").
        on: "key" to point at the key of ``at``, "value" to point at its value.
        span: the exact place in the recipe, where no route leads to it (the first of two equal keys).
    """

    label: str
    at: str = ""
    file: str = ""
    key: str = ""
    on: str = "value"
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A fix as a rule says it: what to do to which recipe values. The recipe room turns it into edits.

    Args:
        title: what the fix does, as an imperative ("set chunk_size to 10").
        set: routes to new plain values (written as YAML at the value's place; a missing key is added to its section).
        rename: routes to new last keys.
        remove: routes that go, with their lines.
        safe: True only when it can't change what the user meant.
    """

    title: str
    set: tuple[tuple[str, object], ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule yields.

    Args:
        message: one terse sentence that quotes the user's own word and says why it is wrong.
        at: the route in the recipe that it concerns; where that key is absent, its nearest present parent is shown.
            Empty for a finding about a dataset alone.
        on: "key" to point at the key, "value" to point at the value.
        label: a few words under the caret; empty for none.
        file: a file of the dataset, relative to its root, when the fault is in the dataset itself.
        key: the route inside that file.
        related: the other places that matter.
        help: what to do, when there is more to say than the fix's title.
        fix: the change that fixes it.
        severity: where it differs from the rule's own.
        stops: whether training stops on it, where that differs from what the rule says.
        span: the exact place, for findings made while reading, before there are routes.
        within: the recipe's file in which ``span`` lies, where it is one of its bases; empty for its own.
        features: the features of a dataset that it concerns, where each is a matter of its own.
        statistics: the names of the statistics of these features that are wrong; empty for all of them, None where it
            is not about statistics.
        rows: the episodes that it concerns, an array of their rows in the dataset's table of episodes; None where it
            concerns the dataset as a whole. A recipe that takes none of them is not told.
        breaks: what it makes useless for other rules, where that is less than what its rule says.
    """

    message: str
    at: str = ""
    on: str = "value"
    label: str = ""
    file: str = ""
    key: str = ""
    related: tuple[Related, ...] = ()
    help: str = ""
    fix: Change | Fix | None = None
    severity: Severity | None = None
    stops: bool | None = None
    span: Span | None = None
    features: tuple[str, ...] = ()
    statistics: tuple[str, ...] | None = None
    rows: Any = field(default=None, compare=False)
    breaks: tuple[str, ...] | None = None
    within: str = ""

    def in_folder(self, root: str, first: int) -> Finding:
        """The same about one of several datasets: files with its folder, episodes counted over all of them."""
        rows = None if self.rows is None else self.rows + first
        related = tuple(replace(place, file=f"{root}/{place.file}") if place.file else place for place in self.related)
        return replace(self, file=f"{root}/{self.file}" if self.file else "", related=related, rows=rows)

    def without_fix(self) -> Finding:
        """The same with its fix as advice alone."""
        if self.fix is None:
            return self
        return replace(self, fix=None, help="; ".join(filter(None, (self.fix.title, self.help))))


def upwards(route: str) -> Iterator[str]:
    """A route, and those of the sections and lists that it lies in."""
    while route:
        yield route
        route = route.rpartition(".")[0]


_MAX_WORD, _MAX_TEXT = 400, 4_000  # characters; a path in a command may be long
_LONG_WORD = re.compile(rf"\S{{{_MAX_WORD + 1},}}")


def shorten(text: str) -> str:
    """A message whose overlong words, and overlong whole, have an ellipsis in their middle: values may be megabytes."""
    if len(text) <= _MAX_WORD:
        return text
    return _middle(_LONG_WORD.sub(lambda word: _middle(word[0], _MAX_WORD), text), _MAX_TEXT)


def _middle(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A related place, found: ``lines`` are the source lines from ``span.line`` on (or the excerpt when no span)."""

    file: str
    label: str
    path: str = ""
    span: Span | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumed:
    """A value that replaced one that is refused, so that the rest of a recipe could be checked.

    Args:
        path: the dotted route of the refused value.
        value: what replaced it, as YAML; empty where LeRobot's default did and is not a plain value.
    """

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, with its place. ``path`` is the dotted route in the recipe (or in ``file``).

    ``assuming`` names the stand-ins under which it was found; empty where the recipe was checked as it is. ``stops``:
    training can't run despite it.
    """

    code: str
    name: str
    severity: Severity
    message: str
    file: str
    path: str = ""
    span: Span | None = None
    label: str = ""
    lines: tuple[str, ...] = ()
    related: tuple[Frame, ...] = ()
    help: str = ""
    fix: Fix | None = None
    assuming: tuple[Assumed, ...] = ()
    stops: bool = False

    def shortened(self) -> Diagnostic:
        """A copy with short texts, even where they quote long values."""
        related = tuple(replace(frame, label=shorten(frame.label)) for frame in self.related)
        message, label, help = shorten(self.message), shorten(self.label), shorten(self.help)
        return replace(self, message=message, label=label, help=help, related=related)


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that could not be judged, and why. Never silently passed.

    ``lerobot``: the installed LeRobot could not be read, so that the verdict is incomplete for any recipe.
    """

    rule: str
    reason: str
    lerobot: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one recipe or dataset, in the order it is shown.

    ``suppressed`` counts what an ignore comment or ``--ignore`` took away; ``overruled`` are the errors among it
    on which training stops all the same. ``files`` are those of a recipe: its own and its bases.
    """

    subject: str
    diagnostics: tuple[Diagnostic, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    suppressed: int = 0
    overruled: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many diagnostics of that severity."""
        return sum(d.severity is severity for d in self.diagnostics)

    @property
    def ok(self) -> bool:
        """True when nothing of error severity was found."""
        return self.count(Severity.ERROR) == 0

    @property
    def complete(self) -> bool:
        """False when rules could not run because the installed LeRobot could not be read."""
        return not any(entry.lerobot for entry in self.not_run)


class Unavailable(Exception):  # noqa: N818 - it is an answer, not an error
    """What a rule needs is unavailable.

    Args:
        reason: why, for a reader.
        worth_saying: show the rule as "not run".
        lerobot: the reason is that the installed LeRobot differs from the one that getiaction was written for.
    """

    def __init__(self, reason: str, *, worth_saying: bool = True, lerobot: bool = False) -> None:
        super().__init__(reason)
        self.worth_saying = worth_saying
        self.lerobot = lerobot
