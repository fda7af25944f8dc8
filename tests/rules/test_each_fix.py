"""Every offered fix, made by itself and with the others: its finding is gone, nothing breaks, nothing is lost."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import mutants
import pytest
from fix_checks import Judge, faults, judge_once

from getiaction_cli.checking.runner import load_rules
from getiaction_cli.recipe import read

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import mutation_truth

CASES = sorted((Path(__file__).parents[1] / "cases").glob("*/*.yaml"))
PAGES = {
    code: re.findall(r"```yaml\n(.*?)^```", rule.page, re.DOTALL | re.MULTILINE) for code, rule in load_rules().items()
}
FAMILIES = sorted({code[:3] for code, texts in PAGES.items() if texts})


@pytest.fixture(scope="module")
def judge(lerobot_home: Path, checkpoint: Path) -> Judge:
    return judge_once()


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_fixes_of_a_case(file: Path, judge: Judge) -> None:
    assert list(faults(read(file, name=file.name), judge)) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_fixes_of_the_pages(family: str, judge: Judge, dataset_of: Callable[[str], None]) -> None:
    wrong = []
    for code, texts in PAGES.items():
        for text in texts if code.startswith(family) else ():
            for name in re.findall(r"repo_id: made/([\w-]+)", text):
                dataset_of(name)
            wrong += [f"{code}: {fault}" for fault in faults(read("recipe.yaml", text=text), judge)]
    assert wrong == []


@pytest.mark.slow
def test_fixes_of_the_mutants(tmp_path: Path) -> None:
    before = dict(os.environ)
    mutation_truth.settle(tmp_path)
    try:
        judge, wrong = judge_once(), []
        for mutant in [*mutants.mutants(), *mutants.pairs(mutation_truth.PAIRS, seed=mutation_truth.SEED)]:
            text = mutants.prepare(mutant, tmp_path / "lerobot", tmp_path / "damaged")
            wrong += [f"{mutant.name}: {fault}" for fault in faults(read("mutant.yaml", text=text), judge)]
        assert wrong == []
    finally:
        os.environ.clear()
        os.environ.update(before)
