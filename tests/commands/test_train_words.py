"""What stands on the command line of `train` and `fit`."""

import pytest
import yaml
from typer.testing import CliRunner

from getiaction_cli.commands.train import _resolved_text, _resume_with_value, split_overrides
from getiaction_cli.errors import UsageError
from getiaction_cli.main import app
from getiaction_cli.recipe import read


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
    ],
)
def test_resume_may_stand_alone(words: list[str], becomes: list[str]) -> None:
    assert _resume_with_value(words) == becomes


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
    text = _resolved_text(recipe, "r.yaml")
    assert "# what this is" in text
    assert "# small" in text
    assert yaml.safe_load(text) == recipe.plain()
    assert yaml.safe_load(text)["trainer"] == {"max_steps": 7}


def test_an_untouched_recipe_is_kept_as_it_is() -> None:
    assert _resolved_text(read("r.yaml", text=RECIPE), "r.yaml") == RECIPE


def test_a_second_config_is_refused() -> None:
    done = CliRunner().invoke(app, ["fit", "--config", "a.yaml", "--config", "b.yaml"])
    assert isinstance(done.exception, UsageError) and "twice" in done.exception.message


def test_a_code_that_no_rule_has_is_refused() -> None:
    done = CliRunner().invoke(app, ["train", "recipes/quickstart.yaml", "--ignore", "GA301,GAX"])
    assert isinstance(done.exception, UsageError) and "GAX" in done.exception.message


def test_options_without_a_command_are_refused() -> None:
    done = CliRunner().invoke(app, ["--shell", "bash"])
    assert isinstance(done.exception, UsageError) and done.exception.exit_code == 2
