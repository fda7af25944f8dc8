"""`getiaction validate-config` and `explain` as their users meet them: words, files, exit codes."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from getiaction_cli.errors import CliError
from getiaction_cli.main import app

GOOD = """# yes
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {chunk_size: 10, n_action_steps: 10}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
"""
BAD = GOOD.replace("    repo_id", "    batch_size: 4  # small\n    repo_id").replace("chunk_size", "chunk_sise")


def run(*words: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, ["validate-config", "--ignore", "GA5,GA4", *words], input=input)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lerobot_home: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


def test_right_recipe_shows_what_will_be_trained() -> None:
    result = run("good.yaml")
    assert result.exit_code == 0, result.output
    assert "good.yaml trains ACT on lerobot/pusht" in result.output
    assert "10 frames, 0 to 0.9 s; 10 of them are executed (1 s)" in result.output
    assert "nothing wrong" in result.output


def test_a_recipe_shows_what_it_starts_from_and_what_that_downloads(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    model = {"class_path": "getiaction.policies.lerobot.SmolVLA", "init_args": {"pretrained_path": "some/smolvla"}}
    (here / "tuned.yaml").write_text(yaml.safe_dump({**yaml.safe_load(GOOD), "model": model}))
    words = " ".join(run("tuned.yaml").output.split())
    assert "starts from some/smolvla: its weights and its parameters" in words
    assert "downloads some/smolvla (the pretrained policy); HuggingFaceTB/SmolVLM2-500M-Video-Instruct (the" in words


def test_wrong_recipe_and_exit_code() -> None:
    result = run("bad.yaml", "--format", "concise")
    assert result.exit_code == 1
    assert [line.split("[")[1][:5] for line in result.stdout.splitlines()] == ["GA110", "GA111"]


def test_select_and_ignore_by_prefix() -> None:
    assert json.loads(run("bad.yaml", "--select", "GA111", "--format", "json").stdout)["summary"]["errors"] == 1
    assert run("bad.yaml", "--ignore", "GA1").exit_code == 0
    result = run("bad.yaml", "--select", "GA9")
    assert isinstance(result.exception, CliError) and result.exception.exit_code == 2


def test_overrides_are_judged() -> None:
    result = run("good.yaml", "--trainer.max_steps=ten", "--model.chunk_size", "20", "--format", "concise")
    assert result.exit_code == 1 and "<command line>:1:21: error[GA120]" in result.stdout
    assert run("good.yaml", "--trainer.max_step", "5", "--format", "concise").stdout.startswith("<command line>:1:3:")


def test_several_recipes_folders_patterns_and_stdin(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "one.yml").write_text(GOOD)
    (here / "sub" / "compose.yaml").write_text("services: {}\n")
    assert len(json.loads(run("good.yaml", "good.yaml", "--format", "json").stdout)["diagnostics"]) == 0
    assert "in 3 recipes, 1 of them wrong" in run(".").output
    assert "in 2 recipes" in run("*.yaml").output
    result = run("-", "--format", "concise", input=BAD)
    assert result.stdout.startswith("<stdin>:") and result.exit_code == 1


def test_what_can_not_be_looked_at(here: Path) -> None:
    result = run("godo.yaml", "bad.yaml", "--format", "concise")
    assert result.exit_code == 3
    assert "did you mean good.yaml?" in result.stderr and "GA110" in result.stdout


def test_fix_keeps_comments_mode_and_bom(here: Path) -> None:
    file = here / "bad.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    result = run("bad.yaml", "--fix")
    assert result.exit_code == 1 and "1 fixed" in result.output
    data = file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# yes\r\n") and b"    train_batch_size: 4  # small\r\n" in data
    assert b"chunk_sise" in data and stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [entry.name for entry in here.iterdir() if entry.name.startswith(".")] == []
    assert run("bad.yaml", "--fix", "--unsafe-fixes").exit_code == 0
    before = file.read_bytes()
    assert run("bad.yaml", "--fix").exit_code == 0 and file.read_bytes() == before


def test_a_link_stays_a_link(here: Path) -> None:
    (here / "link.yaml").symlink_to("bad.yaml")
    run("link.yaml", "--fix")
    assert (here / "link.yaml").is_symlink() and "train_batch_size" in (here / "bad.yaml").read_text()


def test_diff_changes_nothing(here: Path) -> None:
    result = run("bad.yaml", "--diff")
    assert "-    batch_size: 4  # small\n+    train_batch_size: 4  # small\n" in result.stdout
    assert (here / "bad.yaml").read_text() == BAD and result.exit_code == 1


def test_stdin_is_fixed_to_stdout() -> None:
    result = run("-", "--fix", input=BAD)
    assert "train_batch_size: 4  # small" in result.stdout and "GA110" in result.stderr and "GA110" not in result.stdout


def test_a_dataset_is_read_once_for_all_recipes(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from getiaction_cli import datasets

    calls = []
    original = datasets.read
    monkeypatch.setattr(datasets, "read", lambda place: calls.append(place) or original(place))
    for number in range(5):
        (here / f"r{number}.yaml").write_text(GOOD)
    run(".", "--format", "concise")
    assert len(calls) == 1


def test_explain() -> None:
    runner = CliRunner()
    page = runner.invoke(app, ["explain", "ga110"]).output
    assert page.startswith("GA110 unknown-key (error)") and "## Instead" in page
    assert runner.invoke(app, ["explain", "unknown_key"]).output == page
    listing = runner.invoke(app, ["explain"]).output
    assert "GA301" in listing and "the dataset itself" in listing
    assert "GA301" not in runner.invoke(app, ["explain", "GA1"]).output
    mentioned = runner.invoke(app, ["explain", "quantiles"]).output
    assert "quantiles-off" in mentioned
    assert "unknown-key" not in mentioned
    wrong = runner.invoke(app, ["explain", "GA110x"])
    assert isinstance(wrong.exception, CliError) and "GA110" in wrong.exception.hint


@pytest.mark.parametrize(
    "content", [b"\x00\xff" * 500, b"[" * 200_000, b"a: !!python/object/apply:os.system [id]\n", b"a: " * 999]
)
def test_no_traceback_whatever_the_file(here: Path, content: bytes) -> None:
    (here / "x.yaml").write_bytes(content)
    words = [sys.executable, "-m", "getiaction_cli.main", "validate-config", "x.yaml"]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr and "getiaction itself failed" not in done.stderr and "GA10" in done.stdout


def test_unsafe_fixes_alone_write_nothing(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    text = "seed_everything: true\nmodel: {class_path: getiaction.policies.lerobot.ACT}\n"
    file.write_text(text)
    answer = run(str(file), "--unsafe-fixes")
    assert answer.exit_code == 2
    assert file.read_text() == text


def test_every_fix_that_is_made_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("seed_everything: true\nmodel: {class_path: getiaction.policies.lerobot.ACT}\n")
    answer = run(str(file), "--fix")
    assert "fixed[GA111]" in answer.output
    assert file.read_text() == "model: {class_path: getiaction.policies.lerobot.ACT}\n"


def test_a_part_that_recipes_name_as_their_base_is_not_checked_as_a_whole_recipe(here: Path) -> None:
    (here / "all").mkdir()
    head, data = GOOD.partition("data:")[0], "data:" + GOOD.partition("data:")[2]
    (here / "all" / "part.yaml").write_text(data)
    (here / "all" / "whole.yaml").write_text(f"base: part.yaml\n{head}")
    result = run("all", "--format", "concise")
    assert "part.yaml" not in result.output
    assert "has no `model`" not in result.output
    assert "has no `model`" in run("all/part.yaml", "--format", "concise").output
    (here / "all" / "part.yaml").write_text(GOOD.replace("repo_id", "repo_idd"))
    assert "part.yaml" in run("all", "--format", "concise").output


def test_a_fix_that_names_a_base_fixes_that_file_too(here: Path) -> None:
    head = GOOD.partition("data:")[0]
    (here / "laid.yaml").write_text(f"__base__: below.yaml\n{head}")
    (here / "below.yaml").write_text(GOOD.replace("max_steps", "max-steps"))
    shown = run("laid.yaml", "--fix", "--diff")
    assert "+base: below.yaml" in shown.output and "__base__" in (here / "laid.yaml").read_text()
    result = run("laid.yaml", "--fix")
    assert "internal" not in result.output and result.exit_code == 0, result.output
    assert (here / "laid.yaml").read_text().startswith("base: below.yaml\n")
    assert yaml.safe_load((here / "below.yaml").read_text())["trainer"] == {"max_steps": 100}
