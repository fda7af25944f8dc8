"""The guides in docs/ are executed from their own text, and the documentation site builds without a warning."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import make_dataset
import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config

from getiaction_cli.checking.recipe_context import verdict
from getiaction_cli.recipe import read

REPOSITORY = Path(__file__).parents[1]
# A small network of random weights instead of the default one, whose backbone is downloaded.
SMALL = [
    "--trainer.max_steps=2",
    "--trainer.accelerator=cpu",
    "--model.pretrained_backbone_weights=null",
    "--model.dim_model=32",
    "--model.dim_feedforward=32",
    "--model.n_heads=2",
    "--data.train_batch_size=2",
    "--data.num_workers=0",
]


def commands(name: str) -> list[list[str]]:
    """The commands in the ```bash blocks of a guide, without comments."""
    blocks = re.findall(r"```bash\n(.*?)```", (REPOSITORY / "docs" / name).read_text("utf-8"), re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.split() for line in lines if line]


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    assert words[0] == "getiaction"
    words = words[: words.index(">")] if ">" in words else words
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "80"}
    command = [sys.executable, "-m", "getiaction_cli", *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)


@pytest.mark.slow
def test_your_own_dataset_is_trained_and_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_dataset.make(Path("my_dataset"), lengths=(12, 12, 12, 12, 12))
    for words in commands("own_dataset.md"):
        done = run([*words, *SMALL] if words[1] == "train" else words)
        # `evaluate` finds that two steps teach nothing, `validate-config` that the backbone can't be downloaded here.
        allowed = (0, 1) if words[1] in ("evaluate", "validate-config") else (0,)
        assert done.returncode in allowed, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    for file in ("dataset.html", "recipe.yaml", "runs/first/pretrained_model/config.json", "report.html"):
        assert Path(file).is_file(), file


@pytest.mark.slow
def test_recipes_are_checked_in_an_editor_and_in_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipes").mkdir()
    shutil.copy(REPOSITORY / "recipes/quickstart.yaml", "recipes")
    for words in commands("editors.md"):
        done = run(words)
        assert done.returncode == 0, done.stderr


def test_the_recipe_for_smolvla_has_no_errors_but_the_missing_dataset_and_weights() -> None:
    guide = (REPOSITORY / "docs/finetune.md").read_text("utf-8")
    recipe = next(text for text in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "trainer:" in text)
    assert yaml.safe_load(recipe)["model"]["init_args"]["peft"] == {"method_type": "LORA", "r": 16}
    found = {d.code for d in verdict(read("recipe.yaml", text=recipe)).diagnostics if d.severity == "error"}
    assert found <= {"GA142", "GA506", "GA507"}


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_has_a_page_for_each_rule(tmp_path: Path) -> None:
    config = load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True)
    build(config)
    page = (tmp_path / "site/rules/GA301/index.html").read_text()
    assert "GA301" in page
    assert (tmp_path / "site/search/search_index.json").is_file()
