"""The pages of the rules: all are complete, and those of the recipe itself and of its fit to the dataset are run.

Example: the rule fires, and of all rules only it. Instead: nothing fires. The pages of GA2xx are run in
test_policy_pages.py, those that need a dataset of their own beside that dataset's maker.
"""

import re
from pathlib import Path

import pytest

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import read

RULES = load_rules()
NEEDS_A_CHECKPOINT = ("GA340", "GA341", "GA342", "GA343", "GA344", "GA345")
NEEDS_TWO_FILES = ("GA157",)  # test_bases.py
RUN = [
    code
    for code, rule in RULES.items()
    if code[:3] in ("GA1", "GA3")
    and rule.dataset in (None, "pusht")
    and code not in (*NEEDS_A_CHECKPOINT, *NEEDS_TWO_FILES)
]
# What the machine of the test run lacks says nothing about a page.
ABOUT_THE_MACHINE = ("GA5",)


def block(code: str, heading: str) -> str:
    match = re.search(rf"^## {heading}\n.*?```yaml\n(.*?)^```", RULES[code].page, re.DOTALL | re.MULTILINE)
    assert match, f"{code} has no {heading}"
    return match[1]


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


def codes(text: str, shared: SharedInputs) -> set[str]:
    report = verdict(read("recipe.yaml", text=text), shared, ignore=ABOUT_THE_MACHINE)
    return {d.code for d in report.diagnostics if d.severity is not Severity.INFO or d.code[:3] == "GA1"}


@pytest.mark.parametrize("code", RULES)
def test_page_is_complete(code: str) -> None:
    page = RULES[code].page
    title = page.splitlines()[0]
    assert title.endswith(".") and len(title) <= 80
    assert [line for line in page.splitlines() if line.startswith("## ")][:2] == [
        "## What it finds",
        "## Why it matters",
    ]
    assert re.fullmatch(r"GA[1-6]\d\d", code)


@pytest.mark.parametrize("code", RUN)
def test_example_fires_this_rule_alone(code: str, shared: SharedInputs) -> None:
    assert codes(block(code, "Example"), shared) == {code}


@pytest.mark.parametrize("code", RUN)
def test_instead_fires_nothing(code: str, shared: SharedInputs) -> None:
    assert codes(block(code, "Instead"), shared) == set()
