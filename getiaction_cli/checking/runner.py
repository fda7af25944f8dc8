"""Run the rules on a context: provide their inputs, skip those that can't run, drop consequences, find lines."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from getiaction_cli import rules
from getiaction_cli.checking.context import Context
from getiaction_cli.diagnostics import (
    Assumed,
    Diagnostic,
    Finding,
    NotRun,
    Report,
    Severity,
    Unavailable,
    shorten,
    upwards,
)
from getiaction_cli.errors import LeRobotUnreadable
from getiaction_cli.policies import Unjudgeable, is_tested
from getiaction_cli.rules import REGISTRY, Rule

if TYPE_CHECKING:
    from getiaction_cli.checking.assumptions import AssumedCopy

# More findings of one rule are one mistake, made by a program.
MAX_FINDINGS = 100

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
# Inputs that depend on the policy's parameters: unavailable or wrong if one of these is rejected.
_FROM_PARAMETERS = {"configured", "policy", "fit"}


@functools.cache
def load_rules() -> dict[str, Rule]:
    """Import every rule file once and return the rules by code, in order."""
    for module in pkgutil.walk_packages(rules.__path__, rules.__name__ + "."):
        importlib.import_module(module.name)
    return dict(sorted(REGISTRY.items()))


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Whether one of the prefixes ("GA3", "GA301") matches this code."""
    return any(code.startswith(prefix) for prefix in prefixes)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A finding with its rule, and the stand-ins that it was found with."""

    entry: Rule
    finding: Finding
    assumed: tuple[Assumed, ...] = ()

    @property
    def severity(self) -> Severity:
        return self.finding.severity or self.entry.severity

    @property
    def stops(self) -> bool:
        """Whether training stops on it."""
        stops = self.entry.stops if self.finding.stops is None else self.finding.stops
        return stops and self.severity is Severity.ERROR

    def breaks(self, name: str) -> bool:
        """Whether the finding makes the input or file with this name unusable for other rules."""
        if name in (self.entry.breaks if self.finding.breaks is None else self.finding.breaks):
            return True
        in_dataset = self.entry.in_itself and bool(self.finding.file)
        return in_dataset and (self.finding.file.startswith(name) or self.finding.key.startswith(name))

    @property
    def rank(self) -> int:
        return _ORDER[self.severity]


def check(context: Context, *, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Report:
    """Check one context by every rule.

    Args:
        context: the recipe, dataset or evaluation; rules receive its properties by name.
        select: code prefixes to run; empty for all.
        ignore: code prefixes not to report; these findings still suppress their consequences.

    Returns:
        The report, errors first, then by place.
    """
    judged, not_run = _judge(context)
    found: dict[Diagnostic, None] = {}  # each once
    overruled: dict[Diagnostic, None] = {}
    suppressed = 0
    for known in judged:
        located = context.locate(known.entry, known.finding).shortened()
        diagnostic = replace(located, stops=known.stops, assuming=known.assumed)
        if select and not matches(diagnostic.code, select):
            continue
        if matches(diagnostic.code, ignore) or context.is_ignored(diagnostic):
            suppressed += 1
            if known.stops:
                overruled[diagnostic] = None
            continue
        found[diagnostic] = None
    diagnostics = sorted(
        found, key=lambda d: (_ORDER[d.severity], d.span.start if d.span else -1, d.file, d.path, d.code)
    )
    shown = dict.fromkeys(entry for entry in not_run if not select or matches(entry.rule, select))
    return Report(context.name, tuple(diagnostics), tuple(shown), suppressed, tuple(overruled), context.files)


def _judge(context: Context) -> tuple[list[_Judged], list[NotRun]]:
    """The findings of all rules without consequences of others, and the rules that could not run."""
    concerned = [entry for entry in _causes_first() if context.can_provide(entry.needs)]
    not_run: list[NotRun] = []
    independent = [known for entry in concerned if entry.in_itself for known in _found(entry, context, not_run)]
    wrong = _by_value(independent)
    judged = [known for known in independent if not _repeats(known, wrong)]
    assumed_copies: tuple[AssumedCopy, ...] | None = None
    without: dict[frozenset[str], tuple[AssumedCopy, ...]] = {}
    for entry in concerned:
        causes = [] if entry.in_itself else _causes(entry, judged)
        whole = [known.finding for known in causes if not known.finding.features]
        if whole:  # findings on a copy without the causes are not consequences of them
            key = frozenset(finding.at for finding in whole)
            if key not in without:
                without[key] = context.copies_without(whole)
            judged += [known for known in _assuming(entry, without[key], []) if not _repeats(known, wrong)]
        if whole or entry.in_itself:
            continue
        if _FROM_PARAMETERS.isdisjoint(entry.needs):
            found = _found(entry, context, not_run)
        else:
            if assumed_copies is None:
                errors = {route: known.finding for route, known in wrong.items() if known.severity is Severity.ERROR}
                assumed_copies = context.assumed_copies(errors)
            found = _assuming(entry, assumed_copies, not_run) if assumed_copies else _found(entry, context, not_run)
        judged += [known for known in found if not _repeats(known, wrong) and not _follows(known, causes)]
    not_run.sort(key=lambda entry: entry.rule)
    return _without_echoes(judged), not_run


def _counts(entry: Rule, finding: Finding, context: Context) -> bool:
    return context.is_readable(finding) and not context.is_intended(entry, finding)


def _found(entry: Rule, context: Context, not_run: list[NotRun]) -> list[_Judged]:
    """The findings of a rule; if it can't run, the reason is added to `not_run`."""
    try:
        return [_Judged(entry, finding) for finding in _run(entry, context) if _counts(entry, finding, context)]
    except (Unavailable, Unjudgeable) as reason:
        _note(entry, context, reason, not_run)
        return []


