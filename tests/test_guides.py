"""The guides in docs/ are executed from their own text, and the documentation site builds without a warning."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import make_dataset
import pytest
import tiny_vlas
import yaml
from huggingface_hub import constants
from mkdocs.commands.build import build
from mkdocs.config import load_config

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


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a guide in this language."""
    return re.findall(rf"```{language}\n(.*?)```", (REPOSITORY / "docs" / name).read_text("utf-8"), re.DOTALL)


def commands(name: str) -> list[list[str]]:
    """The commands in the ```bash blocks of a guide, without comments."""
    lines = [line.partition("  #")[0].strip() for block in blocks(name, "bash") for line in block.splitlines()]
    return [line.split() for line in lines if line]


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    assert words[0] == "getiaction"
    words = words[: words.index(">")] if ">" in words else words
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
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
def test_the_quickstart_is_trained_measured_and_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickstart's guide, and then the guide to evaluation on its run, with a few steps and one short episode."""
    monkeypatch.chdir(tmp_path)
    small = ["--trainer.max_steps=2", "--evaluation.episodes=1", "--evaluation.video=0", "--data.train_batch_size=2"]
    both = [*commands("quickstart.md"), *commands("evaluation.md")]
    for words in map(list, dict.fromkeys(map(tuple, both))):  # each once
        if words[1] == "train":
            done = run([*words, *small, "--evaluation.env.episode_length=5"])
        else:
            done = run(["1" if word == "50" else word for word in words])
        if ">" in words:
            Path(words[-1]).write_text(done.stdout)
        # `evaluate` finds that two steps teach nothing.
        allowed = (0, 1) if words[1] == "evaluate" else (0,)
        assert done.returncode in allowed, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert Path("report.html").is_file() and Path("runs/mine/report.html").is_file()
    assert json.loads(Path("evaluation.json").read_text())["version"] == 1


def test_the_navigation_of_the_site_reaches_every_page() -> None:
    named = set(re.findall(r"(\w+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(), re.MULTILINE))
    assert named == {page.name for page in REPOSITORY.glob("docs/*.md")}


@pytest.mark.slow
def test_recipes_are_checked_in_an_editor_and_in_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipes").mkdir()
    shutil.copy(REPOSITORY / "recipes/quickstart.yaml", "recipes")
    for words in commands("editors.md"):
        done = run(words)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_hook_of_the_guide_checks_the_recipes_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pre-commit does with a hook of `language: system`: run its entry on the files that match."""
    monkeypatch.chdir(tmp_path)
    Path("recipes").mkdir()
    shutil.copy(REPOSITORY / "recipes/quickstart.yaml", "recipes")
    Path("recipes/wrong.yaml").write_text("model: {class_path: nowhere.Nothing}\n")
    text = next(text for text in blocks("editors.md", "yaml") if "hooks:" in text)
    hook = yaml.safe_load(text)["repos"][0]["hooks"][0]
    files = [str(file) for file in sorted(Path().rglob("*.*")) if re.search(hook["files"], str(file))]
    assert files == ["recipes/quickstart.yaml", "recipes/wrong.yaml"]
    assert run([*hook["entry"].split(), *files]).returncode == 1
    assert run([*hook["entry"].split(), files[0]]).returncode == 0


@pytest.mark.slow
def test_the_verdict_of_the_guide_is_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (recipe,) = blocks("verdict.md", "yaml")
    (shown,) = blocks("verdict.md", "text")
    Path("recipe.yaml").write_text(recipe)
    assert run(["getiaction", "validate-config", "recipe.yaml"]).stdout.startswith(shown)
    rows = re.findall(r"\| `(getiaction .*?)` \|", (REPOSITORY / "docs/verdict.md").read_text("utf-8"))
    assert len(rows) == 6
    for words in map(str.split, rows):
        Path("recipe.yaml").write_text(recipe)
        done = run([*words, *SMALL] if words[1] == "train" else words)
        # The error is still there, unless this command fixes it.
        assert done.returncode == (0 if "--unsafe-fixes" in words else 1), f"{words}\n{done.stdout}\n{done.stderr}"
        assert "GA201" in done.stdout + done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_smolvla_is_fine_tuned_checked_and_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe and the commands of the guide, on a small base of random weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    tiny_vlas.smolvla_base(tmp_path / "hub")
    recipe = next(text for text in blocks("finetune.md", "yaml") if "trainer:" in text)
    Path("recipe.yaml").write_text(recipe)
    dataset = tmp_path / "lerobot" / yaml.safe_load(recipe)["data"]["init_args"]["repo_id"]
    cameras = {"observation.images.front": (48, 64)}
    make_dataset.make(dataset, cameras=cameras, state=6, action=6, fps=30, lengths=(12,) * 5)
    small = ["--trainer.max_steps=2", "--trainer.accelerator=cpu", "--data.train_batch_size=2", "--data.num_workers=0"]
    for words in commands("finetune.md"):
        done = run([*words, *small] if words[1] == "train" else words)
        allowed = (0, 1) if words[1] == "evaluate" else (0,)  # two steps teach nothing
        assert done.returncode in allowed, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert Path("runs/smolvla/pretrained_model/adapter_config.json").is_file() and Path("report.html").is_file()
    assert json.loads(Path("merged/config.json").read_text())["type"] == "smolvla"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_has_a_page_for_each_rule(tmp_path: Path) -> None:
    config = load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True)
    build(config)
    page = (tmp_path / "site/rules/GA301/index.html").read_text()
    assert "GA301" in page
    assert (tmp_path / "site/search/search_index.json").is_file()
