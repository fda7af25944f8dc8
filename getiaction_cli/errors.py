"""Errors of a command itself. What is wrong with a recipe or a dataset is a Diagnostic, never one of these.

    CliError                    a message, a hint, an exit code
    ├── UsageError              exit 2: usage error
    └── CheckNotRun             exit 3: something needed could not be read
        ├── LeRobotUnreadable       the installed LeRobot is not one that getiaction can read
        ├── RecipeNotFound          no such recipe file
        ├── DatasetNotFound         no such dataset in the places searched
        ├── HubError                the Hub rejected the request, broke off or can't be reached
        └── RunFailed               training started and could not continue

Exit codes: 0 no errors (warnings allowed), 1 errors found, 2 usage error, 3 check could not run; and 128 plus the
number of a signal, as in shells: 130 after Ctrl-C, 143 after SIGTERM, 141 when the output is closed.
"""

EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_CHECK_NOT_RUN = 3


class CliError(Exception):
    """One line and a hint, printed before the program exits with ``exit_code``."""

    exit_code = EXIT_CHECK_NOT_RUN

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CliError):
    """The command line is invalid."""

    exit_code = EXIT_USAGE


class CheckNotRun(CliError):  # noqa: N818 - not a malfunction of the program
    """A check could not run, because a file or a server could not be read."""


class RecipeNotFound(CheckNotRun):
    """No recipe at that path."""


class LeRobotUnreadable(CheckNotRun):
    """The installed LeRobot lacks code that the checks read, or has it in an unknown form."""


class DatasetNotFound(CheckNotRun):
    """No dataset of that id or path; the message lists the places searched."""


class HubError(CheckNotRun):
    """The Hub rejected the request, the connection broke, or it can't be reached."""


class RunFailed(CheckNotRun):
    """The training core stopped with a reason that the user can fix."""
