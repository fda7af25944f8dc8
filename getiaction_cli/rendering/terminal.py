"""Reports for a terminal in the style of rustc: the line, carets, related places, help and fix."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from getiaction_cli.diagnostics import Diagnostic, Frame, NotRun, Report, Severity
from getiaction_cli.installed import rule_url
from getiaction_cli.rendering.text import Paint, clean, cut, linked, width, wrap

_MIN_SOURCE_WIDTH = 24  # columns for a source line, even on a narrow terminal
_NEAR = 20  # characters per available column: some characters have no width


def render(reports: Sequence[Report], *, color: bool = False, columns: int = 100, fixed: int = 0) -> str:
    """Return all diagnostics, the rules that did not run, and a summary line.

    Args:
        reports: a report per recipe.
        color: with ANSI colours.
        columns: the width of the terminal.
        fixed: number of findings that ``--fix`` has fixed.
    """
    paint = Paint(color)
    seen: set[str] = set()
    blocks = []
    for report in reports:
        for diagnostic in report.diagnostics:
            blocks.append(_diagnostic(diagnostic, paint, columns, explain=diagnostic.code not in seen))
            seen.add(diagnostic.code)
    blocks += _not_run(reports, paint, columns)
    blocks.append(_count(reports, paint, fixed))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _diagnostic(diagnostic: Diagnostic, paint: Paint, columns: int, *, explain: bool) -> str:
    severity = str(diagnostic.severity)
    margin = _margin(diagnostic)
    kind = f"{severity}[{diagnostic.code}]"
    # Don't wrap messages in a pipe, so that grep finds them.
    wrapped = paint.on or sys.stdout.isatty()
    message = (
        wrap(f"{kind}: {diagnostic.message}", columns, "  ") if wrapped else clean(f"{kind}: {diagnostic.message}")
    )
    lines = [paint(severity, kind) + "\n".join(paint("bold", line) for line in message[len(kind) :].split("\n"))]
    own = Frame(diagnostic.file, diagnostic.label, diagnostic.path, diagnostic.span, diagnostic.lines)
    lines += _frame("-->", own, margin, paint, severity, columns)
    for frame in diagnostic.related:
        lines += _related(frame, margin, paint, columns)
    notes = []
    if diagnostic.help:
        notes.append(("help", diagnostic.help))
    if diagnostic.fix is not None:
        how = "--fix does it" if diagnostic.fix.safe else "--fix --unsafe-fixes does it; --diff shows it first"
        notes.append(("help" if not diagnostic.help else "fix", f"{diagnostic.fix.title} ({how})"))
    if diagnostic.assuming:
        stand_ins = ", ".join(
            f"`{assumed.path.rpartition('.')[2]}` {assumed.value or 'left out'}" for assumed in diagnostic.assuming
        )
        given = "the value given has an error" if len(diagnostic.assuming) == 1 else "the values given have errors"
        notes.append(("note", f"assuming {stand_ins} ({given})"))
    if notes and lines[-1].strip() not in ("|", paint("gutter", "|")) and diagnostic.lines:
        lines.append(f"{' ' * margin} {paint('gutter', '|')}")
    for word, text in notes:
        indent = " " * (margin + 3)
        lead = f"{' ' * margin} {paint('gutter', '=')} {paint('bold', word)}: "
        indent += " " * (len(word) + 2)
        # Help may contain YAML to copy: keep its line breaks.
        lines.append(lead + ("\n" + indent).join(wrap(line, columns, indent) for line in text.split("\n")))
    if explain:
        page = linked(f"getiaction explain {diagnostic.code}", rule_url(diagnostic.code))
        lines.append(f"{' ' * margin} {paint('gutter', '=')} {paint('dim', f'see: {page}')}")
    return "\n".join(lines)


def _margin(diagnostic: Diagnostic) -> int:
    numbers = [span.line for span in (diagnostic.span, *(frame.span for frame in diagnostic.related)) if span]
    return len(str(max(numbers, default=1)))


def _related(frame: Frame, margin: int, paint: Paint, columns: int) -> list[str]:
    if not frame.lines and frame.span is None:
        where = f"{frame.file} {frame.path}".strip()
        return [f"{' ' * margin} {paint('gutter', ':::')} {clean(where)}: {clean(frame.label)}"]
    return _frame(":::", frame, margin, paint, "gutter", columns, mark="-")


def _frame(arrow: str, frame: Frame, margin: int, paint: Paint, style: str, columns: int, mark: str = "^") -> list[str]:
    """Return a place: file and position, and the first line of the source with the span underlined."""
    span, source, label = frame.span, frame.lines, frame.label
    bar = paint("gutter", "|")
    blank = " " * margin
    where = clean(frame.file) + (f":{span.line}:{span.column}" if span and source else "")
    lines = [
        f"{blank}{paint('gutter', arrow)} {where}" if arrow == "-->" else f"{blank} {paint('gutter', arrow)} {where}"
    ]
    if span is None or not source:
        return [*lines, f"{blank} {bar} {clean(label)}"] if label else lines
    first = source[0]
    last = span.end_column - 1 if span.end_line == span.line else len(first.rstrip())
    text, start, length = _window(first, span.column - 1, max(last, span.column), columns - margin - 3)
    under = f"{' ' * start}{mark * length}"
    number = paint("gutter", f"{span.line:>{margin}}")
    lines += [f"{blank} {bar}", f"{number} {bar} {text}"]
    return [*lines, *_underline(under, clean(label), f"{blank} {bar} ", columns - margin - 3, paint, style)]


def _underline(under: str, label: str, lead: str, room: int, paint: Paint, style: str) -> list[str]:
    """Return the carets and the label; the label moves to the next line if there is no space."""
    marks = under.lstrip()
    indent = under[: len(under) - len(marks)]
    if not label or len(under) + 1 + width(label) <= room:
        return [lead + indent + paint(style, f"{marks} {label}".rstrip())]
    shift = " " * max(0, min(len(indent), room - width(label)))
    return [lead + indent + paint(style, marks), lead + shift + paint(style, cut(label, room))]


def _window(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """Return the part of a long line around the marked text, the column of the mark and its width."""
    room = max(room, _MIN_SOURCE_WIDTH)
    # A line may have megabytes and is shown for each finding: only measure the text near the mark.
    near = _NEAR * room
    before, marked, after = line[max(0, start - near) : start], line[start : min(end, start + near)], line[end:]
    before, marked, after = clean(before), clean(marked), clean(after[:near].rstrip())
    length = max(1, width(marked))
    if width(before) + width(marked) + width(after) <= room:
        return before + marked + after, width(before), length
    keep = max(room // 3, room - length - width(after) - 1)
    if width(before) > keep:
        tail = before[-keep:]
        while width(tail) > keep - 1:
            tail = tail[1:]
        before = "…" + tail
    text = cut(before + marked + after, room)
    return text, width(before), max(1, min(length, width(text) - width(before)))


def _not_run(reports: Iterable[Report], paint: Paint, columns: int) -> list[str]:
    """Return the rules that did not run, one line per reason."""
    lines = []
    several = len(list(reports)) > 1
    for report in reports:
        for reason, entries in _by_reason(report.not_run).items():
            count = f"{len(entries)} rules" if len(entries) > 1 else entries[0]
            where = f"{clean(report.subject)}: " if several else ""
            lines.append(f"{paint('dim', 'not run:')} {where}{wrap(f'{count}, because {reason}', columns, '  ')}")
    return ["\n".join(lines)] if lines else []


def _by_reason(not_run: Iterable[NotRun]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for entry in not_run:
        grouped.setdefault(entry.reason, []).append(entry.rule)
    return grouped


def _count(reports: Sequence[Report], paint: Paint, fixed: int) -> str:
    """Return the summary line: the numbers of findings and of available fixes."""
    words = []
    for severity, name in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")):
        number = sum(report.count(severity) for report in reports)
        if number:
            words.append(paint(str(severity), f"{number} {name}{'s' if number > 1 else ''}"))
    fixes = [d.fix for report in reports for d in report.diagnostics if d.fix is not None]
    safe = sum(fix.safe for fix in fixes)
    offers = [f"{safe} fixable with --fix"] if safe else []
    if len(fixes) > safe:
        offers.append(f"{len(fixes) - safe} {'more' if safe else 'fixable'} with --fix --unsafe-fixes")
    suppressed = sum(report.suppressed for report in reports)
    complete = all(report.complete for report in reports)
    if not complete:
        words.append(paint("warning", "not fully checked"))
    line = ", ".join(words) or paint("good", "nothing wrong")
    line += f" ({', '.join(offers)})" if offers else ""
    line += f", {fixed} fixed" if fixed else ""
    line += f", {suppressed} ignored" if suppressed else ""
    stopping = dict.fromkeys(error.code for report in reports for error in report.overruled)
    line += f" ({', '.join(stopping)}: training stops on it all the same)" if stopping else ""
    if len(reports) > 1:
        bad = sum(not report.ok for report in reports)
        line += f" in {len(reports)} recipes" + (f", {bad} of them wrong" if bad else "")
    return line


def rows(title: str, entries: Iterable[tuple[str, str]], *, color: bool = False, columns: int = 100) -> str:
    """Return a table of (label, text) with a title."""
    paint = Paint(color)
    entries = [(clean(name), text) for name, text in entries]
    margin = max((width(name) for name, _ in entries), default=0) + 2
    lines = [paint("bold", clean(title))]
    for name, text in entries:
        indent = " " * (margin + 2)
        lines.append(f"  {paint('dim', name)}{' ' * (margin - width(name))}{wrap(text, columns, indent)}")
    return "\n".join(lines) + "\n"
