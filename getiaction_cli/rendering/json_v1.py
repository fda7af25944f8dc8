"""Version 1 of the JSON of `validate-config`. Its types are independent of the internal ones, so that these may change.

Keys may be added; changing or removing one requires a new version, json_v2. Lines and columns start at 1 and count
characters; ends are exclusive. The offsets of an edit count characters of the file's text from 0.
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
    """Edits of one file, the recipe or one of its bases, that must be applied together."""

    title: str
    safe: bool
    file: str
    edits: list[EditV1]


class PlaceV1(TypedDict):
    """A range in a file; all null if only the file is known."""

    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


class RelatedV1(PlaceV1):
    """Another place that the finding refers to, such as the value that contradicts."""

    file: str
    path: str
    message: str


class AssumedV1(TypedDict):
    """A value that the checks assumed in place of an invalid one at ``path``; ``value`` is YAML."""

    path: str
    value: str


class DiagnosticV1(PlaceV1):
    """One finding. ``path`` is the dotted path in the recipe, such as ``model.init_args.chunk_size``.

    ``recipe`` is the checked recipe, even if ``file`` is a file of its dataset; empty for `inspect-dataset`.
    ``assuming`` lists the values that replaced invalid ones; it is empty for most findings.

    The first line of ``help`` may be the label that the terminal shows next to the underlined text ("did you mean
    `chunk_size`?").
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
    """A rule that did not run on ``recipe``, and the reason."""

    rule: str
    reason: str
    recipe: str


class SummaryV1(TypedDict):
    """The number of findings of each severity."""

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
    """Return one document for all recipes; ``recipe`` identifies them."""
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
    """Return `ok`, `error`, or `incomplete` (no error, but rules did not run because LeRobot could not be read)."""
    if not all(report.ok for report in reports):
        return "error"
    return "ok" if all(report.complete for report in reports) else "incomplete"


def diagnostic_v1(diagnostic: Diagnostic, recipe: str = "") -> DiagnosticV1:
    """Convert a diagnostic of a recipe, or of a dataset if ``recipe`` is empty."""
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
