"""SARIF 2.1.0, for code scanning. It includes the documentation pages of the rules with findings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Protocol
from urllib.parse import quote

from getiaction_cli.control import escaped
from getiaction_cli.diagnostics import Diagnostic, Frame, Report, Severity, Span
from getiaction_cli.installed import rule_url

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Page(Protocol):
    """The attributes of a rule that SARIF needs."""

    @property
    def name(self) -> str:
        """Name in kebab case."""

    @property
    def severity(self) -> Severity:
        """Default severity of its findings."""

    @property
    def page(self) -> str:
        """Documentation in Markdown; its first line is the title."""


def render(reports: Sequence[Report], rules: Mapping[str, Page], version: str) -> str:
    """Return a document with one SARIF run for all recipes.

    Args:
        reports: a report per recipe.
        rules: code → rule, for all rules.
        version: version of getiaction.
    """
    diagnostics = [diagnostic for report in reports for diagnostic in report.diagnostics]
    used = sorted({diagnostic.code for diagnostic in diagnostics} & set(rules))
    not_run = [(report.subject, entry) for report in reports for entry in report.not_run]
    run = {
        "tool": {
            "driver": {
                "name": "getiaction",
                "version": version,
                "semanticVersion": version,
                "rules": [_rule(code, rules[code]) for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(report.complete for report in reports),
                "toolExecutionNotifications": [
                    {
                        "level": "note",
                        "message": {"text": f"{entry.rule} was not run on {subject}: {entry.reason}"},
                        "associatedRule": {"id": entry.rule},
                    }
                    for subject, entry in not_run
                ],
            }
        ],
        "results": [_result(diagnostic, used) for diagnostic in diagnostics],
    }
    return (
        escaped(json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False))
        + "\n"
    )


def _rule(code: str, rule: Page) -> dict[str, Any]:
    title = rule.page.splitlines()[0] if rule.page else rule.name
    url = rule_url(code)
    return {
        **({"helpUri": url} if url else {}),
        "id": code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
    }


def _result(diagnostic: Diagnostic, used: list[str]) -> dict[str, Any]:
    notes = [diagnostic.message, diagnostic.label, diagnostic.help, diagnostic.fix.title if diagnostic.fix else ""]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": "\n".join(note for note in notes if note)},
        "locations": [_location(diagnostic.file, diagnostic.span, diagnostic.path)],
    }
    if diagnostic.code in used:
        result["ruleIndex"] = used.index(diagnostic.code)
    if diagnostic.related:
        result["relatedLocations"] = [_related(number, frame) for number, frame in enumerate(diagnostic.related)]
    if diagnostic.fix is not None and diagnostic.fix.edits:
        replacements = [
            {
                "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
                "insertedContent": {"text": edit.text},
            }
            for edit in diagnostic.fix.edits
        ]
        result["fixes"] = [
            {
                "description": {"text": diagnostic.fix.title},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": _uri(diagnostic.fix.file or diagnostic.file)},
                        "replacements": replacements,
                    }
                ],
            }
        ]
    return result


def _related(number: int, frame: Frame) -> dict[str, Any]:
    return {"id": number, "message": {"text": frame.label}, **_location(frame.file, frame.span, frame.path)}


def _location(file: str, span: Span | None, path: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if span is not None:
        physical["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
            "charOffset": span.start,
            "charLength": span.end - span.start,
        }
    location: dict[str, Any] = {"physicalLocation": physical}
    if path:
        location["logicalLocations"] = [{"fullyQualifiedName": path}]
    return location


def _uri(file: str) -> str:
    """Return a relative URI or a file URI; special characters, as in "<stdin>", are percent-encoded."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
