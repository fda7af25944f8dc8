"""The recipes that ship: listed, printed, and named by every command that takes a recipe, from any folder."""

import zipfile
from pathlib import Path

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder
from typer.testing import CliRunner

from getiaction_cli import shipped
from getiaction_cli.main import app

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output if done.exception is None or done.exit_code else str(done.exception)


def test_every_recipe_is_listed_with_what_it_trains() -> None:
    code, text = call("recipes")
    assert code == 0
    for recipe in RECIPES.glob("*.yaml"):
        assert f"{recipe.stem}  " in text
    assert "quickstart                   A first policy: a small ACT that pushes the T" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", ["quickstart", "quickstart.yaml"])
def test_a_printed_recipe_is_the_file_and_leads_to_the_schema(name: str) -> None:
    code, text = call("recipes", name)
    assert code == 0
    first, _, rest = text.partition("\n")
    assert rest == (RECIPES / "quickstart.yaml").read_text().partition("\n")[2]
    assert Path(first.partition("$schema=")[2]).is_file()
    yaml.safe_load(text)


def test_the_schema_is_found_from_what_init_writes_and_from_a_run_folder(tmp_path: Path) -> None:
    code, text = call("init", "getiaction/pusht-demo", "--policy", "act", "-o", "-")
    assert code == 0
    assert Path(text.partition("\n")[0].partition("# yaml-language-server: $schema=")[2]).is_file()

    kept = shipped.with_schema_found((RECIPES / "quickstart.yaml").read_text(), RECIPES)  # by `getiaction train`
    assert kept.partition("\n")[0] == f"# yaml-language-server: $schema={RECIPES / 'recipe.schema.json'}"
    own = tmp_path / "my recipes"
    own.mkdir()
    (own / "s.json").write_text("{}")
    line = "# yaml-language-server: $schema="
    assert shipped.with_schema_found(f"{line}s.json\nseed: 1\n", own) == f"{line}{(own / 's.json').as_uri()}\nseed: 1\n"
    for other in ("https://example.org/s.json", "gone.json"):
        assert shipped.with_schema_found(f"{line}{other}\n", own) == f"{line}{other}\n"


def test_a_recipe_is_judged_by_its_name_from_any_folder() -> None:
    code, text = call("validate-config", "quickstart")
    assert code == 0
    assert text.startswith("quickstart trains ACT on getiaction/pusht-keypoints-demo")


def test_a_file_of_the_working_folder_comes_first() -> None:
    Path("quickstart").write_text("model: {}\n")
    assert shipped.path_of("quickstart") is None
    assert shipped.path_of("lerobot_act") == RECIPES / "lerobot_act.yaml"
    assert shipped.path_of("../recipes/lerobot_act") is None


def test_a_shipped_recipe_is_not_changed() -> None:
    before = (RECIPES / "quickstart.yaml").read_bytes()
    code, text = call("validate-config", "--fix", "--unsafe-fixes", "--trainer.max_step", "3", "quickstart")
    assert code != 0
    assert (RECIPES / "quickstart.yaml").read_bytes() == before
    assert not list(Path().iterdir()), text


def test_the_wheel_has_them(tmp_path: Path) -> None:
    wheel = next(WheelBuilder(str(RECIPES.parent)).build(directory=str(tmp_path), versions=["standard"]))
    names = set(zipfile.ZipFile(wheel).namelist())
    for recipe in [*RECIPES.glob("*.yaml"), RECIPES / "recipe.schema.json"]:
        assert f"getiaction_cli/shipped_recipes/{recipe.name}" in names
