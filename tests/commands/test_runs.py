"""`getiaction runs`: what run folders say, and what differs between two of them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from getiaction_cli import runs
from getiaction_cli.rendering import runs as rendering

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: {chunk}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-demo
trainer:
  max_steps: 100
"""


def make_run(folder: Path, *, chunk: int = 10, steps: int = 100, saved: bool = True, lerobot: str = "0.6.1") -> Path:
    """A run folder as `train` leaves it."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(RECIPE.format(chunk=chunk))
    facts = {
        "started": f"2026-01-0{chunk // 10}T10:00:00+00:00",
        "versions": {"lerobot": lerobot},
        "dataset": {"repo_id": "getiaction/pusht-demo", "fingerprint": "ab"},
    }
    (folder / "run.json").write_text(json.dumps(facts))
    rows = ["epoch,step,train/loss,train/loss_smooth,val/loss,eval/success_rate"]
    rows += [f"0,{step},{2 / (step + 1)},{3 / (step + 1)},," for step in range(0, steps, 10)]
    rows += [f"0,{steps - 1},,0.03,0.5,", f"0,{steps - 1},,,0.7,0.25"]
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n0,cut off")
    if saved:
        (folder / "checkpoints" / "last.ckpt").write_bytes(b"x")
        (folder / "pretrained_model").mkdir()
        (folder / "pretrained_model" / "config.json").write_text("{}")
    return folder


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", "runs", *words]
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, env=environment)


def test_runs_are_listed_newest_first_with_what_they_reached(tmp_path: Path) -> None:
    make_run(tmp_path / "outputs" / "a" / "one", chunk=10)
    make_run(tmp_path / "outputs" / "b" / "two", chunk=20, steps=40)
    done = run(folder=tmp_path)
    assert done.returncode == 0, done.stderr
    head, newest, oldest = done.stdout.splitlines()
    assert head.split() == ["started", "steps", "best", "loss", "validation", "success", "ended", "run"]
    assert newest.split() == ["2026-01-02", "10:00", "40/100", "0.03", "0.5", "25", "%", "stopped", "outputs/b/two"]
    assert oldest.split() == ["2026-01-01", "10:00", "100", "0.03", "0.5", "25", "%", "finished", "outputs/a/one"]


@pytest.mark.parametrize(
    ("change", "ended"),
    [
        ({}, "finished"),
        ({"steps": 40}, "stopped"),
        ({"steps": 40, "saved": False}, "nothing saved"),
    ],
)
def test_how_a_run_ended(change: dict[str, Any], ended: str, tmp_path: Path) -> None:
    assert runs.read(make_run(tmp_path / "run", **change)).ended == ended


@pytest.mark.parametrize(("pid", "ended"), [(os.getpid(), "running"), (2**22 + 1, "stopped")], ids=["alive", "gone"])
def test_a_run_is_running_while_its_process_lives(pid: int, ended: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", steps=40)
    note = {"pid": pid, "host": platform.node(), "since": ""}
    (folder / ".run.holder.json").write_text(json.dumps(note))
    assert runs.read(folder).ended == ended


def test_a_comparison_shows_what_differs_and_nothing_else(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", chunk=20, lerobot="0.6.2")
    found = [runs.read(one), runs.read(two)]
    assert runs.differences(found) == [
        ("model.init_args.chunk_size", [10, 20]),
        ("lerobot version", ["0.6.1", "0.6.2"]),
    ]
    shown = rendering.comparison(found, runs.differences(found), color=False, columns=80)
    assert "model.init_args.chunk_size\n    A  10\n    B  20\n" in shown
    assert "loss  0.03 to 3, steps 0 to 100" in shown and "█" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if not line.startswith(("A ", "B ")))


def test_the_json_has_the_same(tmp_path: Path) -> None:
    make_run(tmp_path / "one")
    make_run(tmp_path / "two", chunk=20)
    document = json.loads(run("one", "two", "--format", "json", folder=tmp_path).stdout)
    assert [entry["path"] for entry in document["runs"]] == ["one", "two"]
    assert document["runs"][0]["best_loss"] == 0.03 and document["runs"][0]["success_rate"] == 0.25
    assert document["differences"] == [{"what": "model.init_args.chunk_size", "values": [10, 20]}]


@pytest.mark.parametrize("name", ["recipe.yaml", "run.json", "metrics.csv"])
def test_what_is_damaged_is_left_out(name: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / name).write_bytes(b"\xff\x00{[,\n" * 3)
    assert runs.read(folder).path == folder
    assert rendering.table([runs.read(folder)], color=False, columns=80)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 3, "no folder outputs"),
        (["."], 3, "no runs in ."),
        (["one", "other"], 2, "other is not a run"),
    ],
)
def test_wrong_words(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    if len(words) > 1:
        make_run(tmp_path / "one")
        (tmp_path / "other").mkdir()
    done = run(*words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (code, "") and said in done.stderr
