"""What stands on the command line of `train` and `fit`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from getiaction_cli.commands.override_words import split_overrides, with_values
from getiaction_cli.commands.request import own_text
from getiaction_cli.errors import UsageError
from getiaction_cli.main import app
from getiaction_cli.recipe import read
from getiaction_cli.short_forms import SHORT_FORMS, route_of


@pytest.mark.parametrize(
    ("words", "rest", "overrides"),
    [
        ([], [], ()),
        (["r.yaml", "--trainer.max_steps", "20"], ["r.yaml"], (("trainer.max_steps", "20"),)),
        (["--trainer.max_epochs=5", "r.yaml"], ["r.yaml"], (("trainer.max_epochs", "5"),)),
        (["--trainer.max_steps", "-1", "r.yaml"], ["r.yaml"], (("trainer.max_steps", "-1"),)),
        (["--data.episodes=[0, 1]"], [], (("data.episodes", "[0, 1]"),)),
        (["--data.root="], [], (("data.root", ""),)),
        (["--a.b=c=d"], [], (("a.b", "c=d"),)),
        (
            ["--data.delta_timestamps.observation.state", "[0]"],
            [],
            (("data.delta_timestamps.observation.state", "[0]"),),
        ),
        (["--seed", "3"], [], (("seed", "3"),)),
        (["--debug", "r.yaml"], ["--debug", "r.yaml"], ()),
        (["--", "--a.b", "c"], ["--", "--a.b", "c"], ()),
        (["--steps", "20", "r.yaml"], ["r.yaml"], (("steps", "20"),)),
        (["--batch_size=4", "--lr", "1e-4"], [], (("batch_size", "4"), ("lr", "1e-4"))),
        (["--trainer.callbacks+=EarlyStopping"], [], (("trainer.callbacks+", "EarlyStopping"),)),
        (["--trainer.callbacks+", "EarlyStopping"], [], (("trainer.callbacks+", "EarlyStopping"),)),
        (["--trainer.fast_dev_run"], [], (("trainer.fast_dev_run", "true"),)),
        (["--fast-dev-run", "r.yaml"], ["r.yaml"], (("fast-dev-run", "true"),)),
        (["--trainer.fast_dev_run", "2", "r.yaml"], ["r.yaml"], (("trainer.fast_dev_run", "2"),)),
        (["--trainer.benchmark", "-c", "r.yaml"], ["-c", "r.yaml"], (("trainer.benchmark", "true"),)),
        (["--model.use_vae", "--debug"], ["--debug"], (("model.use_vae", "true"),)),
        (["--output-dir", "runs"], ["--output-dir", "runs"], ()),
    ],
)
def test_overrides_are_taken_out(words: list[str], rest: list[str], overrides: tuple[tuple[str, str], ...]) -> None:
    assert split_overrides(words) == (rest, overrides)


@pytest.mark.parametrize("words", [["--trainer.max_steps"], ["--trainer.max_steps", "--quiet"]])
def test_an_override_without_a_value_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"--trainer\.max_steps has no value"):
        split_overrides(words)


@pytest.mark.parametrize(
    ("words", "becomes"),
    [
        (["r.yaml", "--resume"], ["r.yaml", "--resume=latest"]),
        (["--resume", "r.yaml"], ["--resume=latest", "r.yaml"]),
        (["--resume", "--ignore", "GA3"], ["--resume=latest", "--ignore", "GA3"]),
        (["--resume", "outputs/r/1"], ["--resume", "outputs/r/1"]),
        (["--resume=outputs/r/1"], ["--resume=outputs/r/1"]),
        (["r.yaml", "--slurm"], ["r.yaml", "--slurm="]),
        (["--slurm", "--dry-run", "r.yaml"], ["--slurm=", "--dry-run", "r.yaml"]),
        (["--slurm", "--time=9 -N 2", "r.yaml"], ["--slurm=--time=9 -N 2", "r.yaml"]),
        (["--slurm", "-p gpu", "r.yaml"], ["--slurm=-p gpu", "r.yaml"]),
        (["--slurm", "--partition=gpu"], ["--slurm=--partition=gpu"]),
        (["r.yaml", "--slurm", "--array=seed=1-5"], ["r.yaml", "--slurm=", "--array=seed=1-5"]),
        (["r.yaml", "--slurm", "--output-dir=x"], ["r.yaml", "--slurm=", "--output-dir=x"]),
        (["--slurm", "--array=0-3 -p gpu"], ["--slurm=--array=0-3 -p gpu"]),
        (["--array", "model.chunk_size=8,16"], ["--array=model.chunk_size=8,16"]),
    ],
)
def test_some_options_may_have_no_value(words: list[str], becomes: list[str]) -> None:
    assert with_values(words, {"--array", "--output-dir", "--policy", "-p"}) == becomes


RECIPE = """\
# what this is
model:
  class_path: getiaction.policies.lerobot.ACT  # small
  init_args:
    chunk_size: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
