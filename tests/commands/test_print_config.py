"""`--print-config`: the resolved recipe says where every value comes from, loads again, and trains the same."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs, verdict
from getiaction_cli.checking.resolved import flat, resolved
from getiaction_cli.diagnostics import Severity
from getiaction_cli.main import app
from getiaction_cli.recipe import read

RECIPES = Path(__file__).parents[2] / "recipes"
DEMO = ["--model", "ACT", "--dataset", "getiaction/pusht-demo"]
SMALL = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
    dim_model: 32
    n_heads: 2
    dim_feedforward: 32
    n_encoder_layers: 1
    latent_dim: 4
    n_vae_encoder_layers: 1
    optimizer_lr: 1e-3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-keypoints-demo
    train_batch_size: 4
trainer:
  accelerator: cpu
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "top.yaml").write_text("# longer\nbase: small.yaml\ntrainer:\n  max_steps: 3\n")
    return tmp_path


def printed(*words: str) -> str:
    done = CliRunner().invoke(app, ["train", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def line(text: str, key: str) -> str:
    found, *_ = [line.strip() for line in text.splitlines() if line.strip().startswith(f"{key}:")]
    return found


@pytest.mark.parametrize("flag", ["--print-config", "--print_config"])
def test_every_value_says_where_it_comes_from(flag: str) -> None:
    text = printed("top.yaml", flag, "--model.chunk_size", "8", "--seed", "7")
    assert "\nseed: 7  # --seed\n" in text
    assert line(text, "chunk_size") == "chunk_size: 8  # --model.chunk_size"
    assert line(text, "n_heads") == "n_heads: 2  # small.yaml:7"
    assert line(text, "max_steps") == "max_steps: 3  # top.yaml:4"
    assert line(text, "kl_weight") == "kl_weight: 10.0  # LeRobot's default"
    assert line(text, "val_split") == "val_split: 0.0  # getiaction's default"
    assert line(text, "input_features").endswith("# the dataset")
    assert line(text, "action").endswith("# the policy's steps at the dataset's 10 fps")
    assert yaml.safe_load(text)["data"]["init_args"]["delta_timestamps"] == {"action": [n / 10 for n in range(8)]}


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_printed_recipe_keeps_its_values_and_gets_the_same_verdict(file: Path, lerobot_home: Path) -> None:
    shared = SharedInputs(offline=True)
    recipe = read(file, name="recipe.yaml")
    text = resolved(RecipeContext(recipe, shared))
    again = read("resolved.yaml", text=text)
    assert verdict(again, shared).ok

    def codes(recipe: object) -> set[str]:
        return {d.code for d in verdict(recipe, shared).diagnostics if d.severity is not Severity.INFO}  # type: ignore[arg-type]

    assert codes(again) == codes(recipe)
    for route, node in recipe.walk():
        if not node.items and not node.pairs:
            assert again.get(route) == recipe.get(route)
    assert resolved(RecipeContext(again, shared)).count("'s default\n") == 0  # nothing is left to fill in


def test_a_wrong_recipe_is_not_printed() -> None:
    done = CliRunner().invoke(app, ["train", "top.yaml", "--print-config", "--model.chunk_sise", "8"])
    assert done.exit_code == 1 and done.stdout == "" and "GA110" in done.stderr


def test_printing_imports_no_torch() -> None:
    code = (
        "import sys; from getiaction_cli.main import main; sys.argv[1:] = ['train', 'top.yaml', '--print-config']\n"
        "try: main()\nfinally: print({'torch', 'lightning', 'lerobot'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.endswith("\nset()\n") and "# top.yaml:4" in done.stdout


def test_a_file_name_cannot_write_into_the_recipe() -> None:
    recipe = read("r.yaml\ntrainer: {max_steps: 9}", text="seed: 1\n")
    assert yaml.safe_load(flat(recipe)) == {"seed": 1}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=12
)


@given(st.dictionaries(st.text(min_size=1, max_size=4), VALUES, min_size=1))
def test_any_values_survive_being_written(values: dict[str, object]) -> None:
    recipe = read("r", text=yaml.safe_dump(values, allow_unicode=True))
    assert read("again", text=flat(recipe)).plain() == recipe.plain()


def losses(run: Path) -> list[str]:
    with (run / "metrics.csv").open() as file:
        return [row["train/loss"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_the_printed_recipe_trains_the_same_and_the_run_keeps_it(folder: Path) -> None:
    words = ["top.yaml", "--seed", "3", "--trainer.log_every_n_steps", "1"]
    text = printed(*words, "--print-config")
    (folder / "printed.yaml").write_text(text)
    for name, command in (("first", words), ("second", ["printed.yaml"])):
        done = subprocess.run(
            [sys.executable, "-m", "getiaction_cli", "train", *command, "--output-dir", name],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert losses(folder / "first") == losses(folder / "second") and len(losses(folder / "first")) == 3
    assert (folder / "first/resolved.yaml").read_text() == text
    assert (
        read(folder / "first/recipe.yaml").plain()
        == read("top.yaml", overrides=[("seed", "3"), (words[3][2:], "1")]).plain()
    )
