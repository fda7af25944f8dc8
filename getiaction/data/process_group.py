"""Exchange values between the processes of one training before the first step."""

from __future__ import annotations

import platform

import torch.distributed


def gather[T](mine: T) -> list[T]:
    """Gather a value from every process, by rank; only this one's without distributed training.

    A collective operation: every process must call it.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [mine]
    values: list[T | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, mine)
    return values  # type: ignore[return-value]


def this_host() -> str:
    """The name of this machine."""
    return platform.node()
