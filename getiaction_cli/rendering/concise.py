"""One line for each finding, for grep and editors: ``file:line:column: error[GA301] message``."""

from __future__ import annotations

from collections.abc import Sequence

from getiaction_cli.diagnostics import Report
from getiaction_cli.rendering.text import clean


def render(reports: Sequence[Report]) -> str:
    """Return all diagnostics; an empty string if there are none."""
    lines = []
    for report in reports:
        for diagnostic in report.diagnostics:
            place = f":{diagnostic.span.line}:{diagnostic.span.column}" if diagnostic.span else ""
            label = f" ({diagnostic.label})" if diagnostic.label else ""
            fixable = " [fixable]" if diagnostic.fix is not None and diagnostic.fix.safe else ""
            lines.append(
                f"{clean(diagnostic.file)}{place}: {diagnostic.severity}[{diagnostic.code}] "
                f"{clean(diagnostic.message + label)}{fixable}\n"
            )
    return "".join(lines)
