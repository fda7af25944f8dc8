"""What can be wrong: one file, one function, one page of documentation each.

A rule is a generator of `Finding`s. Its parameter names say what it needs (`recipe`, `dataset`, `policy`, …: the
properties of `checking.recipe_context.RecipeContext`); where one of them is unavailable, the rule is reported as not
run. Its module's docstring is its page: a title line, then ``## What it finds``, ``## Why it matters``, ``## Example``
(a recipe on which this rule, and only it, fires) and ``## Instead`` (the same recipe, corrected). `getiaction explain
CODE` prints that page, and the tests run both recipes.

Rooms: ``recipe/`` GA1xx · ``policy/`` GA2xx · ``fit/`` GA3xx (recipe against dataset) · ``dataset/`` GA4xx ·
``machine/`` GA5xx · ``evaluation/`` GA6xx (a trained policy; these need an `evaluation` and have no recipe to run).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from getiaction_cli.diagnostics import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule.

    Args:
        code: "GA301".
        name: kebab-case name of the flaw, as "action-horizon".
        severity: what its findings are unless they say otherwise.
        needs: the parameter names of its function.
        cause: what its findings follow from: when another rule found one of these broken, they would be echoes. Either
            names that other rules give in ``breaks`` ("samples"), or the beginning of a file's name or of a key in a
            dataset ("meta/stats"), which a finding of a rule ``in_itself`` breaks.
        breaks: what its findings make useless for other rules, in names that these give in ``cause``.
        in_itself: its findings say that one value or file is wrong on its own; other findings about that
            value are echoes.
        stops: training can't run despite what it finds, so `--ignore` can't help; where only some of its findings
            stop training, these say so. Held to the trainings in benchmarks/mutation_truth.json.
        dataset: the name of the test dataset on which its Example and Instead are run; None for any.
        help: what to do, for findings that have neither a fix nor a help text of their own.
        page: the documentation in Markdown.
        run: the function.
    """

    code: str
    name: str
    severity: Severity
    needs: tuple[str, ...]
    cause: tuple[str, ...]
    breaks: tuple[str, ...]
    in_itself: bool
    stops: bool
    dataset: str | None
    help: str
    page: str
    run: Callable[..., Iterator[Finding]]


REGISTRY: dict[str, Rule] = {}


def rule(
    code: str,
    *,
    severity: Severity = Severity.ERROR,
    cause: tuple[str, ...] = (),
    breaks: tuple[str, ...] = (),
    in_itself: bool = False,
    stops: bool = False,
    dataset: str | None = None,
    help: str = "",
) -> Callable[[Callable[..., Iterator[Finding]]], Callable[..., Iterator[Finding]]]:
    """Register the decorated function as the rule ``code``; its name is the function's with hyphens."""

    def register(function: Callable[..., Iterator[Finding]]) -> Callable[..., Iterator[Finding]]:
        if code in REGISTRY:
            raise ValueError(f"two rules are called {code}: {REGISTRY[code].name} and {function.__name__}")
        page = inspect.cleandoc(sys.modules[function.__module__].__doc__ or "")
        REGISTRY[code] = Rule(
            code=code,
            name=function.__name__.replace("_", "-"),
            severity=severity,
            needs=tuple(inspect.signature(function).parameters),
            cause=cause,
            breaks=breaks,
            in_itself=in_itself,
            stops=stops,
            dataset=dataset,
            help=help or _instead(page),
            page=page,
            run=function,
        )
        return function

    return register


def _instead(page: str) -> str:
    """The sentences under a page's ``## Instead``; empty where it is a recipe or a file."""
    text = page.partition("\n## Instead\n")[2]
    return "" if "```" in text else " ".join(text.split())
