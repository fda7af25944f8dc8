"""The store is built once, all or nothing, and what is wrong with it is noticed."""

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import make_dataset
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from session_cache import once
from windows_cases import assert_same

from getiaction.data import array_file, frame_store
from getiaction.data.array_file import ArrayWriter, DamagedError, open_array
from getiaction.data.frame_store import StoreProgress
from getiaction.data.pipeline import Pipeline
from getiaction.errors import DataError
from getiaction.lerobot.datasets import LeRobotDatasetMetadata


def _build(root: Path) -> Path:
    cameras = {"observation.images.a": (16, 16), "observation.images.b": (16, 24)}
    return make_dataset.make(root, cameras=cameras, codec="h264", lengths=(6, 5, 7), true_quantiles=False)


@pytest.fixture
def root() -> Path:
    return once("made/store-toy", _build)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GETIACTION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "frames"


class Told:
    """Keeps what the builder tells."""

    def __init__(self) -> None:
        self.all: list[StoreProgress] = []

    def __call__(self, building: StoreProgress) -> None:
        self.all.append(building)

    @property
    def decoded(self) -> int:
        return max((told.frames for told in self.all), default=0)


def opened(root: Path, **options: Any) -> tuple[Pipeline, Told]:
    told = Told()
    return Pipeline(LeRobotDatasetMetadata("made/toy", root=root), root, progress=told, **options), told


def files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


def whole(pipeline: Pipeline) -> Any:
    dataset = pipeline.open(None, None)
    return dataset.__getitems__(range(len(dataset)))


