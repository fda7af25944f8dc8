"""Errors that stop a training run for a reason that the user can fix.

    TrainingError           a run that can't start or continue: message, hint
    ├── DataError           the dataset can't be found, downloaded or read
    ├── PolicyError         the policy can't be built from this recipe and dataset
    ├── RolloutError        the simulated environment can't be created, or does not fit the policy
    └── MachineError        this machine lacks a requirement of the run (accelerator, extra, disk)

Standard library only, so that catching one does not import torch.
"""


class TrainingError(Exception):
    """An error with a one-line message and a hint how to fix it.

    Args:
        message: what is wrong, with the recipe key, file or device.
        hint: how to fix it, as a command or an edit; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)  # shown below a traceback


class DataError(TrainingError):
    """The dataset can't be found, downloaded or read."""


class PolicyError(TrainingError):
    """The policy can't be built from this recipe and dataset."""


class RolloutError(TrainingError):
    """The simulated environment can't be created, or it does not fit the policy."""


class MachineError(TrainingError):
    """This machine lacks a requirement of the run."""
