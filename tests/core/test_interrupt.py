"""Signals on several ranks: all of them stop after the same step, whenever and wherever a signal arrives."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("lightning")

from getiaction.train.interrupt import Interrupt, Interrupted


def rank_of_two(theirs: int, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """A trainer on one of two ranks; the other one has got the signal `theirs`, and takes its time to say so."""

    def reduce(mine: Any, reduce_op: Any) -> int:
        meanwhile()
        return max(int(mine), theirs)

    return SimpleNamespace(world_size=2, strategy=SimpleNamespace(root_device="cpu", reduce=reduce))


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    made = Interrupt(told=lambda name: None)
    with made.listening():
        made.training_begins()
        yield made


def test_a_signal_that_arrives_while_the_ranks_talk_counts_after_the_next_step(interrupt: Interrupt) -> None:
    during = rank_of_two(0, meanwhile=lambda: signal.raise_signal(signal.SIGTERM))
    assert interrupt.signal(during) is None
    assert interrupt.signal(rank_of_two(0)) == signal.SIGTERM


def test_ctrl_c_that_reaches_a_rank_after_the_others_is_its_first(interrupt: Interrupt) -> None:
    assert interrupt.signal(rank_of_two(signal.SIGINT)) == signal.SIGINT
    signal.raise_signal(signal.SIGINT)  # the same one, late, while last.ckpt is being written
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGINT)


def test_a_scheduler_that_sends_sigusr1_twice_still_gets_the_step_finished(interrupt: Interrupt) -> None:
    alone = SimpleNamespace(world_size=1)
    signal.raise_signal(signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)  # srun and the batch script both pass it on
    assert interrupt.signal(alone) == signal.SIGUSR1  # type: ignore[arg-type]


def test_only_what_a_training_starts_is_a_rank_of_it() -> None:
    code = "import sys; from getiaction.train.screen import follows; sys.exit(0 if follows() else 1)"

    def is_a_rank() -> bool:
        return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    with Interrupt(told=lambda name: None).listening():
        assert is_a_rank()
    assert not is_a_rank(), "a command that is run later checks its recipe itself"


WRITES_IN_THE_MIDDLE_OF_A_WRITE = """
import signal
from getiaction.train.screen import Screen

screen, handled = Screen(), 0

def handle(signum, frame):
    global handled
    if handled < 2000:  # more may arrive before the timer is stopped
        handled += 1
        screen.say("stopping")

signal.signal(signal.SIGALRM, handle)
with screen.taken():
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    while handled < 2000:
        screen.say("a step")
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_signal_in_the_middle_of_a_line_is_shown_and_ends_nothing() -> None:
    words = [sys.executable, "-c", WRITES_IN_THE_MIDDLE_OF_A_WRITE]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    assert done.returncode == 0, lines[-1]
    assert set(lines) == {"a step", "stopping"} and lines.count("stopping") == 2000