def _note(entry: Rule, context: Context, reason: Unavailable | Unjudgeable, not_run: list[NotRun]) -> None:
    if getattr(reason, "is_reported", True):
        not_run.append(NotRun(entry.code, shorten(str(reason)), context.is_from_lerobot(reason)))


def _assuming(entry: Rule, assumed_copies: tuple[AssumedCopy, ...], not_run: list[NotRun]) -> list[_Judged]:
    """The findings of a rule with stand-ins for rejected values, without those that depend on a stand-in."""
    reason = None
    for assumed in assumed_copies:
        try:
            findings = [
                finding
                for finding in _run(entry, assumed.context)
                if assumed.context.is_readable(finding) and not assumed.concerns(finding)
            ]
            elsewhere = [_run(entry, other) for other in assumed.others] if findings else []
        except (Unavailable, Unjudgeable) as unavailable:
            reason, where = unavailable, assumed.context
            continue
        certain = [finding for finding in findings if all(_holds(finding, others) for others in elsewhere)]
        if not elsewhere and not assumed.is_certain:  # only findings that do not name it are known not to depend on it
            certain = [finding for finding in findings if not assumed.names(finding)]
        if len(certain) < len(findings):
            not_run.append(NotRun(entry.code, f"it depends on {assumed.values}, which must be fixed first"))
        # A fix that depends on the stand-in is only shown as help, and offered after the rejected value is fixed.
        kept = [f if all(f in others for others in elsewhere) else f.without_fix() for f in certain]
        return [_Judged(entry, finding, assumed.assumed) for finding in kept]
    if reason is not None:
        _note(entry, where, reason, not_run)
    return []


