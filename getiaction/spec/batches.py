"""The effective batch size: samples per optimizer step, over accumulated batches and processes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Batches:
    """The factors of the effective batch size.

    Attributes:
        batch_size: Samples in a batch of one process.
        accumulated: Batches of each process in a step (`trainer.accumulate_grad_batches`).
        processes: Processes that train together (`devices` × `num_nodes`).
    """

    batch_size: int
    accumulated: int = 1
    processes: int = 1

    @property
    def effective(self) -> int:
        """Samples in a step."""
        return self.batch_size * self.accumulated * self.processes

    def batches(self, samples: int) -> int:
        """Batches per process in one pass over `samples`; the last one may be smaller."""
        return math.ceil(samples / (self.batch_size * self.processes))

    def steps(self, samples: int) -> int:
        """Optimizer steps in one pass over `samples`; the last one may use fewer samples."""
        return math.ceil(self.batches(samples) / self.accumulated)

    def __str__(self) -> str:
        """Format as "32", or with its factors: "32 (8 × 2 accumulated × 2 processes)"."""
        factors = [str(self.batch_size)]
        if self.accumulated > 1:
            factors.append(f"{self.accumulated} accumulated")
        if self.processes > 1:
            factors.append(f"{self.processes} processes")
        return f"{self.effective}" + (f" ({' × '.join(factors)})" if len(factors) > 1 else "")
