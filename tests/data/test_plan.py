"""What the user is told about the way that frames take."""

from pathlib import Path

import pytest

from getiaction.data.frame_store import StoreProgress
from getiaction.spec.frame_loading import StoreOption, choose, expected_samples_per_second, read_option
from getiaction.train.data_progress import describe


@pytest.mark.parametrize(
    ("building", "said"),
    [
        (StoreProgress(0, 25_650, 709_171_200, None), "decoding 25,650 frames once (0.7 GB)"),
        (StoreProgress(12_825, 25_650, 709_171_200, 7.2), "decoding 25,650 frames once (0.7 GB): 50 %, 7 s left"),
        (StoreProgress(10, 1000, 9_000_000, 600.0), "decoding 1,000 frames once (9.0 MB): 1 %, 10 min left"),
        (StoreProgress(0, 0, 0, None, waiting=True), "another process is decoding this dataset, waiting for it"),
    ],
)
def test_building_is_described(building: StoreProgress, said: str) -> None:
    assert describe(building) == said


def test_the_plan_says_its_way_and_why(tmp_path: Path) -> None:
    kept = str(choose(StoreOption(), size=2_000_000, missing=2_000_000, folder=tmp_path / "not" / "yet"))
    assert kept.startswith("frames are decoded once and kept: 2.0 MB to build once, ")
    other = str(choose(StoreOption(max_gb=1), size=5 * 10**9, missing=0, folder=tmp_path))
    assert other.endswith(
        "in an order that differs from LeRobot's: the store takes 5.0 GB and frame_store allows 1.0 GB"
    )


def test_options_are_read() -> None:
    assert read_option("auto") == read_option(None) == StoreOption()
    assert not read_option("off").enabled
    assert read_option({"max_gb": 50, "path": "/data"}) == StoreOption(True, 50.0, "/data")


def test_the_ways_are_expected_in_their_order() -> None:
    facts = {"cameras": 1, "window": 2, "frame_bytes": 96 * 96 * 3, "pixels": 96 * 96, "cores": 8, "workers": 4}
    paces = [expected_samples_per_second(way, **facts) for way in ("store", "blocks", "lerobot")]
    assert paces == sorted(paces, reverse=True)
