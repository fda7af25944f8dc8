"""Stub: see below."""

import json
from pathlib import Path

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


def correct_quantiles(root: Path) -> None:
    """Replace the quantiles in `meta/stats.json` by those of the numbers in the data files.

    LeRobot 0.6.1 writes the mean of the episodes' quantiles, which is another number as soon as episodes differ.
    Pictures keep LeRobot's: they are made from sampled frames anyway.

    Args:
        root: A LeRobot v3.0 dataset that has been finalized.
    """
    import pyarrow.parquet as pq

    stats_file = root / "meta" / "stats.json"
    stats = json.loads(stats_file.read_text())
    tables = [pq.ParquetFile(file).read() for file in sorted((root / "data").rglob("*.parquet"))]
    for key, entry in stats.items():
        if key not in tables[0].column_names or not isinstance(np.ravel(entry["mean"])[0].item(), float):
            continue
        if isinstance(tables[0][key][0].as_py(), dict):  # pictures stored in the table
            continue
        values = np.concatenate([np.stack(table[key].to_numpy(zero_copy_only=False)) for table in tables])
        values = values.reshape(len(values), -1).astype(np.float64)
        for name, q in QUANTILES.items():
            if name in entry:
                entry[name] = np.quantile(values, q, axis=0).tolist()
    stats_file.write_text(json.dumps(stats, indent=4))
