"""`getiaction init`: the recipe it writes validates clean, says why what was set was set, and overwrites nothing."""

from __future__ import annotations

import json
import math
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from getiaction_cli import datasets, policies
from getiaction_cli.commands.drafting import Suit, suit, suits
from getiaction_cli.recipe import read
from getiaction_cli.rules.recipe_subject import RecipeSubject, Shelf
from getiaction_cli.rules.runner import check

DEMO = "getiaction/pusht-demo"
TRAINABLE = [name for name in policies.names() if policies.load(name).trainable]


def getiaction(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


@pytest.fixture(scope="module")
def demo_suits() -> dict[str, Suit]:
    dataset, shelf = datasets.read(datasets.locate(DEMO)), Shelf()
    shelf.add(dataset)
    return {one.policy.name: one for one in suits(dataset, shelf)}


@pytest.mark.parametrize("policy", TRAINABLE)
def test_the_recipe_of_every_policy_that_fits_validates_clean(policy: str, demo_suits: dict[str, Suit]) -> None:
    drafted = demo_suits[policy]
    if policy == "lingbot_va":
        assert not drafted.trainable, "it names cameras that the demo does not have"
        return
    report = check(RecipeSubject(read("recipe.yaml", text=drafted.text)), ignore=("GA5",))
    assert [f"{found.code}: {found.message}" for found in report.diagnostics if found.severity != "info"] == []


# Widths small enough for a CPU; what the draft says of time and pictures stays.
SMALL: dict[str, dict[str, object]] = {
    "act": {"dim_model": 32, "n_heads": 2, "dim_feedforward": 32, "n_encoder_layers": 1},
    "diffusion": {"down_dims": [16, 32, 64], "diffusion_step_embed_dim": 16},
    "vqbet": {"gpt_n_layer": 1, "gpt_n_head": 2, "gpt_input_dim": 16, "gpt_hidden_dim": 16, "gpt_output_dim": 16},
    "tdmpc": {"latent_dim": 8, "mlp_dim": 16, "state_encoder_hidden_dim": 16, "image_encoder_hidden_dim": 4},
}
FITS = {
    "pusht_root": {"act", "diffusion", "vqbet", "tdmpc"},  # one square camera, and rewards
    "aloha_root": {"act", "diffusion", "vqbet"},  # one camera that is not square
    "toy_root": {"act", "diffusion", "vqbet"},
}


@pytest.mark.slow
@pytest.mark.parametrize("dataset", FITS)
@pytest.mark.parametrize("policy", SMALL)
def test_the_recipe_trains_where_the_policy_fits(
    policy: str, dataset: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from getiaction.train.run import train

    found, shelf = datasets.read(datasets.locate(str(request.getfixturevalue(dataset)), folders=True)), Shelf()
    shelf.add(found)
    drafted = suit(found, policies.load(policy), shelf)
    assert drafted.trainable == (policy in FITS[dataset]), [reason.message for reason in drafted.reasons]
    if not drafted.trainable:
        return
    model = SMALL[policy] | ({} if policy == "tdmpc" else {"pretrained_backbone_weights": None})
    overrides = {f"model.{key}": value for key, value in model.items()} | {"trainer.max_steps": 3}
    overrides |= {"trainer.accelerator": "cpu", "data.train_batch_size": 2}
    words = tuple((route, json.dumps(value)) for route, value in overrides.items())
    recipe = read("recipe.yaml", text=drafted.text, overrides=words)
    summary = train(recipe.plain(), recipe_name="drafted", recipe_text="", output_dir=tmp_path / "run", quiet=True)
    assert summary.steps == 3 and all(math.isfinite(loss) for loss in summary.losses)
    assert (tmp_path / "run/pretrained_model/config.json").is_file()


def test_what_the_dataset_forces_is_set_with_the_reason_beside_it(tmp_path: Path) -> None:
    getiaction("init", DEMO, "--policy", "xvla", "-o", "recipe.yaml", cwd=tmp_path)
    lines = (tmp_path / "recipe.yaml").read_text().splitlines()
    place = lines.index("    action_mode: auto")
    assert "'ee6d' means 20 numbers, but `action` has 2" in lines[place - 1]


def test_a_name_is_made_up_and_nothing_is_overwritten(tmp_path: Path) -> None:
    for name in ("act_pusht_demo.yaml", "act_pusht_demo_1.yaml"):
        assert getiaction("init", DEMO, "--policy", "act", cwd=tmp_path).stdout == f"wrote {name}\n"
    mine = tmp_path / "mine.yaml"
    mine.write_text("# mine\n")
    done = getiaction("init", DEMO, "--policy", "act", "-o", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "mine.yaml exists" in done.stderr
    assert mine.read_text() == "# mine\n"


def test_without_a_policy_those_that_fit_are_named(tmp_path: Path) -> None:
    done = getiaction("init", DEMO, cwd=tmp_path)
    assert done.returncode == 2
    assert "act" in done.stderr and "diffusion" in done.stderr and "lingbot_va" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_the_question_is_asked(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"diffusion\n")
    command = [sys.executable, "-m", "getiaction_cli.main", "init", DEMO]
    done = subprocess.run(command, cwd=tmp_path, stdin=theirs, capture_output=True, text=True, check=False)
    assert done.stdout == "wrote diffusion_pusht_demo.yaml\n", done.stderr
    assert "Which one" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("init", DEMO, "--policy", "diffusoin"), 2, "did you mean diffusion?"),
        (("init", DEMO, "--policy", "gaussian_actor"), 2, "can't be trained from demonstrations"),
        (("init", "./nowhere", "--policy", "act"), 3, "no folder ./nowhere"),
    ],
)
def test_wrong_words_end_in_one_clear_error(words: tuple[str, ...], code: int, said: str, tmp_path: Path) -> None:
    done = getiaction(*words, cwd=tmp_path)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


def test_a_dataset_with_faults_suits_no_policy(v21_root: Path, tmp_path: Path) -> None:
    done = getiaction("init", str(v21_root), "--policy", "act", cwd=tmp_path)
    assert done.returncode == 1 and "GA404: the dataset is in format v2.1" in done.stderr
    assert list(tmp_path.iterdir()) == []
