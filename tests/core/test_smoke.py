"""`validate-config --smoke`: two small batches with the real policy, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from getiaction.train.smoke import STEPS, shrunk

RECIPES = Path(__file__).parents[2] / "recipes"
DATA = """
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-demo
trainer:
  max_steps: 30000
"""


@pytest.mark.parametrize(
    "model",
    [
        {"class_path": "getiaction.policies.lerobot.VQBeT", "init_args": {"n_vqvae_training_steps": 500}},
        {"class_path": "getiaction.policies.lerobot.VQBeT"},
        {"class_path": "getiaction.policies.lerobot.LeRobotPolicy", "init_args": {"policy_name": "vqbet"}},
    ],
)
def test_vqbet_is_tried_in_both_phases(model: dict[str, object]) -> None:
    recipe = {"model": model, "data": {"class_path": "x"}, "trainer": {"max_steps": 9, "devices": 8}}
    trial = shrunk(recipe)
    arguments = trial["model"]["init_args"]
    steps = arguments.get("n_vqvae_training_steps", arguments["config_kwargs"]["n_vqvae_training_steps"])
    assert 0 < steps < STEPS
    assert trial["trainer"]["devices"] == 1 and recipe["trainer"] == {"max_steps": 9, "devices": 8}


@pytest.mark.slow
def test_a_recipe_that_trains_is_said_to(tmp_path: Path) -> None:
    recipe = tmp_path / "vqbet.yaml"
    recipe.write_text(
        "model:\n  class_path: getiaction.policies.lerobot.VQBeT\n  init_args:\n    pretrained_backbone_weights: null\n"
        "    gpt_n_layer: 1\n    gpt_n_head: 2\n"
        "    gpt_input_dim: 16\n    gpt_hidden_dim: 16\n    gpt_output_dim: 16\n" + DATA
    )
    command = [sys.executable, "-m", "getiaction_cli.main", "validate-config", str(recipe), "--smoke"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "trains: VQBeT on getiaction/pusht-demo, 2 steps on the CPU, loss " in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["vqbet.yaml"]


@pytest.mark.slow
def test_a_recipe_that_does_not_train_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    recipe = tmp_path / "act.yaml"
    recipe.write_text(
        "# getiaction: ignore[GA2]\nmodel:\n  class_path: getiaction.policies.lerobot.ACT\n  init_args:\n"
        "    pretrained_backbone_weights: null\n    dim_model: 100\n    n_heads: 7\n" + DATA
    )
    command = [sys.executable, "-m", "getiaction_cli.main", "validate-config", str(recipe), "--smoke"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not train: " in done.stderr and "Traceback" not in done.stderr
