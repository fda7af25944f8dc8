"""Errors that mean "I could not look". What is wrong with a recipe or a dataset is a Diagnostic, never one of these.

    CliError                    one line, a hint, an exit code
    ├── UsageError              exit 2: usage error
    └── CouldNotLook            exit 3: something needed could not be read
        ├── LeRobotUnreadable       the installed LeRobot is not one that getiaction can read
        ├── RecipeNotFound          no such recipe file
        ├── DatasetNotFound         no such dataset in the places searched
        ├── HubError                the Hub refused, broke off or can't be reached
        └── RunFailed               training started and could not continue

Exit codes: 0 no errors (warnings allowed), 1 errors found, 2 usage error, 3 check could not run; and what a shell calls
a program that a signal ended: 130 after Ctrl-C, 143 after SIGTERM, 141 when the output is closed.
"""

EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_COULD_NOT_LOOK = 3


class CliError(Exception):
    """One line and a hint, printed before the program exits with ``exit_code``."""

    exit_code = EXIT_COULD_NOT_LOOK

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CliError):
    """Words on the command line that mean nothing here."""

    exit_code = EXIT_USAGE


class CouldNotLook(CliError):  # noqa: N818 - it is not a fault of the program
    """Something that had to be read could not be."""


class RecipeNotFound(CouldNotLook):
    """No recipe at that path."""


class LeRobotUnreadable(CouldNotLook):
    """The installed LeRobot keeps something that the checks need in a place or form that is not known."""


class DatasetNotFound(CouldNotLook):
    """No dataset of that id or path; the message lists the places searched."""


class HubError(CouldNotLook):
    """The Hub said no, was cut off, or can't be reached."""


class RunFailed(CouldNotLook):
    """The training core stopped with a reason that the user can fix."""
