"""The random numbers of a training step are a function of seed, rank and step.

Decided 2026-11: dropout, VAE and diffusion noise then don't depend on what happened before the step, so a run that was
resumed, validated more often or logged elsewhere gives the same losses as one that was not, on any number of ranks,
without keeping generator states in the checkpoint.
"""

from __future__ import annotations

import random
from typing import Any

import lightning as L
import numpy as np
import torch


class Reseed(L.Callback):
    """Seeds Python, NumPy and torch (every device) before each batch.

    Args:
        recipe: as plain values; its seed is read when training begins, after all processes have agreed on it.
    """

    def __init__(self, recipe: dict[str, Any]) -> None:
        self.recipe = recipe

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed for this batch; ``total_batch_idx`` counts over epochs and over resumed parts of the run."""
        place = [self.recipe["seed"], trainer.global_rank, trainer.fit_loop.total_batch_idx]
        words = np.random.SeedSequence(place).generate_state(3)
        random.seed(int(words[0]))
        np.random.seed(int(words[1]))
        torch.manual_seed(int(words[2]))
