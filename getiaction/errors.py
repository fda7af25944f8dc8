"""Errors that stop a training run for a reason that the user can fix.

    TrainingError           a run that can't start or continue: message, hint
    ├── DataError           the dataset can't be found, fetched or read
    ├── PolicyError         the policy can't be built from this recipe and dataset
    ├── RolloutError        the simulated environment can't be created, or does not fit the policy
    └── MachineError        this machine lacks what the run asks for (accelerator, extra, disk)

Standard library only, so that catching one costs no torch import.
"""


class TrainingError(Exception):
    """One line that says what is wrong, and one that says what to do about it.

    Args:
        message: what is wrong, naming the recipe key, file or device it concerns.
        hint: the next thing to do, as a command or an edit; empty when the message says it all.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)  # shown below a traceback


class DataError(TrainingError):
    """The dataset can't be found, fetched or read."""


class PolicyError(TrainingError):
    """The policy can't be built from this recipe and dataset."""


class RolloutError(TrainingError):
    """The simulated environment can't be created, or it does not fit the policy."""


class MachineError(TrainingError):
    """This machine lacks what the run asks for."""