"""


def test_the_resolved_recipe_keeps_its_comments() -> None:
    recipe = read("r.yaml", text=RECIPE, overrides=[("model.chunk_size", "20"), ("trainer.max_steps", "7")])
    text = own_text(recipe)
    assert "# what this is" in text
    assert "# small" in text
    assert yaml.safe_load(text) == recipe.plain()
    assert yaml.safe_load(text)["trainer"] == {"max_steps": 7}


def test_an_untouched_recipe_is_kept_as_it_is() -> None:
    assert own_text(read("r.yaml", text=RECIPE)) == RECIPE


def test_a_code_that_no_rule_has_is_refused() -> None:
    done = CliRunner().invoke(app, ["train", "recipes/quickstart.yaml", "--ignore", "GA301,GAX"])
    assert isinstance(done.exception, UsageError) and "GAX" in done.exception.message


def test_options_without_a_command_are_refused() -> None:
    done = CliRunner().invoke(app, ["--shell", "bash"])
    assert isinstance(done.exception, UsageError) and done.exception.exit_code == 2


MINE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
trainer:
  logger: {class_path: lightning.pytorch.loggers.CSVLogger}
"""


@pytest.mark.parametrize(
    ("overrides", "route", "value"),
    [
        ([("steps", "9")], "trainer.max_steps", 9),
        ([("max_steps", "9")], "trainer.max_steps", 9),
        ([("lr", "1e-4")], "model.init_args.learning_rate", 1e-4),
        ([("batch_size", "4")], "data.init_args.train_batch_size", 4),
        ([("seed_everything", "4")], "seed", 4),
        ([("model", "diffusion")], "model.class_path", "getiaction.policies.lerobot.Diffusion"),
        ([("model", "LeRobotPolicy")], "model.class_path", "getiaction.policies.lerobot.LeRobotPolicy"),
        ([("model", "nope")], "model.class_path", "nope"),
        ([("dataset", "a/b")], "data.init_args.repo_id", "a/b"),
        ([("logger", "wandb")], "trainer.logger.class_path", "lightning.pytorch.loggers.WandbLogger"),
        ([("logger", "false")], "trainer.logger", False),
        (
            [("logger", "[csv, tensorboard]")],
            "trainer.logger.1.class_path",
            "lightning.pytorch.loggers.TensorBoardLogger",
        ),
        ([("trainer.logger.name", "x")], "trainer.logger.init_args.name", "x"),
        ([("logger", "wandb"), ("logger.project", "x")], "trainer.logger.init_args.project", "x"),
        ([("trainer.logger+", "wandb")], "trainer.logger.0.class_path", "lightning.pytorch.loggers.CSVLogger"),
        ([("trainer.logger+", "wandb")], "trainer.logger.1.class_path", "lightning.pytorch.loggers.WandbLogger"),
        (
            [("trainer.callbacks+", "EarlyStopping"), ("trainer.callbacks.monitor", "loss")],
            "trainer.callbacks",
            [{"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"monitor": "loss"}}],
        ),
        ([("trainer.strategy", "ddp")], "trainer.strategy", "ddp"),
    ],
)
def test_words_of_the_command_line_as_keys_of_the_recipe(
    overrides: list[tuple[str, str]], route: str, value: object
) -> None:
    recipe = read("r.yaml", text=MINE, overrides=overrides)
    assert recipe.get(route) == value
    place = recipe.place(route)
    assert place is not None and (place.file == "<command line>") == (route != "trainer.logger.0.class_path")


def test_every_short_form_is_an_option_of_the_help() -> None:
    shown = CliRunner().invoke(app, ["train", "--help"]).output
    for short in SHORT_FORMS:
        assert all(f"--{name}" in shown for name in short.names)
        assert route_of(short.names[0]) == short.route


def test_a_mistyped_short_form_is_suggested() -> None:
    done = CliRunner().invoke(app, ["train", "--stpes", "3"])
    assert done.exit_code == 2 and "--steps" in done.output


def test_the_command_line_can_be_the_whole_recipe() -> None:
    done = CliRunner().invoke(app, ["validate-config", "--model", "ACT", "--dataset", "getiaction/pusht-demo"])
    assert done.exit_code == 0 and "trains ACT on getiaction/pusht-demo" in done.output


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["train", "lab/cups"], "lab/cups is not a recipe", "getiaction train lab/cups --policy act"),
        (["train", "r.yaml", "--policy", "act"], "--policy is for a dataset", "--model changes the policy of a recipe"),
        (["train", "quickstart", "--policy", "act"], "--policy is for a dataset", "--model"),
        (["train", "--policy", "act"], "--policy needs a dataset", "getiaction/pusht-demo --policy act"),
        (["train", "-c", "-", "-c", "r.yaml"], "standard input can only be the last recipe", "behind the others"),
        (["fit", "--ckpt_path", "best", "-c", "r.yaml"], "resumed from the last checkpoint", "--resume"),
        (["validate", "r.yaml"], "r.yaml is a recipe, not a trained policy", "getiaction validate-config r.yaml"),
        (["test"], "no trained policy was named", "getiaction evaluate outputs"),
        (["predict", "run", "--ckpt_path", "x.ckpt"], "the policy is named twice", "--ckpt_path"),
    ],
)
def test_words_that_do_not_go_together(words: list[str], message: str, hint: str) -> None:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, UsageError)
    assert message in done.exception.message and hint in done.exception.hint


