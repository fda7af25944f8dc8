"""Each GA2xx page: its Example fires that rule alone, its Instead nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Report
from getiaction_cli.recipe import read
from getiaction_cli.rules import Rule

# Its Example needs another LeRobot: tests/test_other_lerobots.py runs it.
NEEDS_ANOTHER_LEROBOT = ("GA247",)
RULES = {
    code: entry for code, entry in load_rules().items() if code.startswith("GA2") and code not in NEEDS_ANOTHER_LEROBOT
}
# What this machine has, and what the tiny test datasets look like, is not what these pages are about.
FAMILIES = ("GA1", "GA2", "GA3")
SHELF = SharedInputs(offline=True)


def _block(entry: Rule, heading: str) -> str:
    section = entry.page.partition(f"## {heading}")[2]
    return re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1]


@pytest.fixture(autouse=True)
def datasets(dataset_of: Callable[[str], None], checkpoint: Path) -> None:
    dataset_of("rewarded")


def judge(text: str) -> Report:
    return verdict(read("recipe.yaml", text=text), SHELF, select=FAMILIES)


def _codes(report: Report) -> list[str]:
    return sorted({d.code for d in report.diagnostics})


@pytest.mark.parametrize("code", RULES)
def test_example_fires_only_this(code: str) -> None:
    report = judge(_block(RULES[code], "Example"))
    assert _codes(report) == [code], [f"{d.code} {d.message}" for d in report.diagnostics]


@pytest.mark.parametrize("code", RULES)
def test_instead_fires_nothing(code: str) -> None:
    report = judge(_block(RULES[code], "Instead"))
    assert _codes(report) == [], [f"{d.code} {d.message}" for d in report.diagnostics]
