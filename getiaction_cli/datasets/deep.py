"""A deep look: reads the numbers in the tables, and decodes a sample of the pictures.

Everything is read as a stream, a piece of one file at a time: memory does not grow with the dataset, but for a bit per
episode and joint, and for samples that are capped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from getiaction_cli.datasets.scan import Scan
from getiaction_cli.datasets.table_scan import look_at_tables
from getiaction_cli.datasets.video_scan import look_at_pictures

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.progress import OnProgress


def look(dataset: Dataset, *, seed: int = 0, watch: OnProgress | None = None) -> Scan:
    """Read all tables and a sample of each video's frames.

    Args:
        dataset: its metadata; files that it names and that are broken are noted in the scan, not raised.
        seed: chooses the frames that are decoded.
        watch: hears of the progress.
    """
    scan = Scan()
    look_at_tables(dataset, scan, watch)
    look_at_pictures(dataset, scan, seed, watch)
    return scan
