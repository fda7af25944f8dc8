"""Reading survives whatever the files hold: forms seen in the wild, wrong types at every path, random bytes."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from getiaction.spec.fingerprint import fingerprint
from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.runner import check
from getiaction_cli.datasets import locate, read
from getiaction_cli.datasets.arrays import lists, numbers
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.datasets.features import flatten_names, make_feature
from getiaction_cli.datasets.inspection import Inspection
from getiaction_cli.datasets.jsonfile import find
from getiaction_cli.datasets.mp4 import read_header
from getiaction_cli.diagnostics import Report, Severity
from getiaction_cli.diagnostics.source import Source
from getiaction_cli.rendering import dataset as rendering
from getiaction_cli.rendering import dataset_json

STRANGE: list[Any] = [None, True, -1, 0, 1e400, "text", "", [], [None], [[1, [2]]], {}, {"a": 1}, 2**80, "\u0000"]


def look(root: Path) -> tuple[Dataset, Report]:
    """Read, judge and show; nothing of it may raise."""
    dataset = read(locate(str(root), folders=True))
    report = check(DatasetContext(dataset))
    assert not [d.message for d in report.diagnostics if "crashed" in d.message]
    inspection = Inspection(dataset, report)
    rendering.render(inspection, color=False, columns=80)
    json.loads(dataset_json.render(inspection))
    return dataset, report


def rewrite(root: Path, change: Callable[[dict[str, Any]], object], file: str = "meta/info.json") -> None:
    value = json.loads((root / file).read_text())
    change(value)
    (root / file).write_text(json.dumps(value))


def routes(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    if before:
        yield before
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from routes(inner, (*before, key))


# -- forms seen in the wild --------------------------------------------------------------------------------------------


WILD: dict[str, Callable[[dict[str, Any]], object]] = {
    "names as a mapping": lambda i: i["features"]["action"].update(names={"motors": ["a", "b"]}),
    "names as a mapping to positions": lambda i: i["features"]["action"].update(names={"a": 0, "b": 1}),
    "names in nested lists": lambda i: i["features"]["action"].update(names=[["a", "b"]]),
    "names null": lambda i: i["features"]["action"].update(names=None),
    "one name for all": lambda i: i["features"]["action"].update(names=["action"]),
    "video_info instead of info": lambda i: i["features"]["observation.images.top"].update(
        video_info=i["features"]["observation.images.top"].pop("info")
    ),
    "neither info nor video_info": lambda i: i["features"]["observation.images.top"].pop("info"),
    "fps as a float": lambda i: i.update(fps=10.0),
    "fps per feature": lambda i: [feature.update(fps=10.0) for feature in i["features"].values()],
    "channels": lambda i: i["features"]["observation.images.top"].update(names=["height", "width", "channels"]),
    "splits as lists": lambda i: i.update(splits={"train": [0, 1], "drop": [2]}),
    "no chunks_size": lambda i: i.pop("chunks_size"),
    "no data_path": lambda i: i.pop("data_path"),
    "no splits": lambda i: i.pop("splits"),
    "totals of v2": lambda i: i.update(total_videos=3, total_chunks=1),
    "unknown keys": lambda i: i.update(license="mit", anything={"else": [1]}),
    "robot null": lambda i: i.update(robot_type=None),
}


@pytest.mark.parametrize("name", WILD)
def test_forms_seen_in_the_wild_are_no_errors(toy_root: Path, copy_of: Callable[[Path], Path], name: str) -> None:
    root = copy_of(toy_root)
    rewrite(root, WILD[name])
    dataset, report = look(root)
    assert [(d.code, d.message) for d in report.diagnostics if d.severity is Severity.ERROR] == []
    assert dataset.total_frames == 66


def test_channels_first(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    names = ["channels", "height", "width"]
    rewrite(root, lambda i: i["features"]["observation.images.top"].update(shape=[3, 32, 48], names=names))
    dataset, report = look(root)
    assert report.ok
    assert dataset.features["observation.images.top"].resolution == (48, 32)


def test_old_tasks_files_have_the_text_in_an_unnamed_index(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = copy_of(toy_root)
    pq.write_table(pa.table({"task_index": [0], "__index_level_0__": ["Do the thing."]}), root / "meta/tasks.parquet")
    dataset, report = look(root)
    assert dataset.tasks == ["Do the thing."]
    assert report.ok


def test_point_clouds_and_strange_shapes(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    cloud = {"dtype": "float64", "shape": [2048, 3], "names": None}
    rewrite(
        root, lambda i: i["features"].update({"observation.points": cloud, "a.scalar": {"dtype": "int64", "shape": []}})
    )
    dataset, _ = look(root)
    assert dataset.features["observation.points"].size == 6144


# -- hostile contents --------------------------------------------------------------------------------------------------


def test_wrong_types_at_every_path_of_info(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    healthy = json.loads((root / "meta/info.json").read_text())
    rng = random.Random(0)
    for route in routes(healthy):
        damaged = copy.deepcopy(healthy)
        holder = damaged
        for step in route[:-1]:
            holder = holder[step]
        holder[route[-1]] = rng.choice(STRANGE)
        (root / "meta/info.json").write_text(json.dumps(damaged))
        look(root)


def test_wrong_types_at_every_path_of_stats(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    healthy = json.loads((root / "meta/stats.json").read_text())
    rng = random.Random(1)
    for route in [r for r in routes(healthy) if len(r) <= 3]:
        damaged = copy.deepcopy(healthy)
        holder = damaged
        for step in route[:-1]:
            holder = holder[step]
        holder[route[-1]] = rng.choice(STRANGE)
        (root / "meta/stats.json").write_text(json.dumps(damaged))
        look(root)


@pytest.mark.parametrize("file", ["info.json", "stats.json", "tasks.parquet", "episodes/chunk-000/file-000.parquet"])
def test_random_bytes_in_any_file_of_meta(toy_root: Path, copy_of: Callable[[Path], Path], file: str) -> None:
    root = copy_of(toy_root)
    healthy = (root / "meta" / file).read_bytes()
    rng = random.Random(2)
    for _ in range(25):
        damaged = bytearray(healthy)
        for _ in range(rng.choice((1, 8, 200))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        (root / "meta" / file).write_bytes(damaged)
        look(root)


def test_deep_nesting_and_bombs(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    (root / "meta/info.json").write_text("[" * 100_000)
    assert not look(root)[1].ok
    rewrite_from = json.loads((toy_root / "meta/info.json").read_text())
    rewrite_from["data_path"] = "{chunk_index:999999999999d}{file_index.__class__.__mro__}"
    (root / "meta/info.json").write_text(json.dumps(rewrite_from))
    assert "GA425" in {d.code for d in look(root)[1].diagnostics}


def test_a_folder_full_of_folders_where_files_belong(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    for file in ("meta/info.json", "meta/stats.json", "meta/tasks.parquet", "data/chunk-000/file-000.parquet"):
        root = copy_of(toy_root)
        (root / file).unlink()
        (root / file).mkdir()
        assert not look(root)[1].ok
        shutil.rmtree(root)


def test_links_in_a_circle(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    (root / "data" / "again").symlink_to(root / "data")
    look(root)


# -- small parts -------------------------------------------------------------------------------------------------------


def test_the_place_of_every_value(toy_root: Path) -> None:
    text = (toy_root / "meta/info.json").read_text()
    value = json.loads(text)
    for route in routes(value):
        span = find(Source("info.json", text), ".".join(map(str, route)))
        assert span is not None
        shown = json.loads(text[span.start : span.end])
        holder = value
        for step in route:
            holder = holder[step]
        assert shown in (holder, route[-1])  # the value, or the key of a section of several lines
    assert find(Source("info.json", text), "nothing.of.this") is None
    near = find(Source("info.json", text), "features.action.nothing")
    assert near is not None and text[near.start : near.end] == '"action"'


def test_fingerprint_follows_meta_alone(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    before = read(locate(str(root), folders=True)).fingerprint
    assert before == read(locate(str(toy_root), folders=True)).fingerprint
    (root / "data/chunk-000/file-000.parquet").write_bytes(b"")
    assert read(locate(str(root), folders=True)).fingerprint == before
    rewrite(root, lambda i: i.update(robot_type="other"))
    assert read(locate(str(root), folders=True)).fingerprint != before


def test_names_in_every_form() -> None:
    assert flatten_names({"motors": ["a", "b"]}) == ("a", "b")
    assert flatten_names({"x": 0, "y": 1}) == ("x", "y")
    assert flatten_names([["a"], ["b", "c"]]) == ("a", "b", "c")
    assert flatten_names(None) is None
    assert flatten_names([]) is None
    assert flatten_names([1, 2]) == ("1", "2")


@pytest.mark.parametrize(
    ("key", "dtype", "role"),
    [
        ("observation.state", "float32", "state"),
        ("observation.velocity", "float32", "state"),
        ("observation.environment_state", "float32", "environment"),
        ("observation.images.top", "video", "image"),
        ("action", "float32", "action"),
        ("next.reward", "float32", "reward"),
        ("next.done", "bool", "ignored"),
        ("language_events", "language", "language"),
        ("timestamp", "float32", "ignored"),
        ("state", "float32", "ignored"),
    ],
)
def test_roles(key: str, dtype: str, role: str) -> None:
    feature = make_feature(key, {"dtype": dtype, "shape": [2], "names": None})
    assert feature.role == role
    assert feature.why or role != "ignored"


def test_roles_are_those_that_lerobot_gives(pusht_root: Path) -> None:
    from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
    from lerobot.utils.feature_utils import dataset_to_policy_features

    theirs = dataset_to_policy_features(LeRobotDatasetMetadata("lerobot/pusht", root=pusht_root).features)
    ours = read(locate(str(pusht_root), folders=True)).features
    words = {"VISUAL": "image", "STATE": "state", "ACTION": "action", "ENV": "environment"}
    assert {key: words[feature.type.name] for key, feature in theirs.items()} == {
        key: ours[key].role for key in ours if ours[key].role in words.values()
    }


def test_video_headers_are_what_pyav_says(pusht_root: Path, aloha_root: Path) -> None:
    import av

    for file in [*pusht_root.rglob("*.mp4"), *aloha_root.rglob("*.mp4")]:
        header = read_header(file)
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            assert header.frames == stream.frames
            assert (header.width, header.height) == (stream.codec_context.width, stream.codec_context.height)
            assert header.fps == pytest.approx(float(stream.average_rate), rel=1e-6)
            assert header.seconds == pytest.approx(float(stream.duration * stream.time_base), rel=1e-3)


def test_scan_is_what_numpy_computes(toy_root: Path) -> None:
    import pyarrow.parquet as pq

    from getiaction_cli.datasets.deep import look as look_deep

    dataset = read(locate(str(toy_root), folders=True))
    scan = look_deep(dataset)
    table = pq.ParquetFile(toy_root / "data/chunk-000/file-000.parquet").read()
    for key in ("action", "observation.state"):
        values = np.array(table[key].to_pylist(), np.float64)
        found = scan.features[key]
        np.testing.assert_allclose(found.mean, values.mean(axis=0))
        np.testing.assert_allclose(found.std, values.std(axis=0))
        np.testing.assert_array_equal(found.min, values.min(axis=0))
        np.testing.assert_allclose(found.quantiles["q10"], np.quantile(values, 0.1, axis=0), rtol=1e-6)


def test_quantiles_of_seconds_since_1970(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    """Numbers that float32 can't tell apart."""
    import pyarrow.parquet as pq

    from getiaction_cli.datasets.deep import look as look_deep

    root = copy_of(toy_root)
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["clock"] = {"dtype": "float64", "shape": [1], "names": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    table = pq.ParquetFile(root / "data/chunk-000/file-000.parquet").read()
    clock = 1.7e9 + np.arange(len(table)) / 10
    pq.write_table(table.append_column("clock", pa.array(clock)), root / "data/chunk-000/file-000.parquet")
    found = look_deep(read(locate(str(root), folders=True))).features["clock"]
    np.testing.assert_allclose(found.quantiles["q50"], np.quantile(clock, 0.5), rtol=0, atol=1e-6)


def test_folders_linked_to_where_they_stand(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    """Such a link hides nothing: two links to one folder are both followed, one to a folder above is not."""
    root = copy_of(toy_root)
    (root / "data/above").symlink_to("..")
    videos = root / "videos/observation.images.top"
    videos.rename(root / "elsewhere")
    videos.symlink_to(root / "elsewhere")
    (root / "videos/again").symlink_to(root / "elsewhere")
    listing = read(locate(str(root), folders=True)).listing
    assert not [name for name in listing.sizes if "above" in name]
    assert {"videos/observation.images.top/chunk-000/file-000.mp4", "videos/again/chunk-000/file-000.mp4"} <= (
        listing.sizes.keys()
    )


def test_pieces_and_files_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, healthy_root: Path) -> None:
    """Read in small pieces, a scan finds the same as in one."""
    from getiaction_cli.datasets import table_scan
    from getiaction_cli.datasets.scan import Scan

    dataset = read(locate(str(healthy_root), folders=True))
    whole, pieces = Scan(), Scan()
    table_scan.look_at_tables(dataset, whole, None)
    monkeypatch.setattr(table_scan, "_BATCH_NUMBERS", 1)
    table_scan.look_at_tables(dataset, pieces, None)
    assert whole.rows == pieces.rows == dataset.total_frames
    for key, feature in whole.features.items():
        other = pieces.features[key]
        np.testing.assert_allclose(other.mean, feature.mean, atol=1e-9)
        np.testing.assert_allclose(other.std, feature.std, atol=1e-9)
        np.testing.assert_array_equal(other.still, feature.still)
        np.testing.assert_array_equal(other.at_min, feature.at_min)
        np.testing.assert_array_equal(other.largest_step, feature.largest_step)


def test_sampled_quantiles_are_near_the_true_ones(toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from getiaction_cli.datasets import running_stats, table_scan
    from getiaction_cli.datasets.scan import Scan

    dataset = read(locate(str(toy_root), folders=True))
    exact, sampled = Scan(), Scan()
    table_scan.look_at_tables(dataset, exact, None)
    monkeypatch.setattr(running_stats, "_SAMPLE_BYTES", 560)
    table_scan.look_at_tables(dataset, sampled, None)
    assert exact.exact_quantiles and not sampled.exact_quantiles
    assert 0 < sampled.rank_error < 1
    span = exact.features["action"].max - exact.features["action"].min
    off = np.abs(sampled.features["action"].quantiles["q50"] - exact.features["action"].quantiles["q50"]) / span
    assert off.max() < 0.15


def test_lists_and_numbers_are_read_whatever_their_form() -> None:
    """Nulls, slices and lists of fixed length give what pyarrow's own functions give."""
    texts = pa.chunked_array([[["a", "b"], None, []], [["c"]]])
    lengths, values = lists(texts)
    assert lengths.tolist() == [2, 0, 0, 1]
    assert values.to_pylist() == ["a", "b", "c"]
    lengths, values = lists(pa.chunked_array([pa.array([["a", "b"], ["c"], ["d"]]).slice(1)]))
    assert (lengths.tolist(), values.to_pylist()) == ([1, 1], ["c", "d"])
    lengths, values = lists(pa.chunked_array([pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int64(), 2))]).slice(1))
    assert (lengths.tolist(), values.to_pylist()) == ([2, 2], [3, 4, 5, 6])
    assert numbers(pa.chunked_array([[1, None, 3]]), np.int64, -1).tolist() == [1, -1, 3]
    assert numbers(pa.chunked_array([[True, False]]), np.float64, np.nan).tolist() == [1.0, 0.0]
    assert numbers(pa.chunked_array([], pa.int32()), np.int64, -1).tolist() == []
    with pytest.raises(pa.ArrowException):
        numbers(pa.chunked_array([["x"]]), np.int64, -1)


def test_the_fingerprint_is_of_names_and_contents(tmp_path: Path) -> None:
    meta = tmp_path / "meta"
    meta.mkdir()
    (meta / "info.json").write_text("{}")
    before = fingerprint(tmp_path)
    (meta / "info.json").rename(meta / "stats.json")
    renamed = fingerprint(tmp_path)
    (meta / "stats.json").write_text("{ }")
    assert len({before, renamed, fingerprint(tmp_path)}) == 3


def test_the_fingerprint_is_that_of_a_run(toy_root: Path) -> None:
    """One string wherever it is shown: `inspect-dataset`, its JSON and page, run.json and `runs`."""
    from getiaction.data.lerobot import LeRobotDataModule

    data = LeRobotDataModule("made/toy", root=toy_root)
    data.setup("fit")
    assert read(locate(str(toy_root), folders=True)).fingerprint == data.fingerprint


def test_statistics_nested_deeper_than_an_array_can_be_are_no_numbers() -> None:
    from getiaction_cli.datasets.stats import as_array

    assert as_array(json.loads("[" * 900 + "1" + "]" * 900)) is None