def test_built_once_and_then_opened(root: Path, cache: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    first, told = opened(root)
    assert first.plan.method == "store" and "built just now" in first.plan.reason
    assert told.decoded == told.all[-1].of == 36
    assert told.all[-1].bytes == first.plan.bytes == 18 * (16 * 16 * 3 + 16 * 24 * 3)
    again, told = opened(root)
    assert told.all == [] and "built before" in again.plan.reason
    assert_same(whole(first), whole(again))
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before, "the dataset's folder is not ours"
    assert not files(cache, "*.tmp")


@pytest.mark.parametrize(
    "harm", ["truncated", "flipped", "no sums", "not json", "of another format", "half a manifest"]
)
def test_a_damaged_store_is_built_again(root: Path, cache: Path, harm: str) -> None:
    right = whole(opened(root)[0])
    array = files(cache, "*.bin")[0]
    if harm == "truncated":
        os.truncate(array, array.stat().st_size - 1000)
    elif harm == "flipped":
        content = bytearray(array.read_bytes())
        content[len(content) // 2] ^= 1
        array.write_bytes(content)
    elif harm == "no sums":
        array.with_suffix(".npz").unlink()
    elif harm == "not json":
        array.with_suffix(".json").write_text("{")
    elif harm == "half a manifest":
        array.with_suffix(".json").write_text('{"format": 1}')
    else:
        manifest = json.loads(array.with_suffix(".json").read_text())
        array.with_suffix(".json").write_text(json.dumps({**manifest, "format": 0}))
    mended, told = opened(root)
    assert told.decoded == 18, "one camera of the two"
    assert_same(whole(mended), right)


def test_a_build_that_was_killed_is_not_there(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ArrayWriter, "abandon", lambda self: None)
    monkeypatch.setattr(ArrayWriter, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        opened(root)
    assert files(cache, "*.tmp") and not files(cache, "*.json")
    monkeypatch.undo()
    monkeypatch.setenv("GETIACTION_CACHE", str(cache.parent))
    pipeline, told = opened(root)
    assert told.decoded == 36 and pipeline.plan.method == "store"
    assert not files(cache, "*.tmp")


def test_an_interrupted_build_leaves_nothing(root: Path, cache: Path) -> None:
    def interrupt(_: StoreProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipeline(LeRobotDatasetMetadata("made/toy", root=root), root, progress=interrupt)
    assert not files(cache, "*.tmp")


def test_a_changed_dataset_gets_a_new_store(root: Path, cache: Path, copy_of: Any) -> None:
    mine = copy_of(root)
    opened(mine)
    before = files(cache, "*.bin")
    video = next((mine / "videos/observation.images.a").rglob("*.mp4"))
    os.utime(video, ns=(time.time_ns(), time.time_ns()))
    _, told = opened(mine)
    after = files(cache, "*.bin")
    assert told.decoded == 18 and len(after) == len(before) == 2
    assert len(set(after) & set(before)) == 1, "the other camera's is as it was, the old one of this camera is gone"


def test_who_has_the_old_store_open_keeps_it(root: Path, cache: Path, copy_of: Any) -> None:
    mine = copy_of(root)
    dataset = opened(mine)[0].open(None, None)
    right = dataset.__getitems__([0, 5])
    for path in files(cache, "*"):
        if path.is_file():
            path.unlink()
    assert_same(dataset.__getitems__([0, 5]), right)


def test_only_the_chosen_episodes_are_decoded(root: Path, cache: Path) -> None:
    pipeline, told = opened(root, episodes=[1])
    assert told.decoded == 10 and len(pipeline.open([1], None)) == 5
    _, told = opened(root)
    assert told.decoded == 36
    _, told = opened(root, episodes=[2])
    assert told.decoded == 0, "the whole file is there already"


def test_two_that_start_at_once_build_once(root: Path, cache: Path) -> None:
    results: list[tuple[Pipeline, Told]] = []
    threads = [threading.Thread(target=lambda: results.append(opened(root))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.decoded for _, told in results) == [0, 0, 36]
    assert all(pipeline.plan.method == "store" for pipeline, _ in results)


def test_a_full_disk_takes_the_second_way(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_file, "_reserve", full)
    pipeline, _ = opened(root)
    assert pipeline.plan.method == "blocks" and "No space left" in pipeline.plan.reason
    assert not files(cache, "*.tmp") and not files(cache, "*.bin")
    assert len(whole(pipeline)["index"]) == 18


def test_the_bound_of_the_recipe_holds(root: Path, cache: Path, tmp_path: Path) -> None:
    assert opened(root, frame_store={"max_gb": 0.00001})[0].plan.reason == (
        "the store takes 0.0 MB and frame_store allows 0.0 MB"
    )
    assert opened(root, frame_store="off")[0].plan.method == "blocks"
    assert opened(root, frame_store=False)[0].plan.method == "blocks", "YAML reads a bare off as False"
    assert not files(cache, "*.bin")
    pipeline, _ = opened(root, frame_store={"max_gb": 1, "path": str(tmp_path / "elsewhere")})
    assert pipeline.plan.method == "store" and files(tmp_path / "elsewhere", "*.bin") and not files(cache, "*.bin")


def test_a_disk_with_little_room(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from getiaction.spec import frame_loading

    monkeypatch.setattr(frame_loading, "free_bytes", lambda folder: 40_000)
    pipeline, _ = opened(root)
    assert pipeline.plan.method == "blocks" and "of which it may take half" in pipeline.plan.reason


@pytest.mark.parametrize("wrong", ["yes please", {"max_gb": -1}, {"max_gb": "ten"}, {"size": 3}, 7])
def test_a_frame_store_that_says_nothing_is_an_error(root: Path, cache: Path, wrong: Any) -> None:
    with pytest.raises(DataError, match="frame_store"):
        opened(root, frame_store=wrong)


def test_pictures_without_a_store_are_lerobots(cache: Path, tmp_path: Path) -> None:
    root = make_dataset.make(tmp_path / "pictures", storage="image", lengths=(4, 3), true_quantiles=False)
    pipeline, _ = opened(root, frame_store="off")
    assert pipeline.plan.method == "lerobot" and "single pictures" in pipeline.plan.reason
    assert len(pipeline.open(None, None)) == 7


def _shift_time(root: Path, frame: int, seconds: float) -> None:
    (path,) = (root / "data").rglob("*.parquet")
    table = pq.read_table(path)
    times = table["timestamp"].to_numpy().copy()
    times[frame] += seconds
    column = table.schema.get_field_index("timestamp")
    pq.write_table(table.set_column(column, "timestamp", pa.array(times, pa.float32())), path)


@pytest.mark.parametrize("way", ["auto", "off"])
def test_a_frame_without_its_picture_is_an_error(root: Path, cache: Path, copy_of: Any, way: str) -> None:
    mine = copy_of(root)
    _shift_time(mine, 7, 0.03)
    with pytest.raises(DataError, match=r"frame 1 of episode 1|frames of episode 1: at frame 1"):
        whole(opened(mine, frame_store=way)[0])
    assert len(whole(opened(mine, frame_store=way, tolerance_s=0.04)[0])["index"]) == 18
    pipeline, _ = opened(mine, episodes=[0, 2], frame_store=way)
    assert len(pipeline.open([0, 2], None)) == 13, "the episode is not used"


def test_rows_out_of_place_are_left_to_lerobot(root: Path, cache: Path, copy_of: Any) -> None:
    mine = copy_of(root)
    (path,) = (mine / "data").rglob("*.parquet")
    table = pq.read_table(path)
    pq.write_table(table.take([1, 0, *range(2, 18)]), path)
    pipeline, _ = opened(mine)
    pipeline.open(None, None)
    assert pipeline.plan.method == "lerobot" and "episode 0" in pipeline.plan.reason


def test_a_decoder_that_surprises_is_left_to_lerobot(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = frame_store.decode_video

    def wrong(*args: Any, **kwargs: Any) -> Any:
        for found in right(*args, **kwargs):
            yield found._replace(frame=found.frame ^ 1)

    monkeypatch.setattr(frame_store, "decode_video", wrong)
    pipeline, _ = opened(root)
    assert pipeline.plan.method == "lerobot" and "other frames" in pipeline.plan.reason
    assert len(files(cache, "*.bin")) == 1, "what differs is not kept"


def test_large_tables_lie_in_mapped_files(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from getiaction.data import columns

    right = whole(opened(root)[0])
    monkeypatch.setattr(columns, "IN_MEMORY_BYTES", 100)
    pipeline, _ = opened(root)
    assert_same(whole(pipeline), right)
    tables = files(cache, "table-*.bin")
    assert tables
    tables[0].write_bytes(b"x" * tables[0].stat().st_size)
    assert_same(whole(opened(root)[0]), right)


class TestArrayFile:
    def write(self, folder: Path, rows: np.ndarray, block: int = 1) -> None:
        writer = ArrayWriter(
            folder, "a", len(rows), rows.shape[1:], rows.dtype, block=block, per_row={"gap": np.dtype("f4")}
        )
        writer.write(0, rows)
        writer.commit({"what": "test"})

    @pytest.mark.parametrize("block", [1, 3, 100])
    def test_round_trip(self, tmp_path: Path, block: int) -> None:
        rows = np.arange(70, dtype=np.int16).reshape(10, 7)
        self.write(tmp_path, rows, block)
        found = open_array(tmp_path, "a")
        assert found is not None and np.array_equal(found.rows, rows) and found.manifest["what"] == "test"
        found.prefetch_rows(3, 2)
        found.release_pages()
        assert np.array_equal(found.rows, rows)

    def test_nothing_is_nothing(self, tmp_path: Path) -> None:
        assert open_array(tmp_path, "a") is None

    def test_a_large_array_is_checked_in_part_and_at_its_ends(self, tmp_path: Path) -> None:
        rows = np.zeros((1000, 64), dtype=np.uint8)
        self.write(tmp_path, rows)
        with (tmp_path / "a.bin").open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x01")
        with pytest.raises(DamagedError, match="999"):
            open_array(tmp_path, "a", checked_bytes=128)
