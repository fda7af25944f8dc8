"""The verdict against the truth, a part of what benchmarks/mutation_truth.py does: every mutant against the training of
last time, and a sample that is trained again."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import mutants
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import mutation_truth

SAMPLE = 40

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mutants")
    before = dict(os.environ)
    mutation_truth.settle(folder)
    yield folder
    os.environ.clear()
    os.environ.update(before)


def test_no_verdict_contradicts_a_training(work: Path) -> None:
    known = json.loads(mutation_truth.TRUTH.read_text())
    judged = {}
    for mutant in mutants.mutants():
        if known.get(mutant.name, {}).get("recipe") == mutation_truth.digest(mutant.text):
            text = mutants.prepare(mutant, work / "lerobot", work / "damaged")
            judged[mutant.name] = mutation_truth.judge(text)
    assert len(judged) >= 600
    table = mutation_truth.compare({name: known[name] for name in judged}, judged)
    assert (table["missed"], table["false"]) == ([], [])


def test_trainings_end_as_they_did(work: Path) -> None:
    known = json.loads(mutation_truth.TRUTH.read_text())
    chosen = sorted(mutants.mutants(), key=lambda mutant: hashlib.sha256(mutant.name.encode()).digest())[:SAMPLE]
    texts = {mutant.name: mutants.prepare(mutant, work / "lerobot", work / "damaged") for mutant in chosen}
    ended = {name: outcome["trains"] for name, outcome in mutation_truth.trained(texts, workers=2)}
    assert ended == {name: known[name]["trains"] for name in texts}
