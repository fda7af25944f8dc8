"""An exponential moving average of a policy's trained weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from getiaction.spec.averaging import Averaging

Named = Iterable[tuple[str, torch.nn.Parameter]]


class AveragedWeights:
    """The average of every parameter that is trained, in float32 at least.

    In bfloat16, an update by 1 - 0.9999 of a difference would be rounded away. Frozen parameters and buffers are not
    averaged: a policy with averaged weights has them as they are.

    Args:
        settings: the schedule.
        parameters: names and parameters; those that require no gradient are left out. The average starts as a copy.

    Attributes:
        steps: updates done.
        tensors: the averages by name.
        applied: whether the parameters hold the average at the moment.
        kept: what they held before, meanwhile; empty otherwise.
    """

    def __init__(self, settings: Averaging, parameters: Named) -> None:
        self.settings = settings
        self.steps = 0
        self.applied = False
        self.kept: dict[str, Tensor] = {}
        self._parameters = {name: parameter for name, parameter in parameters if parameter.requires_grad}
        self.tensors = {name: _wide(parameter).clone() for name, parameter in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after an optimizer step."""
        self.steps += 1
        weight = 1 - self.settings.decay_at(self.steps)
        for name, parameter in self._parameters.items():
            self.tensors[name].lerp_(_wide(parameter), weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While it lasts, the parameters hold the average; afterwards exactly what they held before."""
        self.apply()
        try:
            yield
        finally:
            self.restore()

    @torch.no_grad()
    def apply(self) -> None:
        """Put the average into the parameters, and keep what they held."""
        if not self.applied:
            self.kept = {name: parameter.data for name, parameter in self._parameters.items()}
            for name, parameter in self._parameters.items():
                parameter.data = self.tensors[name].to(parameter.dtype, copy=True)
            self.applied = True

    def restore(self) -> None:
        """Put back what `apply` kept."""
        if self.applied:
            for name, parameter in self._parameters.items():
                parameter.data = self.kept[name]
            self.kept = {}
            self.applied = False

    def state_dict(self) -> dict[str, Any]:
        """The average and how often it was updated, as plain values and tensors."""
        return {"steps": self.steps, "weights": dict(self.tensors)}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue an average.

        Raises:
            ValueError: it is that of other parameters.
        """
        weights = state.get("weights")
        if not isinstance(weights, dict) or _shapes(weights) != _shapes(self.tensors):
            raise ValueError("the averaged weights in the checkpoint (ema) are not those of this policy")
        self.steps = int(state["steps"])
        for name, tensor in self.tensors.items():
            tensor.copy_(weights[name])


def _shapes(tensors: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(tensor, "shape", None) for name, tensor in tensors.items()}


def _wide(parameter: torch.nn.Parameter) -> Tensor:
    tensor = parameter.detach()
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
