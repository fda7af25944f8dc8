"""Version 1 of the JSON that programs read. Its shape is frozen, in words of its own: the house may change around it.

A key may be added; one that changes or goes means a json_v2 beside this file. Lines and columns count from 1 in
characters, ends are exclusive; the offsets of an edit count characters of the recipe's text from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from getiaction_cli.diagnostics import Diagnostic, Fix, Frame, Report, Severity, Span
from getiaction_cli.rendering.json_text import VERSION, json_text


class EditV1(TypedDict):
    """Replace the characters from ``start`` to ``end`` by ``text``."""

    start: int
    end: int
    text: str


class FixV1(TypedDict):
    """Edits that belong together, all of one file: the recipe, or one of its bases."""

    title: str
    safe: bool
    file: str
    edits: list[EditV1]


class PlaceV1(TypedDict):
    """A stretch of a file; null where only the file is known."""

    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


class RelatedV1(PlaceV1):
    """The other half of a contradiction."""

    file: str
    path: str
    message: str


class AssumedV1(TypedDict):
    """A value that replaced a refused one: ``path`` is the route of the refused value, ``value`` is YAML."""

    path: str
    value: str


class DiagnosticV1(PlaceV1):
    """One finding. ``path`` is the dotted route in the recipe, as ``model.init_args.chunk_size``.

    ``recipe`` is the recipe that was checked, also where ``file`` is a file of its dataset; empty for a dataset that
    was inspected by itself. ``assuming`` lists the values that replaced refused ones; empty for most findings.

    ``help`` also holds what the terminal writes beside the underlined words ("did you mean `chunk_size`?"), on a line
    of its own.
    """

    code: str
    name: str
    severity: str
    message: str
    file: str
    path: str
    related: list[RelatedV1]
    help: str
    fix: FixV1 | None
    recipe: str
    assuming: list[AssumedV1]


class NotRunV1(TypedDict):
    """A rule that could not be judged, why, and for which ``recipe``."""

    rule: str
    reason: str
    recipe: str


class SummaryV1(TypedDict):
    """How many of each."""

    errors: int
    warnings: int
    infos: int


class ReportV1(TypedDict):
    """The whole document."""

    version: int
    verdict: str
    diagnostics: list[DiagnosticV1]
    not_run: list[NotRunV1]
    summary: SummaryV1


def render(reports: Sequence[Report]) -> str:
    """The document for all recipes together; ``recipe`` tells them apart."""
    document = ReportV1(
        version=VERSION,
        verdict=_verdict(reports),
        diagnostics=[
            diagnostic_v1(diagnostic, report.subject) for report in reports for diagnostic in report.diagnostics
        ],
        not_run=[
            NotRunV1(rule=entry.rule, reason=entry.reason, recipe=report.subject)
            for report in reports
            for entry in report.not_run
        ],
        summary=SummaryV1(
            errors=sum(report.count(Severity.ERROR) for report in reports),
            warnings=sum(report.count(Severity.WARNING) for report in reports),
            infos=sum(report.count(Severity.INFO) for report in reports),
        ),
    )
    return json_text(document)


def _verdict(reports: Sequence[Report]) -> str:
    """`ok`, `error`, or `incomplete`: no error, but rules did not run because LeRobot could not be read."""
    if not all(report.ok for report in reports):
        return "error"
    return "ok" if all(report.complete for report in reports) else "incomplete"


def diagnostic_v1(diagnostic: Diagnostic, recipe: str = "") -> DiagnosticV1:
    """One diagnostic of a recipe, or of a dataset by itself, in its frozen shape."""
    return DiagnosticV1(
        code=diagnostic.code,
        name=diagnostic.name,
        severity=str(diagnostic.severity),
        message=diagnostic.message,
        file=diagnostic.file,
        path=diagnostic.path,
        **_place(diagnostic.span),
        related=[_related(frame) for frame in diagnostic.related],
        help="\n".join(filter(None, (diagnostic.label, diagnostic.help))),
        fix=_fix(diagnostic.fix, recipe),
        recipe=recipe,
        assuming=[AssumedV1(path=assumed.path, value=assumed.value) for assumed in diagnostic.assuming],
    )


def _place(span: Span | None) -> PlaceV1:
    if span is None:
        return PlaceV1(line=None, column=None, end_line=None, end_column=None)
    return PlaceV1(line=span.line, column=span.column, end_line=span.end_line, end_column=span.end_column)


def _related(frame: Frame) -> RelatedV1:
    return RelatedV1(file=frame.file, path=frame.path, message=frame.label, **_place(frame.span))


def _fix(fix: Fix | None, recipe: str) -> FixV1 | None:
    if fix is None:
        return None
    edits = [EditV1(start=edit.start, end=edit.end, text=edit.text) for edit in fix.edits]
    return FixV1(title=fix.title, safe=fix.safe, file=fix.file or recipe, edits=edits)
