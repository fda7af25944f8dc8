"""`getiaction train` as several processes that torchrun or Lightning starts, on the CPU (gloo)."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_train import assert_only_talk, call, only_run, recipe, root  # noqa: F401

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    words = (*TORCHRUN, "-m", "getiaction_cli", "train", *words)
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=600)


def assert_one_run(run: Path, done: subprocess.CompletedProcess[str]) -> None:
    """Two processes trained one policy: one summary, one folder, nothing else in the working folder."""
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained ") == 1
    assert "2 x cpu" in done.stdout
    assert (run / "checkpoints/last.ckpt").is_file()
    assert (run / "log.rank1.txt").is_file()
    assert json.loads((run / "run.json").read_text())["seed"] == 1
    assert {path.name for path in Path().iterdir()} <= {"tiny.yaml", "outputs", run.parts[0]}


@pytest.mark.slow
def test_two_processes_train_into_the_folder_that_is_named(recipe: Path) -> None:  # noqa: F811
    words = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.max_steps=2", "--output-dir=mine/x"]
    done = call("train", recipe, *words)
    assert_one_run(Path("mine/x"), done)
    assert_only_talk(done.stderr)


@pytest.mark.slow
def test_torchrun_decides_how_many_processes_train(recipe: Path) -> None:  # noqa: F811
    done = torchrun(recipe, "--trainer.max_steps=2")
    assert_one_run(only_run(), done)
    assert "steps of 8 (4 × 2 processes)" in done.stdout
    with (only_run() / "metrics.csv").open() as file:
        first = next(csv.DictReader(file))
    # The average over the first step is the loss of the first step, which is the mean over both processes.
    assert float(first["train/loss"]) == pytest.approx(float(first["train/loss_smooth"]))


@pytest.mark.slow
def test_a_contradiction_to_torchrun_is_shown_once(recipe: Path) -> None:  # noqa: F811
    done = torchrun(recipe, "--trainer.devices=3")
    assert done.returncode == 1
    assert done.stderr.count("devices 3, and torchrun started 2 processes") == 1
    assert not Path("outputs").exists()


@pytest.mark.slow
def test_workers_that_torchrun_restarts_resume_in_their_folder(recipe: Path) -> None:  # noqa: F811
    words = [*TORCHRUN, "--max-restarts=1", "-m", "getiaction_cli", "train", recipe]
    options = ["--trainer.max_steps=250", "--trainer.log_every_n_steps=1"]
    process = subprocess.Popen(
        [*map(str, words), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(1500):
            if list(Path().glob("outputs/*/*/checkpoints/last.ckpt")):
                break
            assert process.poll() is None
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
        said, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert f"was started again: resuming {only_run()}" in said
    with (only_run() / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file) if row["train/loss"]] == list(range(250))
