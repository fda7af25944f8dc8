"""The verdict against the truth, a part of what benchmarks/mutation_truth.py does: every mutant against the training of
last time, a sample that is trained again, and a step of training for what the verdict accepts: the Instead of every
rule's page, and recipes drawn at random."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import mutants
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import mutation_truth
import odd_datasets
import yaml
from verdict_helpers import block

from getiaction_cli.checking.runner import load_rules
from getiaction_cli.machine import probe

SAMPLE = 40
DRAWN = 200
# Nobody can know beforehand: weights that torchvision downloads in training.
DOWNLOADS = {"GA507"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mutants")
    before = dict(os.environ)
    mutation_truth.settle(folder)
    mutation_truth._shared = None
    probe.cache_clear()  # it knows the caches of the tests before
    yield folder
    mutation_truth._shared = None
    probe.cache_clear()
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_is_judged_wrongly_of_the_larger_policies_is_written_down(work: Path) -> None:
    known = json.loads(mutation_truth.TRUTH.read_text())
    hub = work / "huggingface" / "hub"
    chosen = mutants.others(mutation_truth.OTHERS, hub)
    mutation_truth._shared = None  # it was made before the models were
    probe.cache_clear()
    judged = {
        mutant.name: mutation_truth.judge(mutants.prepare(mutant, work / "lerobot", work / "damaged", hub))
        for mutant in chosen
        if known.get(mutant.name, {}).get("recipe") == mutation_truth.digest(mutant.text)
    }
    assert len(judged) >= 400
    table = mutation_truth.compare({name: known[name] for name in judged}, judged)
    page = mutation_truth.PAGE.read_text()
    assert [name for name in [*table["missed"], *table["false"]] if f"- `{name[:120]}`" not in page] == []


@pytest.mark.slow
def test_trainings_end_as_they_did(work: Path) -> None:
    known = json.loads(mutation_truth.TRUTH.read_text())
    chosen = sorted(mutants.mutants(), key=lambda mutant: hashlib.sha256(mutant.name.encode()).digest())[:SAMPLE]
    texts = {mutant.name: mutants.prepare(mutant, work / "lerobot", work / "damaged") for mutant in chosen}
    ended = {name: outcome["trains"] for name, outcome in mutation_truth.trained(texts, workers=2)}
    assert ended == {name: known[name]["trains"] for name in texts}


def accepted(texts: dict[str, str]) -> dict[str, str]:
    """The recipes that the verdict finds nothing wrong with and that download nothing."""
    judged = {name: mutation_truth.judge(text) for name, text in texts.items()}
    return {
        name: texts[name]
        for name, found in judged.items()
        if not found["error"] and not DOWNLOADS & {*found["warning"], *found["info"]}
    }


def refused(texts: dict[str, str]) -> dict[str, str]:
    """Why those stop that do not train a step."""
    return {name: ended["error"] for name, ended in mutation_truth.trained(texts, workers=1) if not ended["trains"]}


@pytest.mark.slow
def test_the_instead_of_every_page_trains_a_step(work: Path) -> None:
    odd_datasets.checkpoint(Path(os.environ["HF_HOME"]) / "hub")
    texts = {}
    for code, rule in load_rules().items():
        # About a dataset or an evaluation; that of GA157 is laid over another recipe.
        if not code.startswith(("GA4", "GA6", "GA157")):
            texts[code] = mutants.small(block(rule, "Instead"))
            for name in re.findall(r"repo_id: ((?:lerobot|made)/[\w-]+)", texts[code]):
                mutants.made(name, work / "lerobot")
    trained = accepted(texts)
    assert len(trained) >= 110
    assert refused(trained) == {}


@pytest.mark.slow
def test_drawn_recipes_that_the_verdict_accepts_train_a_step(work: Path) -> None:
    texts = {mutant.name: drawn(mutant, work) for mutant in mutants.drawn(DRAWN, seed=11)}
    trained = accepted(texts)
    assert len(trained) >= 40
    assert refused(trained) == {}


def test_a_few_drawn_recipes_that_the_verdict_accepts_train_a_step(lerobot_home: Path, tmp_path: Path) -> None:
    few = [mutant for mutant in mutants.drawn(16, seed=5) if mutant.dataset == mutants.PUSHT]
    trained = list(accepted({mutant.name: drawn(mutant, lerobot_home.parent) for mutant in few}).values())[:3]
    assert trained
    assert [mutation_truth.train(text)["error"] for text in trained] == [""] * len(trained)


def drawn(mutant: mutants.Mutant, work: Path) -> str:
    recipe = yaml.safe_load(mutants.prepare(mutant, work / "lerobot", work / "damaged"))
    trainer = recipe.get("trainer")
    return mutants.text_of(mutants.one_step(recipe) if trainer is None or isinstance(trainer, dict) else recipe)
