"""What a LeRobot dataset says about itself, read with pyarrow, json and numpy: no torch, no lerobot.

    place = locate("lerobot/pusht")     a folder on this disk (from the Hub only meta/ is fetched);
                                        raises DatasetNotFound or HubError
    dataset = read(place)               a Dataset; what is wrong with it is in its ``findings``, nothing is raised

`place` finds (a `location`), `hub` fetches, `reading` reads (with `header`, `v3`, `old_format` and `stats`), `tables`
and `mp4` look at the headers of data and video files, `deep` reads the data itself when asked to (into a `scan`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from getiaction.spec.dataset_layout import DEMO_ID
from getiaction.spec.dataset_location import Location
from getiaction_cli.datasets.place import known_ids, locate

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

ONLY_DEEP = "only with --deep"
"""Why a rule about the recorded data itself was not run."""

__all__ = ["DEMO_ID", "ONLY_DEEP", "Location", "known_ids", "locate", "read"]


def read(place: Location) -> Dataset:
    """Read the metadata of the dataset at ``place``; never raises for what the files contain."""
    # pyarrow and numpy cost 0.2 s: whoever only locates or completes a name does not pay for them.
    from getiaction_cli.datasets.reading import read as read_place

    return read_place(place)
