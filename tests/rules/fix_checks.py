"""What must hold after any fix, checked on a recipe before and after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from verdict_helpers import HEALTHY

from getiaction_cli.checking import fixing
from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Diagnostic, Report, Severity
from getiaction_cli.recipe import Recipe, apply_edits, read

Judge = Callable[[Recipe], Report]

# A fix that gives a value its right name, type or spelling shows whether the value itself is right: (code, new error).
REVEALS = {
    ("GA104", "GA142"),  # a tag hid the name of a dataset
    ("GA110", "GA142"),
    ("GA120", "GA142"),
    ("GA120", "GA204"),
    ("GA120", "GA305"),
    ("GA120", "GA308"),
    ("GA215", "GA325"),  # LeRobot's default of the chunk looks further ahead than these episodes are long
    ("GA116", "GA511"),  # a logger that is not installed
    ("GA121", "GA501"),  # `gpu` meant `cuda`, which this machine does not have
    ("GA111", "GA501"),
    ("GA140", "GA359"),  # datasets in a list, which can not be combined
    ("GA304", "GA301"),  # times that were given under another name
    ("GA306", "GA308"),
    ("GA310", "GA312"),  # one camera is left, and it is not square either
    ("GA370", "GA312"),
}
_COMMENT = re.compile(r"(?:^|\s)#\s?(.*\S)\s*$", re.MULTILINE)


def judge_once() -> Judge:
    """Judge each text once: most fixes of a recipe come to the same few texts."""
    shared, reports = SharedInputs(offline=True, machine=HEALTHY), dict[tuple[str, str], Report]()

    def judged(recipe: Recipe) -> Report:
        key = (recipe.file, recipe.text)
        if key not in reports:
            reports[key] = verdict(recipe, shared)
        return reports[key]

    return judged


def faults(recipe: Recipe, judge: Judge) -> Iterator[str]:
    """Make the offered fixes one by one, the safe ones together, and all together; yields what is wrong after each."""
    yield from check_each(recipe, judge)
    for unsafe in (False, True):
        for fault in check_all(recipe, judge, unsafe=unsafe):
            yield f"all {'fixes' if unsafe else 'safe fixes'} together: {fault}"


def check_each(recipe: Recipe, judge: Judge) -> Iterator[str]:
    """Make every offered fix by itself; yields what is wrong afterwards."""
    report = judge(recipe)
    for diagnostic in report.diagnostics:
        if diagnostic.fix is not None and diagnostic.fix.edits:
            text = apply_edits(recipe.text, diagnostic.fix.edits)
            for fault in _faults(recipe, report, [diagnostic], text, judge):
                yield f"{diagnostic.code} `{diagnostic.fix.title}`: {fault}"


def check_all(recipe: Recipe, judge: Judge, *, unsafe: bool) -> Iterator[str]:
    """Make all fixes as `--fix` does; yields what is wrong afterwards."""

    def reread(texts: Mapping[str, str]) -> Recipe:
        return read(recipe.file, texts=texts)

    report = judge(recipe)
    done = fixing.fix(recipe, judge, reread, unsafe=unsafe)
    yield from _faults(recipe, report, list(done.made), done.recipe.text, judge)
    if done.report != judge(done.recipe):
        yield "the report is not that of the fixed recipe"
    again = fixing.fix(done.recipe, judge, reread, unsafe=unsafe)
    if again.recipe.text != done.recipe.text:
        yield f"a second time makes {[d.fix.title for d in again.made if d.fix]}"
    if (done.recipe.text != recipe.text) != bool(done.made):
        yield "edits are made that are not listed"


def _faults(recipe: Recipe, report: Report, made: Sequence[Diagnostic], text: str, judge: Judge) -> Iterator[str]:
    after = read(recipe.file, text=text)
    if after.broken - recipe.broken or len(after.findings) > len(recipe.findings):
        yield f"it does not parse: {after.findings}"
        return
    removed = _removed(recipe.plain(), after.plain())
    if lost := _unnamed(removed, made):
        yield f"lost {lost}"
    lines = {line for route in removed for line in _lines(recipe, after.plain(), route)}
    kept = "\n".join(line for number, line in enumerate(recipe.text.splitlines(), 1) if number not in lines)
    if lost_comments := _comments(kept) - _comments(text):
        yield f"lost the comments {list(lost_comments)}"
    again = judge(after)
    for diagnostic in made:
        if any(d.code == diagnostic.code and d.message == diagnostic.message for d in again.diagnostics):
            yield f"{diagnostic.code} at {diagnostic.path} is still there"
    before = {d.code for d in report.diagnostics if d.severity is Severity.ERROR}
    before |= {entry.rule for entry in report.not_run}
    for new in again.diagnostics:
        revealed = any((diagnostic.code, new.code) in REVEALS for diagnostic in made)
        if new.severity is Severity.ERROR and new.code not in before and not revealed:
            yield f"a new error {new.code} at {new.path}: {new.message}"


def _leaves(value: Any, route: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The route and value of everything that holds no sections itself."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*route, str(key)))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*route, str(number)))
    else:
        yield route, value


def _removed(before: Any, after: Any) -> list[tuple[str, ...]]:
    """The routes that are gone and did not move: to each new route with an equal value, the most similar one did."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    gone = [route for route in old if not any(other[: len(route)] == route for other in new)]
    for route in new.keys() - old.keys():
        equal = [other for other in gone if old[other] == new[route]]
        if equal:
            gone.remove(max(equal, key=lambda other: SequenceMatcher(None, ".".join(other), ".".join(route)).ratio()))
    return gone


def _unnamed(removed: list[tuple[str, ...]], made: Sequence[Diagnostic]) -> list[str]:
    """The removed keys that neither the place nor the words of a fix name."""
    words = {word for d in made if d.fix for word in re.findall(r"[\w-]+", f"{d.fix.title} {d.message} {d.help}")}
    places = [d.path.removesuffix(".class_path") for d in made if d.path]
    routes = {".".join(route): route for route in removed}
    return [
        dotted
        for dotted, route in routes.items()
        if words.isdisjoint(route) and not any(dotted == at or dotted.startswith(f"{at}.") for at in places)
    ]


def _lines(recipe: Recipe, after: Any, route: tuple[str, ...]) -> Iterator[int]:
    """The lines of a removed key, and of the sections that are gone with it: comments beside them go too."""
    place = recipe.place(".".join(route), "value")
    if place is not None and place.span is not None:
        yield from range(place.span.line, place.span.end_line + 1)
    left = [other for other, _ in _leaves(after)]
    for length in range(1, len(route) + 1):
        if not any(other[:length] == route[:length] for other in left):
            key = recipe.place(".".join(route[:length]), "key")
            yield key.span.line if key is not None else 0


def _comments(text: str) -> Counter[str]:
    return Counter(match[1] for match in _COMMENT.finditer(text))
