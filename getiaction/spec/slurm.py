"""Requeue the SLURM job of this process, and handle SLURM's signals before and after training.

SLURM sends SIGUSR1 before a time limit (`sbatch --signal=USR1@120`) and SIGTERM when it preempts or ends a job. During
training `getiaction.train.interrupt` finishes the step and saves. Before the first step there is nothing to save, so
the first process requeues the job at once, and the others leave that to it. After the last step nothing is lost either,
and the process ends by itself.

When a process fails, `srun --kill-on-bad-exit` ends the others with SIGCONT and SIGTERM, and the job must not be
requeued. SLURM sends the same two signals to a job that it preempts, which then has a PreemptTime. `scancel --signal`
sends SIGTERM only.

Sources: scontrol(1) "requeue", sbatch(1) "--requeue", "--signal", scancel(1), slurm.conf(5) "GraceTime".
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from types import FrameType

from getiaction.spec import launch

MAX_REQUEUES = 20
MAX_REQUEUES_VARIABLE = "GETIACTION_MAX_REQUEUES"
SIGNALS = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGTERM") if hasattr(signal, name))
_TIMEOUT_S = 60
_TOGETHER_S = 2.0  # signals that SLURM sends together arrive within this time
_FOR_THE_FIRST_S = 5.0  # for the first process, which may notice a failure by itself, and has more to say about it
_arrived: dict[str, float] = {}  # when a signal arrived last
_terminal = 2  # stderr as `install_handlers` finds it: training redirects stderr to its log later
_catching_up = False


class RequeueError(Exception):
    """The job is not requeued.

    Args:
        reason: for the user; empty if SLURM itself ends or requeues the job.
    """


def requeue(say: Callable[[str], None], env: Mapping[str, str] = os.environ) -> None:
    """Ask SLURM to requeue the job of this process. SLURM then ends all its processes.

    Args:
        say: shows one line to the user, before SLURM is asked: what is written later may not reach the log.
        env: the environment variables of this process.

    Raises:
        RequeueError: the job can't be requeued, was requeued too often, or ends for another reason.
    """
    job, done = _job(env), launch.read(env).restarts[0]
    facts = _facts(job)
    if facts.get("JobState") != "RUNNING":  # cancelled, at its time limit, or requeued already
        raise RequeueError("")
    if _step_ends(facts):
        raise RequeueError(
            f"job {job} is not requeued: another process has failed (srun names its task, which is its rank, and its "
            "host), or this step was cancelled"
        )
    if facts.get("BatchFlag") != "1":
        raise RequeueError(f"job {job} is not a batch job, so SLURM can't requeue it: submit it with sbatch")
    if facts.get("Requeue") != "1":
        raise RequeueError(f"job {job} was submitted without --requeue")
    most = max_requeues(env)
    if done >= most:
        raise RequeueError(f"job {job} was requeued {done} times already; {MAX_REQUEUES_VARIABLE} allows more")
    say(f"job {job} is requeued ({done + 1} of at most {most} times)")
    _scontrol("requeue", job)


def max_requeues(env: Mapping[str, str] = os.environ) -> int:
    """The maximum number of times that a job is requeued."""
    most = env.get(MAX_REQUEUES_VARIABLE, "")
    return int(most) if most.isdecimal() else MAX_REQUEUES


def install_handlers() -> None:
    """Handle SLURM's signals until training begins."""
    global _terminal
    if launch.read().in_slurm:
        _terminal = os.dup(2)
        for signum in SIGNALS:
            signal.signal(signum, _handle)
        signal.signal(signal.SIGCONT, lambda signum, frame: record_signal(signum))


def record_signal(signum: int) -> None:
    """Record when a signal has arrived: two that arrive together differ from each of them."""
    _arrived[signal.Signals(signum).name] = time.monotonic()


def ignore_signals() -> None:
    """Ignore SLURM's signals: training has ended, and everything is saved."""
    if launch.read().in_slurm:
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_IGN)


def end_step(env: Mapping[str, str] = os.environ) -> None:
    """End the other processes of this `srun`, which would wait for one that fails; `--kill-on-bad-exit` does the same.

    Args:
        env: the environment variables of this process.
    """
    here = launch.read(env)
    if here.launcher == "srun" and here.world_size > 1:
        ignore_signals()
        if here.rank > 0:
            time.sleep(_FOR_THE_FIRST_S)
        step = f"{_job(env)}.{env.get('SLURM_STEP_ID')}"
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["scancel", step], capture_output=True, timeout=_TIMEOUT_S, check=False)


def handle_signal(signum: int, say: Callable[[str], None]) -> bool:
    """Handle a signal that arrives outside of training: the first process requeues the job and exits.

    Args:
        signum: the signal.
        say: shows one line to the user.

    Returns:
        True on other processes, which keep running until SLURM ends them; False if the signal ends the process.
    """
    here = launch.read()
    if not here.in_slurm or signum not in SIGNALS:
        return False
    if _catching_up:
        return True
    if signum == signal.SIGTERM:
        _catch_up(signum)
    try:
        if here.rank > 0:
            return signum != signal.SIGTERM or _continues(_facts(_job(os.environ)))
        requeue(lambda line: say(f"{signal.Signals(signum).name} before the first step: {line}"))
    except RequeueError as error:
        if str(error):
            say(str(error))
        return False
    os._exit(128 + signum)  # as after a kill: unfinished work is repeated


def _catch_up(signum: int) -> None:
    """Let Python call the handlers of all signals that have arrived: within a handler it calls none until the next."""
    global _catching_up
    _catching_up = True
    try:
        signal.raise_signal(signum)
    finally:
        _catching_up = False


def _continues(facts: Mapping[str, str]) -> bool:
    return facts.get("JobState") == "RUNNING" and not _step_ends(facts)


def _step_ends(facts: Mapping[str, str]) -> bool:
    """Whether SLURM ends the processes of a job that continues."""
    if facts.get("PreemptTime", "None") != "None":
        return False
    continued, ended = _arrived.get("SIGCONT"), _arrived.get("SIGTERM")
    return continued is not None and ended is not None and abs(continued - ended) < _TOGETHER_S


def _job(env: Mapping[str, str]) -> str:
    """What SLURM calls this job; the SLURM_JOB_ID of one task of an array is also the name of the whole array."""
    return launch.read(env).job.removeprefix(launch.SLURM_JOB_PREFIX)


def _facts(job: str) -> dict[str, str]:
    """The properties of a job, from `scontrol show job`."""
    return dict(re.findall(r"(\w+)=(\S*)", _scontrol("show", "job", "-o", job)))


def _handle(signum: int, frame: FrameType | None) -> None:
    record_signal(signum)
    if not handle_signal(signum, _write):
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)


def _write(line: str) -> None:
    """Write a line to stderr with a system call: `print` fails in a handler that interrupts another write."""
    os.write(_terminal, f"{line}\n".encode())


def _scontrol(*words: str) -> str:
    try:
        done = subprocess.run(["scontrol", *words], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequeueError(f"the job is not requeued: scontrol failed: {error}") from error
    if done.returncode:
        raise RequeueError(f"the job is not requeued: scontrol {words[0]}: {done.stderr.strip()}")
    return done.stdout
