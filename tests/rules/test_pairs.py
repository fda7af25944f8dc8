"""Two mistakes that have nothing to do with each other are both reported at once.

The mistakes are the Examples of the rules' own pages. Two pages are merged where they name the same policy and the same
dataset and set no key differently. They are independent when each is found beside the other's Instead, and nothing
beside two Insteads; then both must be found beside each other.
"""

import contextlib
import itertools
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from verdict_helpers import HEALTHY

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.recipe import read

# Without a base every value of the recipe is unknown, so GA156 is the only finding.
PAGES = {code: rule for code, rule in load_rules().items() if code[:3] in ("GA1", "GA2", "GA3") and code != "GA156"}
Recipe = dict[str, Any]
Pair = tuple[str, str, Recipe, Recipe, Recipe, Recipe]
SHARED = SharedInputs(offline=True, machine=HEALTHY)
SAMPLE = 25


@pytest.fixture(autouse=True)
def datasets(lerobot_home: Path) -> None:
    """The datasets that the pages name."""


def page(code: str, heading: str) -> Recipe | None:
    """The recipe under a heading of a page; None where it means something else once it is written anew."""
    match = re.search(rf"^## {heading}\n.*?```yaml\n(.*?)^```", PAGES[code].page, re.DOTALL | re.MULTILINE)
    try:
        recipe = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        return None
    return recipe if isinstance(recipe, dict) and match and codes(recipe) == codes_of(match[1]) else None


def merged(first: Any, second: Any) -> Any:
    """Both sections in one; raises ValueError where they differ about a value."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {**first, **second}
        return both | {key: merged(first[key], second[key]) for key in first.keys() & second.keys()}
    if first != second or type(first) is not type(second):
        raise ValueError("they differ")
    return first


# One mistake takes away what the other is about.
DEPENDENT = {("GA306", "GA355"): "the camera that the transforms would change is not among the chosen features"}


@cache
def codes_of(text: str) -> frozenset[str]:
    """What is found in a recipe, this machine aside."""
    report = verdict(read("recipe.yaml", text=text), SHARED, ignore=("GA5",))
    return frozenset(diagnostic.code for diagnostic in report.diagnostics)


def codes(recipe: Recipe) -> frozenset[str]:
    return codes_of(yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True))


def pairs() -> list[Pair]:
    """(code, other code, both mistakes, each beside the other's Instead, neither)."""
    pages = {code: (page(code, "Example"), page(code, "Instead")) for code in PAGES}
    whole = {code: both for code, both in pages.items() if None not in both}
    found: list[Pair] = []
    for (code, (wrong, right)), (other, (bad, good)) in itertools.combinations(whole.items(), 2):
        with contextlib.suppress(ValueError):
            found.append(
                (code, other, merged(wrong, bad), merged(wrong, good), merged(right, bad), merged(right, good))
            )
    return found


def hidden(chosen: list[Pair]) -> tuple[list[str], int]:
    """The pairs of which one mistake hides the other, and how many pairs are independent."""
    lost, independent = [], 0
    for code, other, both, first, second, neither in chosen:
        if codes(neither) or codes(first) != {code} or codes(second) != {other}:
            continue
        independent += 1
        if (code, other) not in DEPENDENT and codes(both) != {code, other}:
            lost.append(f"{code} and {other}: {sorted(codes(both))}")
    return lost, independent


def test_some_pairs_of_mistakes_are_reported_at_once() -> None:
    chosen = random.Random(1).sample(pairs(), SAMPLE)
    lost, independent = hidden(chosen)
    assert independent > SAMPLE // 2
    assert lost == []


@pytest.mark.slow
def test_all_pairs_of_mistakes_are_reported_at_once() -> None:
    lost, independent = hidden(pairs())
    assert independent > 300
    assert lost == []
