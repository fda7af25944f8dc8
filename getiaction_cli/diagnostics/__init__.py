"""Shared types of all packages: findings of rules, diagnostics with positions, and fixes.

A rule yields a `Finding`, which names places by their route ("model.init_args.chunk_size"). The runner converts it to a
`Diagnostic` with lines and columns, which the renderers print as text or JSON. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """The severity of a finding. Only errors change the exit code."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a text. Lines and columns count from 1 (in characters), ends are exclusive; offsets count from 0."""

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
        safe: whether it can't change what the user intended.
        file: the file that they edit; empty for the recipe.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a finding is about, such as the other half of a contradiction.

    Args:
        label: a short text about that place ("fps is 10").
        at: a route into the recipe; empty when the place is in another file.
        file: a file of the dataset, relative to its root ("meta/info.json"); empty when the place is in the recipe.
        key: the route inside that file ("features.action.shape").
        on: "key" to point at the key of ``at``, "value" to point at its value.
        span: the exact place in the recipe, if it has no route (the first of two equal keys).
    """

    label: str
    at: str = ""
    file: str = ""
    key: str = ""
    on: str = "value"
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A fix in terms of recipe values, which `getiaction_cli.recipe` converts to edits.

    Args:
        title: what the fix does, as an imperative ("set chunk_size to 10").
        set: routes to new plain values (written as YAML at the value's place; a missing key is added to its section).
        rename: routes to new last keys.
        remove: routes to remove, with their lines.
        safe: whether it can't change what the user intended.
    """

    title: str
    set: tuple[tuple[str, object], ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that a rule has found.

    Args:
        message: one short sentence that quotes the user's value and explains what is wrong.
        at: the route in the recipe that it concerns; for a missing key, its nearest existing parent is shown. Empty
            for a finding about a dataset alone.
        on: "key" to point at the key, "value" to point at the value.
        label: a few words under the caret; empty for none.
        file: a file of the dataset, relative to its root, if the error is in the dataset itself.
        key: the route inside that file.
        related: other places that it concerns.
        help: what to do, if the title of the fix is not enough.
        fix: the change that fixes it.
        severity: the severity, if it differs from the rule's.
        stops: whether training stops on it, if that differs from the rule's.
        span: the exact place, for findings of the reader, which have no route.
        within: the recipe's file that contains ``span``, if it is one of its bases; empty for its own.
        features: the features of a dataset that it concerns, if they are independent of each other.
        statistics: the names of the wrong statistics of these features; empty for all of them, None if it is not about
            statistics.
        rows: the episodes that it concerns, an array of their rows in the dataset's table of episodes; None if it
            concerns the whole dataset. It is not reported for a recipe that uses none of them.
        breaks: the inputs that it makes unusable for other rules, if these are fewer than the rule's.
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
        """A copy for one dataset of a mixture: files with the dataset's folder, episodes counted over all datasets."""
        rows = None if self.rows is None else self.rows + first
        related = tuple(replace(place, file=f"{root}/{place.file}") if place.file else place for place in self.related)
        return replace(self, file=f"{root}/{self.file}" if self.file else "", related=related, rows=rows)

    def without_fix(self) -> Finding:
        """A copy whose fix is only part of the help text."""
        if self.fix is None:
            return self
        return replace(self, fix=None, help="; ".join(filter(None, (self.fix.title, self.help))))


def upwards(route: str) -> Iterator[str]:
    """Yield a route, and those of the sections and lists that contain it."""
    while route:
        yield route
        route = route.rpartition(".")[0]


_MAX_WORD, _MAX_TEXT = 400, 4_000  # characters; a path in a command may be long
_LONG_WORD = re.compile(rf"\S{{{_MAX_WORD + 1},}}")


def shorten(text: str) -> str:
    """Shorten long words, and a long message, by an ellipsis in the middle: values may have megabytes."""
    if len(text) <= _MAX_WORD:
        return text
    return _middle(_LONG_WORD.sub(lambda word: _middle(word[0], _MAX_WORD), text), _MAX_TEXT)


def _middle(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


@dataclass(frozen=True, slots=True)
class Frame:
    """The position of a related place: ``lines`` are those from ``span.line``, or without a span an excerpt."""

    file: str
    label: str
    path: str = ""
    span: Span | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumed:
    """A stand-in for a rejected value, with which the rest of a recipe was checked.

    Args:
        path: the dotted route of the rejected value.
        value: the stand-in as YAML; empty for a default of LeRobot that is not a plain value.
    """

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A problem with its position. ``path`` is the dotted route in the recipe (or in ``file``).

    ``assuming`` lists the stand-ins with which it was found; empty if the recipe was checked unchanged. ``stops``:
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
        """A copy with shortened texts, in case they quote long values."""
        related = tuple(replace(frame, label=shorten(frame.label)) for frame in self.related)
        message, label, help = shorten(self.message), shorten(self.label), shorten(self.help)
        return replace(self, message=message, label=label, help=help, related=related)


@dataclass(frozen=True, slots=True)
class NotRun:
    """A rule that could not run, and why; it is always reported.

    ``lerobot``: the installed LeRobot could not be read, so that the report is incomplete for any recipe.
    """

    rule: str
    reason: str
    lerobot: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All diagnostics of one recipe or dataset, in the order in which they are shown.

    ``suppressed`` counts those that an ignore comment or ``--ignore`` removed; ``overruled`` are the errors among them
    on which training stops nevertheless. ``files`` are those of a recipe: its own and its bases.
    """

    subject: str
    diagnostics: tuple[Diagnostic, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    suppressed: int = 0
    overruled: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """Number of diagnostics with a severity."""
        return sum(d.severity is severity for d in self.diagnostics)

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return self.count(Severity.ERROR) == 0

    @property
    def complete(self) -> bool:
        """Whether no rule was skipped because the installed LeRobot could not be read."""
        return not any(entry.lerobot for entry in self.not_run)


class Unavailable(Exception):  # noqa: N818 - a result, not an error
    """An input of a rule is unavailable.

    Args:
        reason: why, for the user.
        is_reported: whether to list the rule as "not run".
        lerobot: whether the reason is that the installed LeRobot differs from the supported one.
    """

    def __init__(self, reason: str, *, is_reported: bool = True, lerobot: bool = False) -> None:
        super().__init__(reason)
        self.is_reported = is_reported
        self.lerobot = lerobot
