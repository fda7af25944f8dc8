"""The shipped recipes say what they are, and train.

Their Hub datasets are stood in for by small local ones with the same features, and pretrained weights by random ones:
nothing can be downloaded here. Each policy is also shrunk, by overrides as a user would write them.
"""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))
NAMES = [recipe.stem for recipe in RECIPES]

ACT = {"dim_model": 32, "n_heads": 2, "dim_feedforward": 32, "n_encoder_layers": 1, "pretrained_backbone_weights": None}
DIFFUSION = {"down_dims": [16, 32, 64], "pretrained_backbone_weights": None}
VQBET = {
    "pretrained_backbone_weights": None,
    "crop_shape": [96, 96],
    "gpt_n_layer": 1,
    "gpt_n_head": 2,
    "gpt_input_dim": 16,
    "gpt_hidden_dim": 16,
    "gpt_output_dim": 16,
}
SMALLER: dict[str, dict[str, Any]] = {
    "quickstart": {},
    "quickstart_pictures": {},
    "lerobot_act_simple": ACT,
    "lerobot_act": ACT,
    "lerobot_diffusion_universal": DIFFUSION,
    "lerobot_diffusion_alias": DIFFUSION,
    "lerobot_vqbet_universal": VQBET,
}


def smaller(name: str, **trainer: Any) -> tuple[tuple[str, str], ...]:
    """Overrides that shrink the policy of a recipe and its batches, and set the trainer."""
    model = {f"model.{key}": value for key, value in SMALLER[name].items()}
    values = {
        **model,
        "data.train_batch_size": 2,
        "data.num_workers": 0,
        **{f"trainer.{k}": v for k, v in trainer.items()},
    }
    if name == "quickstart":  # one short episode instead of 50
        values |= {"evaluation.episodes": 1, "evaluation.env.episode_length": 5, "evaluation.video": 0}
    return tuple((route, json.dumps(value)) for route, value in values.items())


def train(name: str, folder: Path, overrides: tuple[tuple[str, str], ...]) -> Any:
    """Train a recipe through the rooms that the command goes through, in this process."""
    from getiaction.train.run import train as run
    from getiaction_cli.recipe import read

    path = Path(__file__).parents[1] / "recipes" / f"{name}.yaml"
    recipe = read(str(path), overrides=overrides)
    return run(recipe.plain(), recipe_name=name, recipe_text=recipe.text, output_dir=folder, quiet=True)


def test_all_are_tested() -> None:
    assert sorted(SMALLER) == NAMES


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_it_opens_with_what_it_needs_and_how_to_run_it(recipe: Path) -> None:
    opening = "".join(line for line in recipe.read_text().splitlines(True) if line.startswith("#"))
    assert "# Needs: " in opening
    assert f"# Run:   getiaction train {recipe.stem}\n" in opening


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_no_number_is_read_as_text(recipe: Path) -> None:
    """YAML 1.1 reads 1e-4 as text, and 1_000 is text to every editor that reads YAML 1.2."""
    values = re.findall(r": ([\d.][\w.+-]*)", recipe.read_text())
    assert values
    assert not [value for value in values if re.fullmatch(r"\d+e[+-]?\d+|.*_.*", value)]


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_one_step(name: str, lerobot_home: Path, tmp_path: Path) -> None:
    summary = train(name, tmp_path / "run", smaller(name, fast_dev_run=1))
    assert summary.steps == 1
    assert summary.folder is None


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name: str, lerobot_home: Path, tmp_path: Path) -> None:
    overrides = smaller(name, max_steps=20)
    if "vqbet" in name:  # both of its phases
        overrides += (("model.n_vqvae_training_steps", "10"),)
    summary = train(name, tmp_path / "run", overrides)
    assert summary.steps == 20
    assert summary.final_loss > 0  # and not NaN
    assert (tmp_path / "run/pretrained_model/model.safetensors").exists()
    assert (tmp_path / "run/checkpoints/last.ckpt").exists()


@pytest.mark.slow
@pytest.mark.parametrize("words", [["train", "{recipe}"], ["fit", "--config", "{recipe}"]], ids=["train", "fit"])
def test_both_spellings_run(words: list[str], lerobot_home: Path, tmp_path: Path) -> None:
    recipe = str(Path(__file__).parents[1] / "recipes/lerobot_act_simple.yaml")
    command = [word.format(recipe=recipe) for word in words]
    shrunk = [f"--{route}={value}" for route, value in smaller("lerobot_act_simple", fast_dev_run=1)]
    # The console script stands beside the interpreter.
    script = Path(sys.executable).with_name("getiaction")
    run = subprocess.run([script, *command, *shrunk], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_quickstart_learns_to_push(tmp_path: Path) -> None:
    """A fifth of its steps, ten of its starts, and it covers clearly more of the goal than holding still."""
    few = {"trainer.max_steps": 600, "evaluation.episodes": 10, "evaluation.batch_size": 10, "evaluation.video": 0}
    train("quickstart", tmp_path / "run", tuple((route, json.dumps(value)) for route, value in few.items()))
    report = json.loads((tmp_path / "run/rollouts/step_000600/rollouts.json").read_text())
    assert report["metrics"]["eval/max_reward"] > 0.2
    with (tmp_path / "run/metrics.csv").open() as file:
        losses = [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
    start, end = fmean(losses[: len(losses) // 20]), fmean(losses[-len(losses) // 5 :])
    assert end < 0.6 * start
