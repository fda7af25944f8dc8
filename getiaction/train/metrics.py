"""metrics.csv: Lightning's CSV logger, written at once, without a folder of its own, and continued by a resumed run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.utilities.rank_zero import rank_zero_only


class MetricsFile(CSVLogger):
    """Logs to ``<folder>/metrics.csv``, each row as soon as it is there, so that `tail -f` shows the run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, name="", version="", flush_logs_every_n_steps=1)

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """The writer; it appends to what an earlier part of the same run has written."""
        if self._experiment is None:  # type: ignore[has-type]
            self._experiment = _Writer(self.log_dir)
        return self._experiment

    @rank_zero_only
    def log_hyperparams(self, params: Any = None) -> None:
        """Nothing: recipe.yaml has them."""


class _Writer(ExperimentWriter):
    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        path = Path(self.metrics_file_path)
        if path.is_file():
            with path.open(newline="") as file:
                self.metrics_keys = list(csv.DictReader(file).fieldnames or [])

    def _check_log_dir_exists(self) -> None:
        """Lightning would delete the file here."""


def forget_after(path: Path, step: int) -> None:
    """Drop the rows of steps that a resumed run will do again (the earlier one was killed after its last checkpoint).

    Args:
        path: metrics.csv; nothing happens when it isn't there.
        step: the optimizer steps done in the checkpoint; Lightning logs the first step as 0.
    """
    if not path.is_file():
        return
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames or []
        rows = [row for row in reader if int(row["step"] or 0) < step]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
