"""`getiaction init`: the recipe it writes validates clean, says why what was set was set, and overwrites nothing."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from getiaction_cli import datasets, policies
from getiaction_cli.checking.drafting import drafts
from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import check
from getiaction_cli.recipe import read

DEMO = "getiaction/pusht-demo"
TRAINABLE = [name for name in policies.names() if policies.load(name).trainable]


def getiaction(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


# What no recipe mends: rewards and a square camera that aren't there (tdmpc), a camera's name (fastwam).
UNFIT = {"pusht_root": {"fastwam"}, "aloha_root": {"tdmpc"}, "toy_root": {"tdmpc"}, DEMO: {"fastwam"}}


@pytest.mark.slow
@pytest.mark.parametrize("place", UNFIT)
def test_the_recipe_of_every_policy_that_fits_validates_clean(place: str, request: pytest.FixtureRequest) -> None:
    word = place if place == DEMO else str(request.getfixturevalue(place))
    dataset, shared = datasets.read(datasets.locate(word, folders=True)), SharedInputs()
    shared.add(dataset)
    drafted = {one.policy.name: one for one in drafts(dataset, shared)}
    assert set(drafted) == set(TRAINABLE)
    assert {name for name, one in drafted.items() if not one.trainable} == UNFIT[place]
    for name in drafted.keys() - UNFIT[place]:
        report = check(RecipeContext(read("recipe.yaml", text=drafted[name].text), shared), ignore=("GA5",))
        said = [f"{found.code}: {found.message}" for found in report.diagnostics if found.severity != "info"]
        assert said == [], name


def test_what_the_dataset_forces_is_set_with_the_reason_beside_it(tmp_path: Path) -> None:
    getiaction("init", DEMO, "--policy", "xvla", "-o", "recipe.yaml", cwd=tmp_path)
    lines = (tmp_path / "recipe.yaml").read_text().splitlines()
    place = lines.index("    action_mode: auto")
    start = max(row for row in range(place) if lines[row].startswith("    # Without it: "))
    reason = " ".join(line.strip(" #") for line in lines[start:place])
    assert "'ee6d' means 20 numbers, but `action` has 2" in reason
    schema, *others = lines
    assert schema.startswith("# yaml-language-server") and max(map(len, others)) < 80


def test_a_name_is_made_up_and_nothing_is_overwritten(tmp_path: Path) -> None:
    for name in ("act_pusht_demo.yaml", "act_pusht_demo_1.yaml"):
        assert getiaction("init", DEMO, "--policy", "act", cwd=tmp_path).stdout == f"wrote {name}\n"
    mine = tmp_path / "mine.yaml"
    mine.write_text("# mine\n")
    done = getiaction("init", DEMO, "--policy", "act", "-o", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "mine.yaml already exists" in done.stderr
    assert mine.read_text() == "# mine\n"


def test_an_empty_file_that_a_killed_process_left_is_filled(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    done = getiaction("init", DEMO, "--policy", "act", "-o", "mine.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote mine.yaml\n"), done.stderr
    assert "class_path" in (tmp_path / "mine.yaml").read_text()


def test_the_file_may_be_anywhere_or_the_screen(tmp_path: Path) -> None:
    done = getiaction("init", DEMO, "--policy", "act", "-o", "new folder/it.yaml", cwd=tmp_path)
    assert done.stderr.endswith("next: getiaction validate-config 'new folder/it.yaml'\n")
    written = (tmp_path / "new folder/it.yaml").read_text()
    assert "#     getiaction train 'new folder/it.yaml'\n" in written
    printed = getiaction("init", DEMO, "--policy", "act", "-o", "-", cwd=tmp_path)
    assert printed.stdout == written.replace("'new folder/it.yaml'", "recipe.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["new folder"]
    assert getiaction("--quiet", "init", DEMO, "--policy", "act", "-o", "-", cwd=tmp_path).stderr == ""


@pytest.mark.slow
def test_without_a_policy_those_that_fit_are_named(tmp_path: Path) -> None:
    done = getiaction("init", DEMO, cwd=tmp_path)
    assert done.returncode == 2
    assert "act" in done.stderr and "diffusion" in done.stderr and "fastwam" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_the_question_is_asked(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"dif\n99\nDiffusion\n")
    command = [sys.executable, "-m", "getiaction_cli.main", "init", DEMO]
    done = subprocess.run(command, cwd=tmp_path, stdin=theirs, capture_output=True, text=True, check=False)
    assert done.stdout == "wrote diffusion_pusht_demo.yaml\n", done.stderr
    assert done.stderr.count("Which one") == 3 and "'99' is not in the list" in done.stderr


@pytest.mark.slow
def test_leaving_the_question_writes_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"\x04")  # Ctrl-D
    command = [sys.executable, "-m", "getiaction_cli.main", "init", DEMO]
    done = subprocess.run(command, cwd=tmp_path, stdin=theirs, capture_output=True, text=True, check=False)
    assert done.returncode == 130 and list(tmp_path.iterdir()) == []
    assert done.stderr.endswith("\ncancelled; nothing was written\n")


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


def test_a_folder_gets_no_made_up_id(pusht_root: Path, tmp_path: Path) -> None:
    shutil.copytree(pusht_root, tmp_path / "recorded")
    done = getiaction("init", "recorded", "--policy", "act", "-o", "-", cwd=tmp_path)
    arguments = yaml.safe_load(done.stdout)["data"]["init_args"]
    assert arguments["root"] == str(tmp_path / "recorded") and "repo_id" not in arguments
