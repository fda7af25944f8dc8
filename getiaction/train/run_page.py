"""Callback: keeps the page of a run (report.html) up to date. It never ends a training and takes little of its time."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path

import lightning as L

from getiaction.train.folder import RunFolder
from getiaction.train.screen import Screen

# Drawing takes at most this share of the time; a page of many logged steps is drawn less often.
SHARE = 0.01


class RunPage(L.Callback):
    """Draws the page after each validation.

    Args:
        run: the run's folder; None when nothing is kept.
        draw: writes the page of a run folder; None for no page.
        screen: where a failure is reported, once.
    """

    def __init__(self, run: RunFolder | None, draw: Callable[[Path], None] | None, screen: Screen) -> None:
        self.run = run
        self.draw = draw
        self.screen = screen
        self._not_before = 0.0
        self._failed = False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The validation's metrics are in metrics.csv."""
        if trainer.is_global_zero and not trainer.sanity_checking:
            self.update()

    def update(self, *, last: bool = False) -> None:
        """Draw the page.

        Args:
            last: draw it even if the last drawing was a short time ago.
        """
        began = time.monotonic()
        if self.run is None or self.draw is None or (began < self._not_before and not last):
            return
        try:
            self.draw(self.run.path)
        except Exception as error:
            traceback.print_exc()  # into log.txt
            if not self._failed:
                self.screen.say(f"{self.run.report} could not be written: {type(error).__name__}: {error}")
            self._failed = True
        now = time.monotonic()
        self._not_before = now + (now - began) / SHARE
