"""An exponential moving average of a policy's trained weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from getiaction.spec.averaging import Averaging

NamedParameters = Iterable[tuple[str, torch.nn.Parameter]]


class AveragedWeights:
    """The averages of all trained parameters, at least in float32.

    In bfloat16, an update by 1 - 0.9999 of a difference would be rounded to zero. Frozen parameters and buffers are not
    averaged.

    Args:
        settings: the schedule.
        parameters: names and parameters; those without gradient are ignored. The average starts as a copy.

    Attributes:
        steps: number of updates.
        tensors: the averages by name.
        applied: whether the parameters currently hold the average.
        raw_weights: the weights without averaging while `applied`; empty otherwise.
    """

    def __init__(self, settings: Averaging, parameters: NamedParameters) -> None:
        self.settings = settings
        self.steps = 0
        self.applied = False
        self.raw_weights: dict[str, Tensor] = {}
        self._parameters = {name: parameter for name, parameter in parameters if parameter.requires_grad}
        self.tensors = {name: _at_least_float32(parameter).clone() for name, parameter in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the weights after an optimizer step."""
        self.steps += 1
        weight = 1 - self.settings.decay_at(self.steps)
        for name, parameter in self._parameters.items():
            self.tensors[name].lerp_(_at_least_float32(parameter), weight)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Context in which the parameters hold the average; afterwards they are restored exactly."""
        self.apply()
        try:
            yield
        finally:
            self.restore()

    @torch.no_grad()
    def apply(self) -> None:
        """Replace the parameters by the average, and keep them in `raw_weights`."""
        if not self.applied:
            self.raw_weights = {name: parameter.data for name, parameter in self._parameters.items()}
            for name, parameter in self._parameters.items():
                parameter.data = self.tensors[name].to(parameter.dtype, copy=True)
            self.applied = True

    def restore(self) -> None:
        """Restore the parameters that `apply` replaced."""
        if self.applied:
            for name, parameter in self._parameters.items():
                parameter.data = self.raw_weights[name]
            self.raw_weights = {}
            self.applied = False

    def state_dict(self) -> dict[str, Any]:
        """The average and its number of updates, as plain values and tensors."""
        return {"steps": self.steps, "weights": dict(self.tensors)}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue a saved average.

        Raises:
            ValueError: the saved average has other parameters.
        """
        weights = state.get("weights")
        if not isinstance(weights, dict) or _shapes(weights) != _shapes(self.tensors):
            raise ValueError("the averaged weights in the checkpoint (ema) are not those of this policy")
        self.steps = int(state["steps"])
        for name, tensor in self.tensors.items():
            tensor.copy_(weights[name])


def _shapes(tensors: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(tensor, "shape", None) for name, tensor in tensors.items()}


def _at_least_float32(parameter: torch.nn.Parameter) -> Tensor:
    tensor = parameter.detach()
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
