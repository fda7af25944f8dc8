"""The made datasets are what the tests take them for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["pusht", "aloha_sim_transfer_cube_human", "aloha_sim_insertion_human"])
def test_lerobot_finds_them_by_their_names(lerobot_home: Path, name: str) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset(f"lerobot/{name}")
    assert Path(dataset.root) == lerobot_home / "lerobot" / name
    item = dataset[len(dataset) - 1]
    assert item["action"].shape == ((2,) if name == "pusht" else (14,))


def test_a_copy_may_be_damaged(pusht_root: Path, copy_of: Callable[[Path], Path]) -> None:
    copy = copy_of(pusht_root)
    (copy / "meta/info.json").unlink()
    assert (pusht_root / "meta/info.json").exists()


def test_old_layouts(v20_root: Path, v21_root: Path) -> None:
    for root, version in ((v20_root, "v2.0"), (v21_root, "v2.1")):
        info = json.loads((root / "meta/info.json").read_text())
        assert info["codebase_version"] == version
        assert len(list(root.rglob("*.parquet"))) == len(list(root.rglob("*.mp4"))) == info["total_episodes"]
