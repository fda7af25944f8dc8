"""Runs the rules over a context: gathers what each asks for, skips what can't be judged, drops echoes, finds lines."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import traceback
from collections.abc import Iterable
from itertools import islice

from getiaction_cli import rules
from getiaction_cli.checking.context import Context
from getiaction_cli.diagnostics import Diagnostic, Finding, NotRun, Report, Severity, Unavailable
from getiaction_cli.rules import REGISTRY, Rule

# Of one kind of mistake, more than this is one mistake made by a program.
MOST_FINDINGS = 100

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@functools.cache
def load_rules() -> dict[str, Rule]:
    """Import every rule file once and return the rules by code, in order."""
    for module in pkgutil.walk_packages(rules.__path__, rules.__name__ + "."):
        importlib.import_module(module.name)
    return dict(sorted(REGISTRY.items()))


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """True when one of the code prefixes ("GA3", "GA301") names this code."""
    return any(code.startswith(prefix) for prefix in prefixes)


def check(context: Context, *, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Report:
    """Judge one context by every rule.

    Args:
        context: what is looked at; rules take its properties by name.
        select: code prefixes to run; empty for all.
        ignore: code prefixes whose findings are left out; as root causes they still count, so no echo takes their place

    Returns:
        The report, errors first, then by place.
    """
    judged: list[tuple[Rule, Finding]] = []
    not_run: list[NotRun] = []
    for entry in _causes_first():
        if not context.wants(entry.needs):
            continue
        if any(_is_cause(cause, known.code, finding) for known, finding in judged for cause in entry.unless):
            continue
        try:
            findings = list(_findings(entry, context))
        except Unavailable as reason:
            if reason.worth_saying:
                not_run.append(NotRun(entry.code, str(reason)))
            continue
        except Exception as crash:  # a crashing rule is one diagnostic; the others still run
            findings = [_crashed(entry, crash)]
        findings = [finding for finding in findings if not context.is_echo(entry, finding)]
        judged += [(entry, finding) for finding in findings]

    diagnostics: list[Diagnostic] = []
    suppressed = 0
    for entry, finding in judged:
        diagnostic = context.locate(entry, finding)
        if select and not matches(entry.code, select):
            continue
        if matches(entry.code, ignore) or context.ignored(diagnostic):
            suppressed += 1
            continue
        if diagnostic not in diagnostics:
            diagnostics.append(diagnostic)
    diagnostics.sort(key=lambda d: (_ORDER[d.severity], d.span.start if d.span else -1, d.file, d.path, d.code))
    shown = [entry for entry in not_run if not select or matches(entry.rule, select)]
    return Report(context.name, tuple(diagnostics), tuple(shown), suppressed)


def _findings(entry: Rule, context: Context) -> tuple[Finding, ...]:
    """What a rule finds. What concerns a dataset alone is judged once, however many recipes name the dataset."""
    needs = {need: context.get(need) for need in entry.needs}
    if set(needs) != {"dataset"}:
        return tuple(islice(entry.run(**needs), MOST_FINDINGS))
    judged = needs["dataset"].judged
    if entry.code not in judged:
        judged[entry.code] = tuple(islice(entry.run(**needs), MOST_FINDINGS))
    return judged[entry.code]


@functools.cache
def _causes_first() -> tuple[Rule, ...]:
    """The rules, each after those named in its ``unless``, otherwise by code."""
    ordered: dict[str, Rule] = {}
    begun: set[str] = set()

    def visit(entry: Rule) -> None:
        if entry.code in begun:
            return
        begun.add(entry.code)
        causes = [cause.partition(" ")[0] for cause in entry.unless]
        for code, cause in load_rules().items() if causes else ():
            if matches(code, causes):
                visit(cause)
        ordered[entry.code] = entry

    for entry in load_rules().values():
        visit(entry)
    return tuple(ordered.values())


def _is_cause(cause: str, code: str, finding: Finding) -> bool:
    """True when an ``unless`` entry, "GA403" or "GA403 total_frames", names this finding."""
    prefix, _, place = cause.partition(" ")
    return code.startswith(prefix) and (finding.file.startswith(place) or finding.key.startswith(place))


def _crashed(entry: Rule, crash: Exception) -> Finding:
    where = traceback.extract_tb(crash.__traceback__)[-1]
    return Finding(
        message=f"the rule {entry.code} ({entry.name}) crashed: {type(crash).__name__}: {crash}",
        help=f"this is a fault in getiaction ({where.filename.rsplit('/', 1)[-1]}:{where.lineno}), not in your recipe; "
        f"`--ignore {entry.code}` goes on without it",
    )
