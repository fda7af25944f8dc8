"""What torch, Lightning and the disk raise in the middle of a run, in the user's words."""

from __future__ import annotations

import errno
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from getiaction.errors import DataError, MachineError, TrainingError

# What torch puts before the traceback of an exception that a worker of the DataLoader raised.
_CAUGHT = re.compile(r"Caught (\w+) in DataLoader worker process \d+\.")
# What gloo says of a process that is gone, in torch's third_party/gloo/gloo/transport/tcp.
_LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Connection refused")
_UNHARMED = "a checkpoint that the run has written before is unharmed: resume it with --resume"


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Turn the failures that a user can fix into a `TrainingError`; anything else is a fault and stays what it is."""
    try:
        yield
    except TrainingError:
        raise
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        raise explained from error


def explain(error: BaseException) -> TrainingError | None:
    """The error as a user can read it, or None when it is nothing known."""
    text = str(error)
    if caught := _CAUGHT.search(text):
        return DataError(
            f"loading data failed: {_last_line(text, caught[1])}",
            "to see where: add --data.num_workers 0 and --debug to the command",
        )
    if isinstance(error, torch.OutOfMemoryError):  # `train.batch_size` adds what was needed and what fits
        return MachineError(
            f"the GPU is out of memory ({_line(error)})",
            "lower data.init_args.train_batch_size (trainer.accumulate_grad_batches keeps the effective size), "
            "or set trainer.precision to bf16-mixed",
        )
    if is_out_of_memory(error):
        return MachineError(
            "this machine is out of memory", "lower data.init_args.train_batch_size or data.init_args.num_workers"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MachineError(
            f"the disk is full: {error.filename or 'while saving'}",
            f"make room, or choose another place with --output-dir; {_UNHARMED}",
        )
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return MachineError(
            f"a file is larger than this session may write: {error.filename or 'while saving'}",
            f"raise the limit (`ulimit -f unlimited`); {_UNHARMED}",
        )
    if isinstance(error, RuntimeError) and ("PytorchStreamWriter" in text or "inline_container" in text):
        return MachineError(
            "a checkpoint could not be written: the disk is full or the folder is not writable",
            f"make room; {_UNHARMED}",
        )
    if isinstance(error, RuntimeError) and "DataLoader worker" in text:
        return DataError(
            f"a worker process that loads data was killed: {_line(error)}",
            "often by too little memory or /dev/shm: lower data.init_args.num_workers (0 loads in the main process)",
        )
    if is_lost_process(error):
        return TrainingError(
            "another process of this training has ended", "its own message says why: look above, and in log.rank*.txt"
        )
    if isinstance(error, pickle.UnpicklingError):
        return TrainingError(
            "the checkpoint holds more than numbers and plain values, so it was not read",
            "resume only from checkpoints that getiaction wrote",
        )
    if isinstance(error, RuntimeError) and "Error(s) in loading state_dict" in text:
        return TrainingError(
            "the checkpoint's model differs from the recipe's: " + text.splitlines()[-1].strip(),
            "resume with the recipe that the run was started with (recipe.yaml in its folder)",
        )
    if isinstance(error, MisconfigurationException):
        return TrainingError(f"Lightning can't train like this: {_line(error)}")
    return None


def is_lost_process(error: BaseException | None) -> bool:
    """Whether the connection to another process of the training broke, as it does when that process dies."""
    return isinstance(error, RuntimeError) and (
        isinstance(error, torch.distributed.DistError) or any(said in str(error) for said in _LOST)
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a GPU or on the host."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator: can't allocate" in str(
        error
    )


def _line(error: BaseException) -> str:
    """The first sentence or so of what a library said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = lines[0] if lines else type(error).__name__
    return line if len(line) <= 200 else line[:200].rsplit(" ", 1)[0] + " …"


def _last_line(text: str, kind: str) -> str:
    """The exception itself, "ValueError: …", at the end of the traceback that a worker sent; `kind` if it is empty."""
    lines = [line.strip() for line in text.replace("\\n", "\n").splitlines() if line.strip()]
    at = max((i for i, line in enumerate(lines) if line.startswith(kind)), default=len(lines) - 1)
    said = " ".join(lines[at:])
    return said if len(said) <= 300 else said[:300].rsplit(" ", 1)[0] + " …"
