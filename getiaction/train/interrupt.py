"""Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 finish the current step, write last.ckpt and show the command to resume.

Lightning would raise in the middle of a step, when weights and counters need not agree, and end with exit code 1.
A second Ctrl-C or a later SIGTERM stops at once. On several ranks they agree on the step after which they stop.

SIGHUP arrives when the terminal is closed, or the connection to it is lost; shells send it twice. Like a SIGTERM that
several senders deliver at the same time (a scheduler and a launcher), it never stops a save. With `nohup`, SIGHUP
is ignored.

SIGUSR1 is what a scheduler sends before a time limit or a preemption (`sbatch --signal=USR1@120`); in a SLURM job,
`getiaction.spec.slurm` has the rest. Lightning's own handlers, which save in the middle of a step, are never installed.

Until the first step the ranks that Lightning has started leave all signals to the first, which ends them too: a rank
that goes by itself lets the first one wait for it, in C code that no signal gets out of.
"""

from __future__ import annotations

import os
import signal as signals
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import lightning as L
import torch

from getiaction.spec import slurm
from getiaction.spec.launch import rank
from getiaction.train.screen import FIRST_PROCESS, follows

HANGUP = getattr(signals, "SIGHUP", None)  # not on Windows
USER = getattr(signals, "SIGUSR1", None)  # likewise
SIGNALS = tuple(signum for signum in (signals.SIGINT, signals.SIGTERM, HANGUP, USER) if signum is not None)
SAME_REQUEST_S = 2.0  # repeated within this time, a SIGTERM is the same request


class Interrupted(BaseException):
    """The user or the machine asked the run to stop. Not an ``Exception``, so that no library swallows it.

    Args:
        signum: the signal; a shell reports it as exit code ``128 + signum``.
        saved: the step was finished and last.ckpt holds it.

    Attributes:
        folder: the run's folder, when steps were done in it.
    """

    def __init__(self, signum: int, *, saved: bool = False) -> None:
        super().__init__(signals.Signals(signum).name)
        self.signum = signum
        self.saved = saved
        self.folder: Path | None = None


class Interrupt:
    """Listens for the signals while training runs.

    Args:
        told: called once, with the signal's name, when the first one arrives during training.
        say: shows one line to the user.
        hung_up: called when the terminal is gone, before anything else is written to it.
    """

    def __init__(
        self,
        told: Callable[[str], None],
        hung_up: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._told = told
        self._say = say
        self._hung_up = hung_up
        self._since = 0.0
        self._training = False
        self._signum: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Before the first step a signal stops at once: there is nothing to save."""
        before = {signum: signals.getsignal(signum) for signum in SIGNALS}
        first_before = os.environ.get(FIRST_PROCESS)
        if rank() == 0:
            os.environ[FIRST_PROCESS] = str(os.getpid())
        self._listen()
        try:
            yield
        finally:
            self._training = False
            # What this process starts later is not a rank of this training: it must check its recipe itself.
            if rank() == 0:
                os.environ.pop(FIRST_PROCESS)
            if first_before is not None:
                os.environ[FIRST_PROCESS] = first_before
            if threading.current_thread() is threading.main_thread():
                for signum, handler in before.items():
                    signals.signal(signum, handler)

    def training_begins(self) -> None:
        """From now on the first signal waits for the end of the step."""
        self._training = True
        self._listen()

    @staticmethod
    def alone(trainer: L.Trainer) -> None:
        """Keep Lightning from installing its handlers: they save, or talk to other ranks, wherever a signal arrives."""
        trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]

    @property
    def asked(self) -> bool:
        """Whether this rank has got a signal."""
        return self._signum is not None

    def signal(self, trainer: L.Trainer) -> int | None:
        """The signal to stop for, when any rank has got one; None to continue. Every rank must ask after the same step.

        What they agree on is kept apart from what this rank has got: a signal that arrives while they talk counts after
        the next step, and one that the others knew of already is still this rank's first.
        """
        if trainer.world_size == 1:
            return self._signum
        mine = torch.tensor(self._signum or 0, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(mine, reduce_op=torch.distributed.ReduceOp.MAX)) or None

    def _listen(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                if signum != HANGUP or signals.getsignal(signum) is not signals.SIG_IGN:
                    signals.signal(signum, self._handle)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        slurm.record_signal(signum)
        if signum == HANGUP:
            self._hung_up()
        if not self._training and (follows() or slurm.handle_signal(signum, self._say)):
            return
        if not self._training:
            raise Interrupted(signum)
        if self._signum is not None:
            soon = time.monotonic() - self._since < SAME_REQUEST_S
            if signum == HANGUP or (signum in (signals.SIGTERM, USER) and soon):
                return
            raise Interrupted(signum)
        self._signum, self._since = signum, time.monotonic()
        self._told("Ctrl-C" if signum == signals.SIGINT else signals.Signals(signum).name)


def end_others(trainer: L.Trainer) -> None:
    """End the ranks that Lightning has started: without this one they would wait for it, on their GPUs."""
    launcher = trainer.strategy.launcher
    if launcher is None or not getattr(launcher, "procs", None):
        return
    launcher.kill(signals.SIGKILL)
    launcher.procs.clear()  # else Lightning's observer would end this process as well, in the middle of its message
