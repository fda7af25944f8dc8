"""Where talk goes, and where the libraries' talk goes instead.

A user sees what getiaction says and nothing else: while a `Screen` is taken, the process' own stdout and stderr (the
file descriptors, so that C libraries and worker processes are included) lead to a log, and getiaction talks through a
copy of the real stderr. With ``debug`` nothing is redirected.

Standard library only when imported: it is on the screen while torch is still loading.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from getiaction.spec.launch import rank

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

FIRST_SCREEN = "GETIACTION_SCREEN"
FIRST_PROCESS = "GETIACTION_FIRST"


def follows() -> bool:
    """Whether the process that the user started has started this one as a further rank."""
    return os.environ.get(FIRST_PROCESS) == str(os.getppid())


class Screen:
    """The place for talk: stderr. Silent on every rank but the first.

    Args:
        quiet: no talk at all; errors still appear.
        debug: leave the libraries' output on the screen.

    Attributes:
        live: whether things may move on it: a terminal, colours wanted, and not piped.
    """

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self.quiet = quiet or rank() > 0
        self.debug = debug
        self.stream: TextIO = sys.stderr
        self.live = not (
            self.quiet
            or debug
            or os.environ.get("NO_COLOR")
            or os.environ.get("TERM") == "dumb"
            or not (sys.stderr.isatty() and sys.stdout.isatty())
        )
        self._log: IO[bytes] | None = None
        self._real: tuple[int, ...] = ()
        self._console: Console | None = None
        self._moving: Live | None = None
        self._first = os.environ.get(FIRST_SCREEN)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Keep everything but our own talk away from the screen."""
        if self.debug:
            yield
            return
        sys.stdout.flush()
        sys.stderr.flush()
        self._real = real = os.dup(1), os.dup(2)
        self.stream = _first_screen(real[1])
        with tempfile.TemporaryFile(prefix="getiaction-") as log:
            self._log = log
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            try:
                yield
            finally:
                self.still()
                sys.stdout.flush()
                sys.stderr.flush()
                for ours, number in zip(real, (1, 2), strict=True):
                    os.dup2(ours, number)
                    os.close(ours)
                self._real = ()
                self.stream.close()
                self.stream, self._log, self._console = sys.stderr, None, None
                os.environ.pop(FIRST_SCREEN, None)

    def hung_up(self) -> None:
        """The terminal is gone: what would be written to it goes nowhere, so that no write fails during the save."""
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            numbers = [1, 2, *self._real]
            with contextlib.suppress(OSError, ValueError):
                numbers.append(self.stream.fileno())
            for number in numbers:
                if not _is_alive(number):
                    os.dup2(nothing.fileno(), number)

    def log_to(self, path: Path) -> None:
        """From now on the libraries' talk is kept in that file, after what they have said so far."""
        if self._log is None:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        self._log.seek(0)
        with path.open("ab") as file:
            file.write(self._log.read())
            file.flush()
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)

    @property
    def console(self) -> Console:
        """A rich console on the screen."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=self.stream, quiet=self.quiet, highlight=False, soft_wrap=True)
        return self._console

    def say(self, text: str) -> None:
        """One line of talk."""
        if self.quiet:
            return
        text = shown(text)
        self.still()
        if self.live:
            with contextlib.suppress(OSError):  # the terminal is gone
                text = wrapped(text, os.get_terminal_size(self.stream.fileno()).columns or 80)
        if self._console is not None:
            self._console.print(text, markup=False)  # above a bar that is moving
        else:
            self.stream.write(f"{text}\n")
            self.stream.flush()

    def alarm(self, text: str) -> None:
        """Show an error on the screen of the process that started this one, whose own stderr is that one's log."""
        if self._first:
            with contextlib.suppress(OSError), open(self._first, "a", encoding="utf-8") as stream:  # noqa: PTH123
                print(shown(text), file=stream, flush=True)

    def doing(self, text: str) -> None:
        """What takes a while now: it moves on a terminal, and is a line elsewhere."""
        if self.quiet:
            return
        if not self.live:
            self.say(f"{text}…")
        else:
            self._spin(shown(f"{text}…"))

    def still(self) -> None:
        """Stop the spinner."""
        if self._moving is not None:
            self._moving.stop()
            self._moving = None

    def _spin(self, text: str) -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("dots", text)
        if self._moving is not None:
            self._moving.update(spinner)
            return
        # Without redirection: what libraries print meanwhile belongs in the log, not above the spinner.
        self._moving = Live(
            spinner,
            console=self.console,
            transient=True,
            refresh_per_second=10,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._moving.start()


def shown(text: str) -> str:
    """The text without what a terminal would obey: names of datasets and paths come from strangers."""
    return "".join(char if char == "\n" or char.isprintable() else "\ufffd" for char in text)


def _is_alive(descriptor: int) -> bool:
    """Whether something can still be written there; a terminal that is gone refuses even nothing."""
    try:
        os.write(descriptor, b"")
    except OSError:
        return False
    return True


def wrapped(text: str, columns: int | None, indent: int = 0) -> str:
    """The text broken between words where a line of a terminal ends; what is one long word stays whole, to be copied.

    Args:
        text: one paragraph.
        columns: the width of the terminal; None leaves the text as it is.
        indent: how far in the text begins, and its further lines with it.
    """
    if columns is None:
        return text
    lines = textwrap.wrap(text, max(columns - indent, 20), break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)


def _first_screen(descriptor: int) -> TextIO:
    """The screen of the process that the user started; Lightning starts the other ranks with its redirected stderr."""
    path = os.environ.get(FIRST_SCREEN)
    if path:
        with contextlib.suppress(OSError):
            return _unbuffered(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666))
    own = os.dup(descriptor)
    if Path(f"/proc/{os.getpid()}/fd").is_dir():
        os.environ[FIRST_SCREEN] = f"/proc/{os.getpid()}/fd/{own}"
    return _unbuffered(own)


def _unbuffered(descriptor: int) -> TextIO:
    """A text stream that a signal handler may write to in the middle of a write: Python's buffers refuse that."""
    return io.TextIOWrapper(io.FileIO(descriptor, "w"), encoding="utf-8", errors="replace", write_through=True)