def test_a_drafted_recipe_takes_the_short_forms() -> None:
    words = ["train", "getiaction/pusht-keypoints-demo", "--policy", "act", "--steps", "2", "--lr", "1e-3"]
    done = CliRunner().invoke(app, [*words, "--print-config"])
    recipe = yaml.safe_load(done.stdout)
    assert done.exit_code == 0 and recipe["trainer"] == {"max_steps": 2}
    assert recipe["model"]["class_path"] == "getiaction.policies.lerobot.ACT"
    assert recipe["model"]["init_args"]["learning_rate"] == 1e-3
    assert recipe["data"]["init_args"]["repo_id"] == "getiaction/pusht-keypoints-demo"


def test_a_dataset_that_a_policy_cannot_use_is_refused_with_reasons() -> None:
    done = CliRunner().invoke(app, ["train", "getiaction/pusht-keypoints-demo", "--policy", "smolvla"])
    assert done.exit_code == 1 and "GA307" in done.stderr


@pytest.mark.slow
def test_a_dataset_and_a_policy_are_enough_and_lightning_names_measure_the_run(tmp_path: Path) -> None:
    def getiaction(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "getiaction", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    small = ["--model.dim_model=32", "--model.n_heads=2", "--model.dim_feedforward=32", "--trainer.accelerator=cpu"]
    trained = getiaction(
        "train", "getiaction/pusht-keypoints-demo", "--policy", "act", "--steps", "2", "--batch_size", "4",
        "--logger", "tensorboard", *small,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert "class_path: getiaction.policies.lerobot.ACT" in trained.stderr  # the draft is shown
    assert "tensorboard --logdir outputs/act_pusht_keypoints_demo/" in " ".join(trained.stdout.split())
    (run,) = (tmp_path / "outputs/act_pusht_keypoints_demo").iterdir()
    assert read(run / "recipe.yaml").get("trainer.max_steps") == 2
    (tmp_path / "act_pusht_keypoints_demo.yaml").write_text("")
    measured = getiaction("validate", "-c", "act_pusht_keypoints_demo.yaml", "--ckpt_path", "last", "--episodes", "1")
    assert measured.returncode in (0, 1) and "act" in measured.stdout.lower(), measured.stderr


SMALL = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {chunk_size: 8, n_action_steps: 8, dim_model: 16, n_heads: 2, pretrained_backbone_weights: null}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {repo_id: getiaction/pusht-demo}
trainer: {max_epochs: 2}
"""


@pytest.mark.parametrize(
    ("words", "code", "advice"),
    [
        (["--model.n_heads=3"], "GA212", "pass --model.n_heads 4"),
        (["--model.n_action_steps", "20"], "GA201", "pass --model.n_action_steps 8"),
        (["--model.temporal_ensemble_coeff=3"], "GA203", "pass --model.n_action_steps 1"),
        (["--data.delta_timestamps.action=[0.0, 0.1]"], "GA301", "leave out --data.delta_timestamps.action"),
        (["--model.feedforward_activation", "RELU"], "GA205", "pass --model.feedforward_activation relu"),
        (["--trainer.max_stps=5"], "GA110", "write --trainer.max_steps instead of --trainer.max_stps"),
        (["--model.optimizer_lr_bacbone=1e-5"], "GA110", "write --model.optimizer_lr_backbone instead of"),
        (["--model.beta_schedule=linear"], "GA113", "leave out --model.beta_schedule"),
    ],
)
def test_the_fix_of_a_flag_is_a_flag(words: list[str], code: str, advice: str, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(SMALL)
    done = CliRunner().invoke(app, ["validate-config", str(file), *words, "--format", "json"])
    found = next(each for each in json.loads(done.stdout)["diagnostics"] if each["code"] == code)
    assert found["file"] == "<command line>" and found["fix"] is None
    assert advice in found["help"]
    CliRunner().invoke(app, ["validate-config", str(file), *words, "--fix", "--unsafe-fixes"])
    assert file.read_text() == SMALL
