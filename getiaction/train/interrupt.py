"""Ctrl-C and SIGTERM: the step in hand is finished, last.ckpt is written, and the run says how to go on.

Lightning would raise in the middle of a step, when weights and counters need not agree, and end with exit code 1.
A second signal stops at once. On several ranks they agree on the step after which they stop.

Until the first step the ranks that Lightning has started leave all signals to the first, which ends them too: a rank
that goes by itself lets the first one wait for it, in C code that no signal gets out of.
"""

from __future__ import annotations

import os
import signal as signals
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import lightning as L
import torch

from getiaction.train.screen import FIRST_PROCESS, follows, rank

SIGNALS = (signals.SIGINT, signals.SIGTERM)


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
    """Listens for the two signals while training runs.

    Args:
        told: called once, with the signal's name, when the first one arrives during training.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._training = False
        self._signum: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Before the first step a signal stops at once: there is nothing to save."""
        before = {signum: signals.getsignal(signum) for signum in SIGNALS}
        if rank() == 0:
            os.environ[FIRST_PROCESS] = str(os.getpid())
        self._listen()
        try:
            yield
        finally:
            self._training = False
            if threading.current_thread() is threading.main_thread():
                for signum, handler in before.items():
                    signals.signal(signum, handler)

    def training_begins(self) -> None:
        """From now on the first signal waits for the end of the step. Lightning has put its own handlers by now."""
        self._training = True
        self._listen()

    def signal(self, trainer: L.Trainer) -> int | None:
        """The signal to stop for, when any rank has got one; None to go on. Every rank must ask after the same step.

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
                signals.signal(signum, self._handle)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self._training and follows():
            return
        if not self._training or self._signum is not None:
            raise Interrupted(signum)
        self._signum = signum
        self._told("Ctrl-C" if signum == signals.SIGINT else signals.Signals(signum).name)


def end_others(trainer: L.Trainer) -> None:
    """End the ranks that Lightning has started: without this one they would wait for it, on their GPUs."""
    launcher = trainer.strategy.launcher
    if launcher is None or not getattr(launcher, "procs", None):
        return
    launcher.kill(signals.SIGKILL)
    launcher.procs.clear()  # else Lightning's observer would end this process as well, in the middle of what it says
