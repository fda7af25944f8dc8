"""Compute the exact quantiles of a LeRobot dataset; LeRobot's writer approximates them."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


def correct_quantiles(root: Path, pictures: Mapping[str, np.ndarray] | None = None) -> None:
    """Replace the quantiles in `meta/stats.json` by exact ones.

    LeRobot 0.6.1 writes the mean of the episodes' quantiles, which is wrong if episodes differ.

    Args:
        root: A LeRobot v3.0 dataset that has been finalized.
        pictures: uint8 frames (n, height, width, channels) of cameras to correct as well; other cameras keep
            LeRobot's quantiles, which are computed from sampled frames.
    """
    stats_file = root / "meta" / "stats.json"
    stats = json.loads(stats_file.read_text())
    tables = [pq.ParquetFile(file).read() for file in sorted((root / "data").rglob("*.parquet"))]
    for key, entry in stats.items():
        if pictures and key in pictures:
            pixels = pictures[key].reshape(-1, pictures[key].shape[-1])
            found = {name: np.quantile(pixels, q, axis=0)[:, None, None] / 255 for name, q in QUANTILES.items()}
        elif key in tables[0].column_names and not _is_picture(tables[0][key].type):
            values = np.array([row for table in tables for row in table[key].to_pylist()], np.float64)
            columns = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
            found = {name: np.quantile(columns, q, axis=0) for name, q in QUANTILES.items()}
        else:
            continue
        entry |= {name: value.tolist() for name, value in found.items() if name in entry}
    stats_file.write_text(json.dumps(stats, indent=4) + "\n")


def _is_picture(column: object) -> bool:
    """Whether a column contains images, which are structs of bytes and path."""
    return str(column).startswith("struct<")
