"""Which folder a process of a SLURM job, or of torchrun, trains in, and when its job is requeued."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from getiaction.errors import TrainingError
from getiaction.spec import launch, slurm
from getiaction.train import folder
from getiaction.train.job import Job

BATCH = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "job.sh", "SLURM_NODEID": "0"}
TORCHRUN = {"TORCHELASTIC_RUN_ID": "mine", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def claim(env: dict[str, str], *, seed: int = 1, output_dir: Path | None = None) -> folder.RunFolder:
    """Claim the folder that a process with these variables trains in, and end that process."""
    job = Job.this(launch.read(env), {"seed": seed})
    run = folder.claim("r", output_dir, job=job)
    run.release()
    return run


def requeued(env: dict[str, str], times: int = 1) -> dict[str, str]:
    return {**env, "SLURM_RESTART_COUNT": str(times)}


def test_a_job_names_its_folder() -> None:
    task = BATCH | {"SLURM_ARRAY_JOB_ID": "5", "SLURM_ARRAY_TASK_ID": "3"}
    assert claim(BATCH).path == Path("outputs/r/job-7")
    assert claim(task).path == Path("outputs/r/job-5_3")


def test_a_requeued_job_resumes_in_its_folder() -> None:
    assert not claim(BATCH).resumed
    for times in (1, 2):
        run = claim(requeued(BATCH, times))
        assert (run.path, run.resumed) == (Path("outputs/r/job-7"), True)


def test_each_command_of_a_batch_script_has_its_folder_also_after_a_requeue() -> None:
    first = [claim(BATCH).path, claim(BATCH).path, claim(BATCH, seed=2).path]
    assert first == [Path("outputs/r/job-7"), Path("outputs/r/job-7.2"), Path("outputs/r/job-7.3")]
    again = requeued(BATCH)
    assert [claim(again).path, claim(again).path, claim(again, seed=2).path] == first
    assert claim(again, seed=3).path == Path("outputs/r/job-7.4"), "the requeue came before this command"


def test_another_job_never_resumes_in_a_folder() -> None:
    mine = Path("mine")
    claim(BATCH, output_dir=mine)
    (mine / "checkpoints").mkdir()
    (mine / "checkpoints/last.ckpt").touch()
    for env, seed in ((requeued(BATCH | {"SLURM_JOB_ID": "8"}), 1), (requeued(BATCH), 2), (BATCH, 1)):
        with pytest.raises(TrainingError, match="not empty"):
            claim(env, seed=seed, output_dir=mine)
    assert claim(requeued(BATCH), output_dir=mine).resumed


def test_restarted_workers_of_torchrun_resume_the_newest_run_of_that_torchrun() -> None:
    earlier, now = claim(TORCHRUN), claim(TORCHRUN)
    claim(TORCHRUN | {"TORCHELASTIC_RUN_ID": "other"})
    again = claim(TORCHRUN | {"TORCHELASTIC_RESTART_COUNT": "1"})
    assert (again.path, again.resumed) == (now.path, True)
    assert again.path != earlier.path


def test_a_damaged_record_is_no_earlier_start() -> None:
    claim(BATCH)
    for text in ("", "[]", json.dumps({"name": "job-7", "restarts": "x", "recipe": 1})):
        Path("outputs/r/job-7/.run.job.json").write_text(text)
        run = claim(requeued(BATCH))
        assert not run.resumed
        assert run.path != Path("outputs/r/job-7")


@pytest.mark.parametrize(
    ("facts", "env", "reason"),
    [
        ("JobState=RUNNING BatchFlag=1 Requeue=1", {}, ""),
        ("JobState=CANCELLED BatchFlag=1 Requeue=1", {}, "^$"),
        ("JobState=RUNNING BatchFlag=0 Requeue=1", {}, "not a batch job"),
        ("JobState=RUNNING BatchFlag=1 Requeue=0", {}, "without --requeue"),
        ("JobState=RUNNING BatchFlag=1 Requeue=1", {"SLURM_RESTART_COUNT": "20"}, "was requeued 20 times"),
        ("JobState=RUNNING BatchFlag=1 Requeue=1", {"GETIACTION_MAX_REQUEUES": "0"}, "was requeued 0 times"),
    ],
)
def test_a_job_is_requeued_unless_slurm_ends_it_or_it_was_too_often(
    facts: str, env: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho "JobId=7 {facts}"\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    said: list[str] = []
    with pytest.raises(slurm.RequeueError, match=reason) if reason else contextlib.nullcontext():
        slurm.requeue(said.append, BATCH | env)
    assert said == ([] if reason else ["job 7 is requeued (1 of at most 20 times)"])
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["show job -o 7", *([] if reason else ["requeue 7"])]


def test_one_task_of_an_array_is_requeued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho JobState=RUNNING BatchFlag=1 Requeue=1\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    # The last task has the number of the array: `scontrol requeue 7` would requeue every task.
    said: list[str] = []
    slurm.requeue(said.append, BATCH | {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"})
    assert "job 7_3 is requeued" in said[0]
    assert (tmp_path / "asked").read_text().splitlines() == ["show job -o 7_3", "requeue 7_3"]


@pytest.mark.parametrize(
    ("signals", "facts", "requeued"),
    [
        (("SIGTERM",), "", True),  # scancel --signal=TERM
        (("SIGUSR1", "SIGCONT"), "", True),
        (("SIGCONT", "SIGTERM"), "PreemptTime=2026-01-01T00:00:00", True),
        (("SIGCONT", "SIGTERM"), "PreemptTime=None", False),  # srun ends the step: another process has failed
        (("SIGTERM", "SIGCONT"), "", False),
    ],
)
@pytest.mark.parametrize("rank", [0, 1])
def test_the_failure_of_a_process_is_told_from_a_preemption(
    signals: tuple[str, ...], facts: str, requeued: bool, rank: int, tmp_path: Path
) -> None:
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho "JobState=RUNNING BatchFlag=1 Requeue=1 {facts}"\n'
    )
    scontrol.chmod(0o755)
    # Both signals are there before Python calls the first handler, as when a process is busy in C code.
    code = f"""
import os, signal, sys, time
from getiaction.spec import slurm
slurm.install_handlers()
signals = [getattr(signal, name) for name in {signals}]
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
for signum in signals:
    os.kill(os.getpid(), signum)
signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
print("continues")
"""
    srun = {"SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_TASKS_PER_NODE": "1(x2)"}
    env = os.environ | BATCH | srun | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    asked = (tmp_path / "asked").read_text() if (tmp_path / "asked").exists() else ""
    assert ("requeue 7" in asked) == (requeued and rank == 0), done.stderr
    assert (done.stdout == "continues\n") == (requeued and rank > 0)
    assert ("is not requeued: another process has failed" in done.stderr) == (not requeued and rank == 0)
