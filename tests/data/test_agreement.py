"""The processes of a training agree on the dataset and on how its frames are loaded before the first step."""

import os
import subprocess
import sys
from pathlib import Path

import make_dataset
import pytest

# Each process has a cache and a dataset folder of its own, as on a cluster whose nodes do not share a disk.
SCRIPT = """
import os, sys
import torch.distributed as dist
from getiaction.data.lerobot import LeRobotDataModule
from getiaction.errors import TrainingError
from getiaction.train.run_recorder import check_alike

rank = int(os.environ["RANK"])
roots, caches = sys.argv[1].split(","), sys.argv[2].split(",")
os.environ["GETIACTION_CACHE"] = caches[rank]
dist.init_process_group("gloo")
data = LeRobotDataModule("made/toy", root=roots[rank], train_batch_size=3, num_workers=0)
try:
    data.setup()
    check_alike(data)
    open(f"out{rank}", "w").write(str(data.plan))
except TrainingError as error:
    open(f"out{rank}", "w").write(str(error))
dist.destroy_process_group()
"""


def two_processes(roots: list[Path], caches: list[Path]) -> list[str]:
    """What each of two processes says about these datasets and caches."""
    Path("agree.py").write_text(SCRIPT)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "agree.py"]
    words = [",".join(map(str, roots)), ",".join(map(str, caches))]
    done = subprocess.run(
        [*torchrun, *words], capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return [Path(f"out{rank}").read_text() for rank in range(2)]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset.make(tmp_path_factory.mktemp("made") / "toy")


@pytest.mark.slow
def test_a_node_without_room_for_the_store_slows_all_of_them(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the cache folder would be")
    first, second = two_processes([toy, toy], [tmp_path / "cache", blocked])
    assert first.startswith("frames are decoded block by block during training")
    assert "rank 1 on " in first and "the store can't be built" in first
    assert second.startswith("frames are decoded block by block during training")


@pytest.mark.slow
def test_another_dataset_on_one_node_ends_all_of_them(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = make_dataset.make(tmp_path / "other", seed=1)
    cache = tmp_path / "cache"
    for said in two_processes([toy, other], [cache, cache]):
        assert said.startswith(f"the processes read different datasets: {other} (rank 1 on ")
    first, second = two_processes([toy, tmp_path / "nowhere"], [cache, cache])
    assert first.startswith("rank 1 on ") and "can't read the dataset" in first
    assert str(tmp_path / "nowhere") in second


@pytest.mark.parametrize(("now", "part"), [(1, "2 → 1 process, "), (4, "2 → 4 processes, "), (2, "")])
def test_another_number_of_processes_is_shown(now: int, part: str) -> None:
    from getiaction.train.run_recorder import batch_change

    before, after = {"samples": 7, "processes": 2}, {"samples": 4 * now, "processes": now}
    said = batch_change({"batch": before}, {"batch": after})
    assert said == f"the samples of an optimizer step change from 7 to {4 * now} ({part}the learning rate stays)"
