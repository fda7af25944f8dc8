"""GitHub workflow commands: each finding becomes an annotation on its line of the pull request."""

from __future__ import annotations

from collections.abc import Sequence

from getiaction_cli.diagnostics import Diagnostic, Report, Severity
from getiaction_cli.installed import rule_url

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(reports: Sequence[Report]) -> str:
    """Return one command per diagnostic. GitHub can't annotate a dataset's file: use line 1 of the recipe instead."""
    return "".join(_annotation(report, diagnostic) for report in reports for diagnostic in report.diagnostics)


def _annotation(report: Report, diagnostic: Diagnostic) -> str:
    here = diagnostic.file in (report.subject, *report.files) and diagnostic.span is not None
    message = diagnostic.message if here else f"{diagnostic.message} ({diagnostic.file})"
    for note in (diagnostic.label, diagnostic.help, diagnostic.fix.title if diagnostic.fix else ""):
        message += f"\n{note}" if note else ""
    message += f"\nsee: {rule_url(diagnostic.code) or f'getiaction explain {diagnostic.code}'}"
    properties = {
        "file": diagnostic.file if here else report.subject,
        "line": 1,
        "title": f"{diagnostic.code} {diagnostic.name}",
    }
    if here and (span := diagnostic.span):
        properties |= {"line": span.line, "endLine": span.end_line, "col": span.column, "endColumn": span.end_column}
    words = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_LEVEL[diagnostic.severity]} {words}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
