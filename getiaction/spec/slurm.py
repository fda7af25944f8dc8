"""Requeue the SLURM job of this process, and handle its signals while no optimizer step can be under way.

SLURM sends SIGUSR1 before a time limit (`sbatch --signal=USR1@120`) and SIGTERM when it preempts or ends a job. During
training `getiaction.train.interrupt` finishes the step and saves. Before the first step there is nothing to save, so
the first process requeues the job at once, and the others leave that to it. After the last step nothing is lost either,
and the process ends by itself.

Sources: scontrol(1) "requeue", sbatch(1) "--requeue", "--signal".
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from types import FrameType

from getiaction.spec import launch

MAX_REQUEUES = 20
CAP = "GETIACTION_MAX_REQUEUES"
SIGNALS = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGTERM") if hasattr(signal, name))
_TIMEOUT_S = 60


class RequeueError(Exception):
    """Why the job is not requeued.

    Args:
        reason: for the user; empty where SLURM itself ends or requeues the job.
    """


def requeue(env: Mapping[str, str] = os.environ) -> str:
    """Ask SLURM to requeue the job of this process. SLURM then ends all its processes.

    Returns:
        One line for the user.

    Raises:
        RequeueError: the job can't be requeued, was requeued too often, or ends for another reason.
    """
    job, done = env.get("SLURM_JOB_ID", ""), launch.read(env).restarts[0]
    facts = _facts(job)
    if facts.get("JobState") != "RUNNING":  # cancelled, at its time limit, or requeued already
        raise RequeueError("")
    if facts.get("BatchFlag") != "1":
        raise RequeueError(f"job {job} is not a batch job, so SLURM can't requeue it: submit it with sbatch")
    if facts.get("Requeue") != "1":
        raise RequeueError(f"job {job} was submitted without --requeue")
    most = cap(env)
    if done >= most:
        raise RequeueError(f"job {job} was requeued {done} times already; {CAP} allows more")
    _scontrol("requeue", job)
    return f"job {job} is requeued ({done + 1} of at most {most} times)"


def cap(env: Mapping[str, str] = os.environ) -> int:
    """How often a job is requeued at most."""
    most = env.get(CAP, "")
    return int(most) if most.isdecimal() else MAX_REQUEUES


def listen() -> None:
    """Handle SLURM's signals from now on, until training begins."""
    if launch.read().in_slurm:
        for signum in SIGNALS:
            signal.signal(signum, _handle)


def ignore() -> None:
    """Ignore SLURM's signals from now on: training is over, and everything is saved."""
    if launch.read().in_slurm:
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_IGN)


def handles(signum: int, say: Callable[[str], None]) -> bool:
    """Requeue the job for a signal that arrives outside of training, and exit; the first process does so.

    Args:
        signum: the signal.
        say: shows one line to the user.

    Returns:
        True on another process, which keeps running until SLURM ends it; False where the signal means the end.
    """
    here = launch.read()
    if not here.in_slurm or signum not in SIGNALS:
        return False
    try:
        if here.rank > 0:
            return signum != signal.SIGTERM or _is_running()
        say(f"{signal.Signals(signum).name} before the first step: {requeue()}")
    except RequeueError as error:
        if str(error):
            say(str(error))
        return False
    os._exit(128 + signum)  # as after a kill: unfinished work is repeated


def _is_running() -> bool:
    return _facts(os.environ.get("SLURM_JOB_ID", "")).get("JobState") == "RUNNING"


def _facts(job: str) -> dict[str, str]:
    """What SLURM knows about a job."""
    return dict(re.findall(r"(\w+)=(\S*)", _scontrol("show", "job", "-o", job)))


def _handle(signum: int, frame: FrameType | None) -> None:
    if not handles(signum, _write):
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)


def _write(line: str) -> None:
    """Write a line to the standard error; Python's own buffer refuses that in the middle of another write."""
    os.write(2, f"{line}\n".encode())


def _scontrol(*words: str) -> str:
    try:
        done = subprocess.run(["scontrol", *words], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequeueError(f"the job is not requeued: scontrol failed: {error}") from error
    if done.returncode:
        raise RequeueError(f"the job is not requeued: scontrol {words[0]}: {done.stderr.strip()}")
    return done.stdout
