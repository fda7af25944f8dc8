"""Writes true statistics in the place of wrong ones, beside a backup."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction.files import replacing, write_atomically
from getiaction_cli.datasets.sample import picture_statistics
from getiaction_cli.datasets.stats import STATS
from getiaction_cli.errors import CheckNotRun

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import FeatureScan, Scan


@dataclass(frozen=True, slots=True)
class Written:
    """What became of meta/stats.json: whether it was written, and where the old one is, if there was one."""

    changed: bool
    backup: Path | None = None


def write_stats(dataset: Dataset, scan: Scan) -> Written:
    """Replace ``meta/stats.json`` by statistics computed from all frames.

    Cameras keep the entries they have, if these can be used; else they are computed from a sample of the pictures. The
    new file takes the old one's place in one step; the old one is kept beside it. Statistics that are right already are
    not written again.

    Args:
        dataset: a v3.0 dataset whose tables were all read.
        scan: what was read.

    Raises:
        CheckNotRun: the statistics would be of a part of the data only, or the file can't be written.
    """
    if dataset.is_old:
        raise CheckNotRun(
            f"statistics are written for v3.0 only, this dataset is {dataset.version}", "convert it first"
        )
    if dataset.place.is_cached_copy:
        raise CheckNotRun(
            f"{dataset.root} is a cached copy of the Hub's dataset: its files must not be changed",
            "copy it to a folder of your own first (cp -rL), and name that",
        )
    if scan.unread or not scan.features:
        first = next(iter(scan.unread), "")
        raise CheckNotRun(
            f"statistics of a part of the data would be wrong: {first or 'no table'} could not be read",
            "fix or delete that file with its episodes first",
        )
    frames = int(np.maximum(dataset.episodes.length, 0).sum())
    if scan.rows != frames:
        raise CheckNotRun(
            f"statistics of other frames would be wrong: the tables here hold {scan.rows:,}, the episodes {frames:,}",
            "fix what inspect-dataset reports of the tables first",
        )
    bad = [key for key, feature in scan.features.items() if feature.not_finite]
    if bad:
        raise CheckNotRun(
            f"{bad[0]} holds NaN or infinite values: statistics over them would hide it",
            "fix or delete those frames first",
        )
    path = dataset.root / STATS
    written = dataset.text(STATS)
    stats = dict(written.value) if written and isinstance(written.value, dict) else {}
    for key, feature in scan.features.items():
        stats[key] = _entry(feature, dataset.features[key].shape)
    for key in dataset.camera_keys:
        if key not in dataset.depth_keys and dataset.features[key].size in (1, 3) and not _usable(dataset, key):
            stats[key] = picture_statistics(dataset, key)
    text = json.dumps(stats, indent=4)
    if written and text == written.text:
        return Written(changed=False)
    try:
        path.parent.mkdir(exist_ok=True)
        backup = _back_up(path)
        write_atomically(path, text)
    except OSError as error:
        raise CheckNotRun(f"{path} can't be written: {error.strerror or error}", "is the folder yours?") from error
    return Written(changed=True, backup=backup)


def _usable(dataset: Dataset, key: str) -> bool:
    """Whether a camera has statistics of each channel, of pixels from 0 to 1."""
    entry = (dataset.stats or {}).get(key, {})
    size = dataset.features[key].size
    if any(name not in entry or entry[name].size != size for name in ("min", "max", "mean", "std")):
        return False
    return bool(np.isfinite(entry["mean"]).all() and (entry["max"] <= 1.5).all() and (entry["std"] >= 0).all())


def _entry(feature: FeatureScan, shape: tuple[int, ...]) -> dict[str, Any]:
    """As LeRobot writes it: every statistic in the feature's shape, the count as a list of one."""
    values = {"min": feature.min, "max": feature.max, "mean": feature.mean, "std": feature.std, **feature.quantiles}
    entry: dict[str, Any] = {name: np.asarray(value).reshape(shape).tolist() for name, value in values.items()}
    return {**entry, "count": [feature.count]}


def _back_up(path: Path) -> Path | None:
    """Keep the statistics that are about to be replaced.

    There are never more than two backups: the first one, which the dataset came with, and the latest one.
    """
    if not path.is_file():
        return None
    old = path.read_bytes()
    first, latest = path.with_name("stats.json.bak"), path.with_name("stats.json.bak2")
    for backup in (first, latest):
        if not backup.exists() or backup.read_bytes() == old:
            break
    with replacing(backup) as temporary:
        temporary.write_bytes(old)
        shutil.copystat(path, temporary)
    return backup
