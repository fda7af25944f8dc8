"""Between reading the dataset and the first step: the ranks agree on the folder, and the facts are kept."""

from __future__ import annotations

from typing import Any

import lightning as L

from getiaction.train.folder import RunFolder, fingerprint
from getiaction.train.metrics import forget_after
from getiaction.train.progress import where
from getiaction.train.screen import Screen
from getiaction.train.summary import describe_data, describe_policy

LOGGED_STEPS = 100


class RunRecorder(L.Callback):
    """Opens a run.

    Args:
        run: its folder; None when nothing is kept.
        recipe: as plain values.
        text: the recipe as the folder keeps it.
        screen: where to say what is going on.
    """

    def __init__(self, run: RunFolder | None, recipe: dict[str, Any], text: str, screen: Screen) -> None:
        self.run = run
        self.given = recipe.get("trainer") or {}
        self.text = text
        self.screen = screen

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """The dataset has been read; the policy is built next, which may fetch weights."""
        if self.run:
            self.run.path = trainer.strategy.broadcast(self.run.path)
        self.screen.doing("building the policy")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Everything is there."""
        if "log_every_n_steps" not in self.given:
            # Lightning's 50 leaves a short run without a single row.
            trainer.log_every_n_steps = int(max(1, min(50, trainer.estimated_stepping_batches // LOGGED_STEPS)))
        if self.run and trainer.is_global_zero:
            self.run.write_recipe(self.text)
            self.run.write_facts(_facts(trainer.datamodule))
            self.run.sweep()
            if forget_after(self.run.metrics, trainer.global_step):
                self.screen.say(f"{self.run.metrics} was damaged: its readable rows are kept, the file is *.damaged")
        resumed = f", from step {trainer.global_step}" if trainer.global_step else ""
        self.screen.say(
            f"{describe_policy(pl_module)} on {describe_data(trainer.datamodule)}, {where(trainer)}{resumed}"
        )
        if trainer.datamodule.plan is not None and trainer.datamodule.meta.camera_keys:
            self.screen.say(str(trainer.datamodule.plan))
        if self.run:
            self.screen.say(f"run folder {self.run.path}")


def _facts(data: Any) -> dict[str, Any]:
    meta = data.train_dataset.meta
    return {
        "repo_id": meta.repo_id,
        "root": str(meta.root),
        "revision": str(meta.revision),
        "fps": meta.fps,
        "episodes": meta.total_episodes,
        "frames": meta.total_frames,
        "fingerprint": fingerprint(meta.root),
    }
