"""tests/cases: each wrong recipe beside the exact text that the terminal shows for it; each right one shows nothing.

After a change of words: `UPDATE_CASES=1 pytest tests/rules/test_recipe_cases.py`, then read the diff.
"""

import os
import re
from pathlib import Path

import pytest

from getiaction_cli.checking import fixing
from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Report
from getiaction_cli.recipe import Recipe, read
from getiaction_cli.rendering import terminal

CASES = Path(__file__).parents[1] / "cases"
ERR = sorted((CASES / "err").glob("*.yaml"))
OK = sorted((CASES / "ok").glob("*.yaml"))


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


def judge(recipe: Recipe, shared: SharedInputs) -> Report:
    # What this machine has and what the tiny test dataset looks like (GA326, GA4) is not what the cases are about.
    return verdict(recipe, shared, ignore=("GA5", "GA4", "GA326"))


@pytest.mark.parametrize("file", ERR, ids=lambda file: file.stem)
def test_wrong_recipe_is_told_exactly(file: Path, shared: SharedInputs) -> None:
    report = judge(read(file, name=file.name), shared)
    home = os.environ["HF_LEROBOT_HOME"]
    shown = terminal.render([report], columns=110).replace(home, "HOME").replace(os.environ["HF_HOME"], "HF")
    shown = re.sub(r"not run: \d+ rules", "not run: N rules", shown)  # a rule more is no other text
    expected = file.with_suffix(".txt")
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(shown)
    assert shown == expected.read_text()
    assert not report.ok


@pytest.mark.parametrize("file", OK, ids=lambda file: file.stem)
def test_right_recipe_is_fine(file: Path, shared: SharedInputs) -> None:
    report = judge(read(file, name=file.name), shared)
    assert report.diagnostics == ()


@pytest.mark.parametrize("name", ["seed_diffusion", "seed_vqbet"])
def test_the_first_recipes_are_mended_by_safe_fixes_alone(name: str, shared: SharedInputs) -> None:
    file = CASES / "err" / f"{name}.yaml"
    recipe = read(file, name=file.name)
    done = fixing.fix(recipe, lambda r: judge(r, shared), lambda texts: read(file.name, texts=texts), unsafe=False)
    assert done.report.ok and done.made
    assert "delta_timestamps" not in done.recipe.text
