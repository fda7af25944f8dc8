"""The rules of `validate-config`: each has a file with one function and its documentation page.

A rule is a generator of `Finding`s. The names of its parameters are its inputs (`recipe`, `dataset`, `policy`, …:
properties of `checking.recipe_context.RecipeContext`); if one of them is unavailable, the rule is reported as not run.
Its module's docstring is its page: a title line, then ``## What it finds``, ``## Why it matters``, ``## Example`` (a
recipe on which this rule, and only it, fires) and ``## Instead`` (the same recipe, corrected). `getiaction explain
CODE` prints that page, and the tests run both recipes.

Folders: ``recipe/`` GA1xx · ``policy/`` GA2xx · ``fit/`` GA3xx (recipe against dataset) · ``dataset/`` GA4xx ·
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
        name: name of the problem in kebab case, such as "action-horizon".
        severity: default severity of its findings.
        needs: names of the parameters of its function.
        cause: possible root causes of its findings, which are suppressed if another rule reports one of these. Either
            names in the ``breaks`` of other rules ("samples"), or prefixes of files or keys of the dataset
            ("meta/stats"), for findings of rules with ``in_itself``.
        breaks: names of what its findings break, for the ``cause`` of other rules.
        in_itself: its findings are about a single invalid value or file; further findings about it are suppressed.
        stops: training fails despite `--ignore`. A rule whose findings don't all stop training sets this on the
            findings instead. Tested against the training runs in benchmarks/mutation_truth.json.
        dataset: name of the test dataset for its Example and Instead; None for any dataset.
        help: help text for findings that have neither a fix nor their own help text.
        page: documentation in Markdown.
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
    """Register the decorated function as the rule ``code``. Its name is that of the function, with hyphens."""

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
    """Return the text under ``## Instead`` of a page; empty if it contains a code block."""
    text = page.partition("\n## Instead\n")[2]
    return "" if "```" in text else " ".join(text.split())
