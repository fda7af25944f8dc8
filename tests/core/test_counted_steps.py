"""VQ-BeT counts the steps of its first phase: validation is not among them, and a resumed run keeps the count."""

from pathlib import Path
from typing import Any

import make_dataset
import pytest
import tiny_policies
from test_run import assert_same_run, interrupted_at, recipe, run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "toy"
    return make_dataset.make(folder, lengths=(16, 14, 15))


def given(root: Path, **trainer: Any) -> dict[str, Any]:
    """14 steps of VQ-BeT, the first 9 of which train its codebook."""
    made = recipe(root, max_steps=14, **trainer)
    made["model"] = {
        "class_path": "getiaction.policies.lerobot.VQBeT",
        "init_args": {**tiny_policies.VQBET, "n_vqvae_training_steps": 9},
    }
    return made


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_validation_does_not_shorten_the_first_phase(root: Path) -> None:
    made = given(root, val_check_interval=2, num_sanity_val_steps=2)
    made["data"]["init_args"]["val_split"] = 0.4
    held_out = run(made).folder
    made = given(root, limit_val_batches=0, num_sanity_val_steps=0)
    made["data"]["init_args"]["val_split"] = 0.4
    plain = run(made).folder
    assert held_out and plain
    assert_same_run(plain.path, held_out.path)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [4, 9])
def test_a_resumed_run_continues_the_count(stop: int, root: Path) -> None:
    whole = run(given(root))
    with interrupted_at(stop):
        part = run(given(root))
    assert part.stopped_by and part.folder and whole.folder
    run(given(root), resume=part.folder.last)
    assert_same_run(whole.folder.path, part.folder.path)
