"""metrics.csv: Lightning's CSV logger, written at once, without a folder of its own, and continued by a resumed run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from getiaction.files import write_atomically


class MetricsFile(CSVLogger):
    """Logs to ``<folder>/metrics.csv``, each row as soon as it is there, so that `tail -F` shows the run."""

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
        self.metrics: list[dict[str, Any]] = []
        self._path = Path(self.metrics_file_path)
        self.metrics_keys, _ = _read(self._path)[:2]

    def save(self) -> None:
        """Append what was logged in one write; a new column rewrites the file in one step."""
        rows, self.metrics = self.metrics, []
        if not rows:
            return
        keys = sorted({*self.metrics_keys, *(key for row in rows for key in row)})
        if keys == self.metrics_keys and self._path.is_file():
            _append(self._path, _text(keys, rows, header_too=False))
            return
        before = _read(self._path)[1]
        self.metrics_keys = keys
        write_atomically(self._path, _text(keys, [*before, *rows]))

    def _check_log_dir_exists(self) -> None:
        """Lightning would delete the file here."""


def forget_after(path: Path, step: int) -> bool:
    """Drop the rows of steps that a resumed run repeats (the earlier part was killed after its last checkpoint).

    Rows that can't be read are dropped too; the file is then kept as metrics.csv.damaged.

    Args:
        path: metrics.csv; nothing happens when it does not exist.
        step: the optimizer steps done in the checkpoint; Lightning logs the first step as 0.

    Returns:
        Whether something could not be read.
    """
    if not path.exists():
        return False
    header, rows, damaged = _read(path)
    kept = [row for row in rows if int(row["step"]) < step]
    if damaged:
        path.replace(path.with_name(f"{path.name}.damaged"))
    if header and (damaged or len(kept) < len(rows)):
        write_atomically(path, _text(header, kept))
    return damaged


def has_row(path: Path, step: int, prefix: str) -> bool:
    """Whether a metric whose name begins with `prefix` was logged at a step, as Lightning counts it."""
    return any(
        int(row["step"]) == step and any(value and name.startswith(prefix) for name, value in row.items())
        for row in _read(path)[1]
    )


def _read(path: Path) -> tuple[list[str], list[dict[str, Any]], bool]:
    """The columns, the rows that are whole, and whether something else was there."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, csv.Error):
        return [], [], True
    if not lines:
        return [], [], False
    header = lines[0]
    if "step" not in header or len(set(header)) < len(header):
        return [], [], True
    place = header.index("step")
    whole = [line for line in lines[1:] if len(line) == len(header) and line[place].isdecimal()]
    if len(whole) == len(lines) - 1 and not text.endswith("\n"):
        whole.pop()  # cut off inside its last value
    rows = [dict(zip(header, line, strict=True)) for line in whole]
    return header, rows, len(whole) < len(lines) - 1


def _append(path: Path, data: bytes) -> None:
    """Add whole rows or, where the disk is full, nothing."""
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, io.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(size)
            raise


def _text(header: list[str], rows: list[dict[str, Any]], *, header_too: bool = True) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header)
    if header_too:
        writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")