def _holds(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether a rule has a finding at the same place, possibly with other numbers."""
    return any((finding.at, finding.file, finding.key) == (other.at, other.file, other.key) for other in others)


def _run(entry: Rule, context: Context) -> tuple[Finding, ...]:
    """Run a rule; a crash becomes a finding, so that other rules still run; with an untested LeRobot, "not run"."""
    try:
        return _findings(entry, context)
    except (Unavailable, Unjudgeable, LeRobotUnreadable):
        raise
    except Exception as crash:
        if is_tested():
            return (_crashed(entry, crash),)
        raise Unavailable(f"it crashed: {type(crash).__name__}: {crash}", lerobot=True) from crash


def _findings(entry: Rule, context: Context) -> tuple[Finding, ...]:
    """The findings of a rule. Rules about a dataset alone run once per dataset, even if several recipes name it."""
    needs = {need: context.get(need) for need in entry.needs}
    if set(needs) != {"dataset"}:
        return _with_next_step(entry, needs)
    found: tuple[Finding, ...] = ()
    first = 0
    for dataset in needs["dataset"].parts:
        if entry.code not in dataset.judged:
            dataset.judged[entry.code] = _with_next_step(entry, {"dataset": dataset})
        findings = dataset.judged[entry.code]
        if dataset is not needs["dataset"]:  # in a mixture, files are shown with their dataset's folder
            findings = tuple(finding.in_folder(str(dataset.root), first) for finding in findings)
            first += len(dataset.episodes)
        found += findings
    return tuple(dict.fromkeys(found))


def _with_next_step(entry: Rule, needs: dict[str, object]) -> tuple[Finding, ...]:
    """The findings of a rule; those without a fix or a help text get the rule's help text."""
    found = islice(entry.run(**needs), MAX_FINDINGS)
    return tuple(one if one.help or one.fix else replace(one, help=entry.help) for one in found)


# -- one cause, one finding ------------------------------------------------------------------------------------------


def _by_value(independent: Iterable[_Judged]) -> dict[str, _Judged]:
    """The values that are wrong by themselves, by route, with the first finding about each."""
    wrong: dict[str, _Judged] = {}
    for known in independent:
        # An error in one item of a list affects the list.
        if known.finding.at:
            wrong.setdefault(known.finding.at.rstrip("0123456789").rstrip("."), known)
    return wrong


def _repeats(known: _Judged, wrong: Mapping[str, _Judged]) -> bool:
    """Whether a finding repeats another, at least as severe one about a value that is wrong by itself."""
    # Rules about the recipe's keys (GA1) are independent; those about the policy also depend on related values.
    related = () if known.entry.code < "GA2" or known.assumed else known.finding.related
    for route in (known.finding.at, *(place.at for place in related)):
        cause = next((wrong[place] for place in upwards(route) if place in wrong), None)
        if cause and cause.entry is not known.entry and known.rank >= cause.rank:
            return True
    return False


def _without_echoes(judged: list[_Judged]) -> list[_Judged]:
    """Drop warnings about a place in a dataset that another, at least as severe finding names as related."""
    pointed: dict[tuple[str, str], int] = {}
    for known in judged:
        for related in known.finding.related:
            if related.file:
                place = related.file, related.key
                pointed[place] = min(known.rank, pointed.get(place, len(_ORDER)))
    return [
        known
        for known in judged
        if known.severity is Severity.ERROR
        or not known.finding.file
        or known.rank < pointed.get((known.finding.file, known.finding.key), len(_ORDER))
    ]


def _causes(entry: Rule, judged: list[_Judged]) -> list[_Judged]:
    """The findings that cause those of a rule."""
    return [known for known in judged if known.entry is not entry and any(map(known.breaks, entry.cause))]


def _follows(known: _Judged, causes: list[_Judged]) -> bool:
    """Whether a finding follows from one of these causes; causes about other features do not count."""
    own = set(known.finding.features)
    return any(not own or not cause.finding.features or own & set(cause.finding.features) for cause in causes)


@functools.cache
def _causes_first() -> tuple[Rule, ...]:
    """The rules in order of code, but each after the rules that can cause its findings."""
    ordered: dict[str, Rule] = {}
    begun: set[str] = set()

    def visit(entry: Rule) -> None:
        if entry.code in begun:
            return
        begun.add(entry.code)
        for cause in load_rules().values() if entry.cause else ():
            if not set(entry.cause).isdisjoint(cause.breaks):
                visit(cause)
        ordered[entry.code] = entry

    for entry in load_rules().values():
        visit(entry)
    return tuple(ordered.values())


def _crashed(entry: Rule, crash: Exception) -> Finding:
    where = traceback.extract_tb(crash.__traceback__)[-1]
    return Finding(
        message=f"the rule {entry.code} ({entry.name}) crashed: {type(crash).__name__}: {crash}",
        help=f"this is a fault in getiaction ({where.filename.rsplit('/', 1)[-1]}:{where.lineno}), not in your recipe; "
        f"`--ignore {entry.code}` continues without it",
    )
