"""Ways in which datasets break, each a small function over a copy of a healthy one.

``CORRUPTIONS["stats-nan"].apply(root)`` damages the dataset at ``root``, which must be a copy of the set that its
``base`` names (see ``tests/make_dataset.py``). ``code`` is what must be reported, with ``file`` as its place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DATA = "data/chunk-000/file-000.parquet"
CAMERA = "observation.images.top"
VIDEO = f"videos/{CAMERA}/chunk-000/file-000.mp4"


@dataclass(frozen=True)
class Corruption:
    """One way to break a dataset.

    Args:
        apply: damages the dataset at that folder.
        code: the diagnostic that names the damage.
        file: the file it must name, relative to the dataset's folder.
        base: "toy", "two" (cameras), "image", "v21" or "v20".
        deep: True when only ``--deep`` can see it.
    """

    apply: Callable[[Path], None]
    code: str
    file: str
    base: str = "toy"
    deep: bool = False


CORRUPTIONS: dict[str, Corruption] = {}


def corruption(code: str, file: str, *, base: str = "toy", deep: bool = False) -> Callable[..., Callable[[Path], None]]:
    def register(apply: Callable[[Path], None]) -> Callable[[Path], None]:
        CORRUPTIONS[apply.__name__.strip("_").replace("_", "-")] = Corruption(apply, code, file, base, deep)
        return apply

    return register


# -- tools -------------------------------------------------------------------------------------------------------------


def edit_json(path: Path, change: Callable[[Any], object]) -> None:
    value = json.loads(path.read_text())
    changed = change(value)
    path.write_text(json.dumps(value if changed is None else changed, indent=4))


def edit_table(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    # ParquetFile: read_table would turn the folder names into columns.
    pq.write_table(change(pq.ParquetFile(path).read()), path)


def put(table: pa.Table, name: str, values: Any) -> pa.Table:
    at = table.column_names.index(name)
    field = table.schema.field(at)
    return table.set_column(at, field, pa.array(values, field.type))


def vectors(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), np.float32)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edit_action(
    root: Path, change: Callable[[np.ndarray], np.ndarray], *, statistics: bool = False, key: str = "action"
) -> None:
    """Change the recorded actions; with ``statistics``, make meta/ agree with them."""
    edit_table(root / DATA, lambda table: put(table, key, change(vectors(table, key).copy()).tolist()))
    if not statistics:
        return
    table = pq.ParquetFile(root / DATA).read()
    action, episode = vectors(table, key).astype(np.float64), np.array(table["episode_index"])
    of_all = _statistics(action)
    edit_json(root / STATS, lambda stats: stats[key].update({k: v.tolist() for k, v in of_all.items()}))
    parts = [_statistics(action[episode == e]) for e in np.unique(episode)]

    def columns(episodes: pa.Table) -> pa.Table:
        for name in of_all:
            episodes = put(episodes, f"stats/{key}/{name}", [part[name].tolist() for part in parts])
        return episodes

    edit_table(root / EPISODES, columns)


def _statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    quantiles = {f"q{round(q * 100):02d}": np.quantile(values, q, axis=0) for q in (0.01, 0.1, 0.5, 0.9, 0.99)}
    spread = {"mean": values.mean(axis=0), "std": values.std(axis=0), "count": np.array([len(values)])}
    return {"min": values.min(axis=0), "max": values.max(axis=0), **spread, **quantiles}


def encode(path: Path, frames: list[np.ndarray], fps: int = 10, codec: str = "libsvtav1", begin: int = 0) -> None:
    """Write RGB frames as an mp4 whose first frame is at ``begin / fps`` seconds."""
    import av

    path.unlink(missing_ok=True)
    with av.open(str(path), "w") as video:
        stream = video.add_stream(codec, fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames, begin):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts = number
            video.mux(stream.encode(picture))
        video.mux(stream.encode())


def decode(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]


# -- meta files --------------------------------------------------------------------------------------------------------


@corruption("GA401", INFO)
def info_missing(root: Path) -> None:
    (root / INFO).unlink()


@corruption("GA402", INFO)
def info_cut(root: Path) -> None:
    cut(root / INFO)


@corruption("GA402", INFO)
def info_empty(root: Path) -> None:
    (root / INFO).write_text("")


@corruption("GA402", INFO)
def info_list(root: Path) -> None:
    (root / INFO).write_text("[1, 2, 3]")


@corruption("GA402", INFO)
def info_binary(root: Path) -> None:
    (root / INFO).write_bytes(bytes(range(256)))


@corruption("GA403", INFO)
def no_features(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.pop("features") and None)


@corruption("GA403", INFO)
def fps_zero(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(fps=0))


@corruption("GA403", INFO)
def fps_text(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(fps="ten"))


@corruption("GA403", INFO)
def shape_text(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["action"].update(shape="2"))


@corruption("GA403", INFO)
def shape_empty(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["observation.state"].update(shape=[]))


@corruption("GA403", INFO)
def features_empty(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(features={}))


@corruption("GA403", INFO)
def video_info_text(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(info="av1"))


@corruption("GA403", INFO)
def version_missing(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.pop("codebase_version") and None)


@corruption("GA403", INFO)
def version_of_another_layout(root: Path) -> None:
    """All files are those of v3.0, only the label is older."""
    edit_json(root / INFO, lambda info: info.update(codebase_version="v2.1"))


@corruption("GA403", INFO, base="v21")
def old_files_called_new(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(codebase_version="v3.0"))


@corruption("GA404", INFO, base="v21")
def version_21(root: Path) -> None:
    """A v2.1 dataset as it is."""


@corruption("GA404", INFO, base="v20")
def version_20(root: Path) -> None:
    """A v2.0 dataset as it is."""


@corruption("GA405", INFO)
def version_future(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(codebase_version="v4.0"))


@corruption("GA405", INFO)
def version_nonsense(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(codebase_version="latest"))


@corruption("GA401", TASKS)
def tasks_missing(root: Path) -> None:
    (root / TASKS).unlink()


@corruption("GA402", TASKS)
def tasks_cut(root: Path) -> None:
    cut(root / TASKS)


@corruption("GA402", TASKS)
def tasks_no_text(root: Path) -> None:
    """One byte of the only task is no longer UTF-8."""

    def spoil(table: pa.Table) -> pa.Table:
        text = pa.array([b"Do the \xffhing."]).cast(pa.string(), safe=False)
        return table.set_column(table.column_names.index("task"), "task", text)

    edit_table(root / TASKS, spoil)


@corruption("GA401", "meta/episodes")
def episodes_missing(root: Path) -> None:
    shutil.rmtree(root / "meta" / "episodes")


@corruption("GA402", EPISODES)
def episodes_cut(root: Path) -> None:
    cut(root / EPISODES)


@corruption("GA402", EPISODES)
def episodes_without_bounds(root: Path) -> None:
    edit_table(root / EPISODES, lambda table: table.drop_columns(["dataset_to_index"]))


@corruption("GA402", "meta/episodes/chunk-000/file-001.parquet")
def episodes_of_another_writer(root: Path) -> None:
    """The first file has a column less than the second: LeRobot can't read them as one table."""
    table = pq.ParquetFile(root / EPISODES).read()
    pq.write_table(table.slice(0, 1).drop_columns(["tasks"]), root / EPISODES)
    pq.write_table(table.slice(1), root / "meta/episodes/chunk-000/file-001.parquet")


@corruption("GA402", "meta/episodes.jsonl", base="v21")
def old_episodes_damaged(root: Path) -> None:
    path = root / "meta/episodes.jsonl"
    path.write_text(path.read_text().replace("{", "", 1))


# -- counts ------------------------------------------------------------------------------------------------------------


@corruption("GA410", INFO)
def no_episodes(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(total_episodes=0, total_frames=0))
    shutil.rmtree(root / "meta" / "episodes")


@corruption("GA411", INFO)
def episode_row_lost(root: Path) -> None:
    edit_table(root / EPISODES, lambda table: table.slice(0, 2))


@corruption("GA412", INFO)
def total_frames_wrong(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(total_frames=1000))


@corruption("GA413", EPISODES)
def episode_length_wrong(root: Path) -> None:
    edit_table(root / EPISODES, lambda table: put(table, "length", [24, 27, 22]))


@corruption("GA413", EPISODES)
def episode_gap(root: Path) -> None:
    def move(table: pa.Table) -> pa.Table:
        table = put(table, "dataset_from_index", [0, 30, 50])
        return put(table, "dataset_to_index", [24, 50, 72])

    edit_table(root / EPISODES, move)


@corruption("GA413", EPISODES)
def episodes_shuffled(root: Path) -> None:
    edit_table(root / EPISODES, lambda table: table.take([1, 0, 2]))


@corruption("GA414", DATA)
def table_rows_lost(root: Path) -> None:
    edit_table(root / DATA, lambda table: table.slice(0, 61))


@corruption("GA414", "data/chunk-000/file-001.parquet")
def table_nobody_names(root: Path) -> None:
    shutil.copy(root / DATA, root / "data/chunk-000/file-001.parquet")


@corruption("GA416", DATA)
def index_restarts(root: Path) -> None:
    """Numbered as if the last episode were the first of a table of its own."""
    edit_table(root / DATA, lambda t: put(t, "index", np.array(t["index"]) % 44))


@corruption("GA416", DATA)
def episode_of_another_table(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "episode_index", np.array(t["episode_index"]) + 3))


@corruption("GA471", DATA, deep=True)
def values_null(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "observation.state", [None, *t["observation.state"].to_pylist()[1:]]))


@corruption("GA475", DATA, deep=True)
def number_null(root: Path) -> None:
    """As pandas writes NaN."""
    edit_table(root / DATA, lambda t: put(t, "timestamp", [None, *t["timestamp"].to_pylist()[1:]]))


@corruption("GA402", STATS)
def stats_null(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["action"].update(q90=None))


@corruption("GA415", INFO)
def splits_beyond(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(splits={"train": "0:100"}))


# -- tables and videos -------------------------------------------------------------------------------------------------


@corruption("GA421", DATA)
def table_missing(root: Path) -> None:
    (root / DATA).unlink()


@corruption("GA422", DATA)
def table_cut(root: Path) -> None:
    cut(root / DATA)


@corruption("GA422", DATA)
def table_empty(root: Path) -> None:
    (root / DATA).write_bytes(b"")


@corruption("GA422", DATA)
def table_is_pointer(root: Path) -> None:
    (root / DATA).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


@corruption("GA423", VIDEO)
def video_missing(root: Path) -> None:
    (root / VIDEO).unlink()


@corruption("GA423", VIDEO)
def video_link_broken(root: Path) -> None:
    (root / VIDEO).unlink()
    (root / VIDEO).symlink_to("/nowhere/file-000.mp4")


@corruption("GA423", "videos/chunk-000/observation.image/episode_000001.mp4", base="v21")
def old_video_missing(root: Path) -> None:
    (root / "videos/chunk-000/observation.image/episode_000001.mp4").unlink()


@corruption("GA424", VIDEO)
def video_empty(root: Path) -> None:
    (root / VIDEO).write_bytes(b"")


@corruption("GA424", VIDEO)
def video_cut(root: Path) -> None:
    cut(root / VIDEO)


@corruption("GA424", VIDEO)
def video_without_times(root: Path) -> None:
    """One of the boxes that every header has is called otherwise."""
    (root / VIDEO).write_bytes((root / VIDEO).read_bytes().replace(b"stts", b"stxs"))


@corruption("GA424", VIDEO)
def video_is_text(root: Path) -> None:
    (root / VIDEO).write_text("404: Not Found\n" * 20)


@corruption("GA425", INFO)
def data_path_old(root: Path) -> None:
    old = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
    edit_json(root / INFO, lambda info: info.update(data_path=old))


@corruption("GA425", INFO)
def data_path_plain(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(data_path="data/all.parquet"))


@corruption("GA425", INFO)
def data_path_absolute(root: Path) -> None:
    path = "/home/me/data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
    edit_json(root / INFO, lambda info: info.update(data_path=path))


@corruption("GA425", INFO, base="two")
def video_path_of_one_camera(root: Path) -> None:
    path = f"videos/{CAMERA}/chunk-{{chunk_index:03d}}/file-{{file_index:03d}}.mp4"
    edit_json(root / INFO, lambda info: info.update(video_path=path))


@corruption("GA426", "data/chunk-000/notes.txt")
def broken_link(root: Path) -> None:
    (root / "data/chunk-000/notes.txt").symlink_to("/nowhere/notes.txt")


@corruption("GA427", DATA)
def column_missing(root: Path) -> None:
    edit_table(root / DATA, lambda table: table.drop_columns(["action"]))


@corruption("GA427", DATA)
def column_undeclared(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"].pop("observation.state") and None)


@corruption("GA427", INFO)
def action_in_rows(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["action"].update(shape=[1, 2]))


@corruption("GA427", INFO)
def action_of_whole_numbers(root: Path) -> None:
    """Recorded as fractions, declared as whole numbers: LeRobot can't load it."""
    edit_json(root / INFO, lambda info: info["features"]["action"].update(dtype="int64"))


@corruption("GA427", INFO)
def action_too_long(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["action"].update(shape=[3], names=None))


# -- statistics --------------------------------------------------------------------------------------------------------


@corruption("GA431", STATS)
def stats_missing(root: Path) -> None:
    (root / STATS).unlink()


@corruption("GA402", STATS)
def stats_cut(root: Path) -> None:
    cut(root / STATS)


@corruption("GA402", STATS)
def stats_text(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["action"].update(mean=["high", "low"]))


@corruption("GA432", STATS)
def stats_feature_missing(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats.pop("observation.state") and None)


@corruption("GA432", STATS)
def stats_camera_missing(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats.pop(CAMERA) and None)


@corruption("GA433", STATS)
def stats_nan(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["action"].update(mean=[float("nan"), 0.0]))


@corruption("GA433", STATS)
def stats_infinite(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["observation.state"].update(max=[float("inf"), 1.0]))


@corruption("GA434", STATS)
def stats_short(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["action"].update({k: v[:1] for k, v in stats["action"].items()}))


@corruption("GA435", STATS)
def stats_turned(root: Path) -> None:
    edit_json(
        root / STATS, lambda stats: stats["action"].update(min=stats["action"]["max"], max=stats["action"]["min"])
    )


@corruption("GA485", STATS)
def stats_no_spread(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["observation.state"].update(std=[0.0, 0.0]))


@corruption("GA435", STATS)
def quantiles_turned(root: Path) -> None:
    edit_json(
        root / STATS, lambda stats: stats["action"].update(q01=stats["action"]["q99"], q99=stats["action"]["q01"])
    )


@corruption("GA435", STATS)
def std_negative(root: Path) -> None:
    edit_json(root / STATS, lambda stats: stats["action"].update(std=[-1.0, 1.0]))


@corruption("GA436", STATS)
def constant_joint(root: Path) -> None:
    def hold(action: np.ndarray) -> np.ndarray:
        action[:, 1] = 0.5
        return action

    edit_action(root, hold, statistics=True)


@corruption("GA437", STATS)
def image_stats_255(root: Path) -> None:
    def scale(stats: dict[str, Any]) -> None:
        for name in stats[CAMERA]:
            if name != "count":
                stats[CAMERA][name] = (np.array(stats[CAMERA][name]) * 255).tolist()

    edit_json(root / STATS, scale)


@corruption("GA438", STATS)
def stats_stale(root: Path) -> None:
    """The statistics of another dataset: plausible in themselves."""

    def other(stats: dict[str, Any]) -> None:
        for name in stats["action"]:
            if name != "count":
                stats["action"][name] = (np.array(stats["action"][name]) * 3).tolist()

    edit_json(root / STATS, other)


@corruption("GA438", STATS)
def stats_of_fewer_frames(root: Path) -> None:
    def fewer(stats: dict[str, Any]) -> None:
        for key in ("action", "observation.state"):
            stats[key]["count"] = [44]

    edit_json(root / STATS, fewer)


# -- time --------------------------------------------------------------------------------------------------------------


@corruption("GA441", INFO)
def fps_30_over_10(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(fps=30))


@corruption("GA441", INFO)
def fps_of_files(root: Path) -> None:
    """Both the dataset and the notes on its videos say 30; only the files know better."""

    def both(info: dict[str, Any]) -> None:
        info["fps"] = 30
        info["features"][CAMERA]["info"]["video.fps"] = 30

    edit_json(root / INFO, both)


@corruption("GA442", EPISODES)
def video_shifted(root: Path) -> None:
    def shift(table: pa.Table) -> pa.Table:
        table = put(table, f"videos/{CAMERA}/from_timestamp", [0.0, 0.9, 2.9])
        return put(table, f"videos/{CAMERA}/to_timestamp", [2.4, 2.9, 5.1])

    edit_table(root / EPISODES, shift)


@corruption("GA442", EPISODES)
def video_stretch_too_long(root: Path) -> None:
    edit_table(root / EPISODES, lambda table: put(table, f"videos/{CAMERA}/to_timestamp", [2.4, 4.4, 9.9]))


@corruption("GA443", VIDEO)
def last_frame_missing(root: Path) -> None:
    encode(root / VIDEO, decode(root / VIDEO)[:-1])


@corruption("GA443", VIDEO)
def video_too_short(root: Path) -> None:
    encode(root / VIDEO, decode(root / VIDEO)[:44])


@corruption("GA444", INFO)
def video_size(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(shape=[64, 96, 3]))


# -- tasks -------------------------------------------------------------------------------------------------------------


@corruption("GA451", INFO)
def tasks_none(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(total_tasks=0))


@corruption("GA452", TASKS, base="two")
def tasks_order(root: Path) -> None:
    edit_table(root / TASKS, lambda table: table.take([1, 0]))


@corruption("GA452", TASKS, base="two")
def tasks_twice(root: Path) -> None:
    edit_table(root / TASKS, lambda table: put(table, "task_index", [0, 0]))


@corruption("GA453", TASKS)
def task_blank(root: Path) -> None:
    edit_table(root / TASKS, lambda table: put(table, "task", [""]))
    edit_table(root / EPISODES, lambda table: put(table, "tasks", [[""], [""], [""]]))


@corruption("GA454", INFO)
def task_count(root: Path) -> None:
    edit_json(root / INFO, lambda info: info.update(total_tasks=5))


@corruption("GA454", EPISODES)
def episode_without_task(root: Path) -> None:
    edit_table(root / EPISODES, lambda t: put(t, "tasks", [[], *t["tasks"].to_pylist()[1:]]))


@corruption("GA454", TASKS)
def task_unknown(root: Path) -> None:
    edit_table(
        root / EPISODES, lambda table: put(table, "tasks", [["Do the thing."], ["Do another."], ["Do the thing."]])
    )


# -- features ----------------------------------------------------------------------------------------------------------


def rename_feature(root: Path, old: str, new: str) -> None:
    """Rename a vector feature wherever it stands."""

    def renamed(mapping: dict[str, Any]) -> dict[str, Any]:
        return {new if key == old else key: value for key, value in mapping.items()}

    edit_json(root / INFO, lambda info: info.update(features=renamed(info["features"])))
    edit_json(root / STATS, renamed)
    edit_table(root / DATA, lambda t: t.rename_columns([new if name == old else name for name in t.column_names]))
    edit_table(
        root / EPISODES,
        lambda t: t.rename_columns([name.replace(f"stats/{old}/", f"stats/{new}/") for name in t.column_names]),
    )


@corruption("GA461", INFO)
def slash_key(root: Path) -> None:
    rename_feature(root, "observation.state", "observation/state")


@corruption("GA462", INFO)
def openpi_keys(root: Path) -> None:
    rename_feature(root, "observation.state", "state")
    rename_feature(root, "action", "actions")


@corruption("GA462", INFO)
def openpi_state(root: Path) -> None:
    rename_feature(root, "observation.state", "state")


@corruption("GA463", INFO)
def image_names_null(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(names=None))


@corruption("GA463", INFO)
def image_wrong_way_round(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(names=["height", "width", "rgb"]))


@corruption("GA463", INFO)
def image_flat(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(shape=[32, 48], names=["height", "width"]))


@corruption("GA463", INFO)
def image_shape_empty(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"][CAMERA].update(shape=[]))


@corruption("GA466", INFO)
def names_too_many(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["action"].update(names=["x", "y", "z"]))


@corruption("GA467", INFO)
def index_feature_missing(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"].pop("task_index") and None)


@corruption("GA468", INFO)
def dtype_unknown(root: Path) -> None:
    edit_json(root / INFO, lambda info: info["features"]["action"].update(dtype="tensor"))


# -- the data itself: only a deep look sees it -------------------------------------------------------------------------


@corruption("GA471", DATA, deep=True)
def data_nan(root: Path) -> None:
    def spoil(action: np.ndarray) -> np.ndarray:
        action[30, 0] = np.nan
        return action

    edit_action(root, spoil)


@corruption("GA472", DATA, deep=True)
def data_jump(root: Path) -> None:
    def jump(action: np.ndarray) -> np.ndarray:
        action[30, 0] += 40
        return action

    edit_action(root, jump, statistics=True)


@corruption("GA473", DATA, deep=True)
def frozen_episode(root: Path) -> None:
    """One joint stands still for a whole episode in which everything else moves."""

    def freeze(action: np.ndarray) -> np.ndarray:
        action[24:44, 1] = action[24, 1]
        return action

    edit_action(root, freeze, statistics=True)


@corruption("GA474", DATA, deep=True)
def clipped_joint(root: Path) -> None:
    def clip(action: np.ndarray) -> np.ndarray:
        span = np.ptp(action[:, 0])
        action[:, 0] = np.clip(action[:, 0], action[:, 0].min() + 0.1 * span, action[:, 0].max() - 0.1 * span)
        return action

    edit_action(root, clip, statistics=True)


@corruption("GA475", DATA, deep=True)
def timestamps_stretched(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "timestamp", (np.array(t["timestamp"]) * 3).astype(np.float32)))


@corruption("GA475", DATA, deep=True)
def timestamp_gap(root: Path) -> None:
    def gap(table: pa.Table) -> pa.Table:
        times = np.array(table["timestamp"]).copy()
        times[12:24] += 0.4
        return put(table, "timestamp", times)

    edit_table(root / DATA, gap)


@corruption("GA476", DATA, deep=True)
def episode_index_wrong(root: Path) -> None:
    def wrong(table: pa.Table) -> pa.Table:
        return put(table, "episode_index", np.where(np.array(table["index"]) == 24, 0, table["episode_index"]))

    edit_table(root / DATA, wrong)


@corruption("GA476", DATA, deep=True)
def index_repeats(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "index", np.where(np.array(t["index"]) == 60, 59, t["index"])))


@corruption("GA476", DATA, deep=True)
def frame_index_jumps(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "frame_index", np.array(t["frame_index"]) * 2))


@corruption("GA476", DATA, deep=True)
def task_index_beyond(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "task_index", np.full(len(t), 7)))


@corruption("GA476", DATA, deep=True)
def task_index_negative(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, "task_index", np.full(len(t), -1)))


@corruption("GA477", STATS, deep=True)
def stats_not_of_data(root: Path) -> None:
    """All of meta/ agrees with itself, the recorded actions are others."""
    edit_action(root, lambda action: action * 0.5)


@corruption("GA478", STATS, deep=True)
def quantiles_of_lerobot(root: Path) -> None:
    """The quantiles that LeRobot 0.6.1 writes: the mean of the episodes' own."""
    table = pq.ParquetFile(root / EPISODES).read()

    def mean(stats: dict[str, Any]) -> None:
        weight = np.array(table["length"])
        for key in ("action", "observation.state"):
            for name in ("q01", "q10", "q50", "q90", "q99"):
                of_episodes = np.array(table[f"stats/{key}/{name}"].to_pylist())
                stats[key][name] = np.average(of_episodes, axis=0, weights=weight).tolist()

    edit_json(root / STATS, mean)


@corruption("GA479", DATA, deep=True)
def episodes_twice(root: Path) -> None:
    """The third episode repeats the first, frame for frame."""

    def repeat(values: np.ndarray) -> np.ndarray:
        values[44:66] = values[0:22]
        return values

    for key in ("action", "observation.state"):
        edit_action(root, repeat, statistics=True, key=key)


@corruption("GA480", DATA, base="long", deep=True)
def action_late(root: Path) -> None:
    """The action is the state of three frames before."""

    def late(table: pa.Table) -> pa.Table:
        state = vectors(table, "observation.state")
        return put(table, "action", np.concatenate([state[:3], state[:-3]]).tolist())

    edit_table(root / DATA, late)
    action = vectors(pq.ParquetFile(root / DATA).read(), "action")
    edit_action(root, lambda _: action, statistics=True)


@corruption("GA481", VIDEO, deep=True)
def video_scrambled(root: Path) -> None:
    content = bytearray((root / VIDEO).read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + len(content) // 2] = bytes(len(content) // 2)
    (root / VIDEO).write_bytes(content[: (root / VIDEO).stat().st_size])


@corruption("GA481", VIDEO, deep=True)
def video_begins_late(root: Path) -> None:
    """Every frame is there, two frames too late: as of a stream that was cut without its beginning."""
    encode(root / VIDEO, decode(root / VIDEO), begin=2)


@corruption("GA481", DATA, base="image", deep=True)
def pictures_lost(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, CAMERA, [None] * len(t)))


@corruption("GA481", DATA, base="image", deep=True)
def pictures_damaged(root: Path) -> None:
    edit_table(root / DATA, lambda t: put(t, CAMERA, [{"bytes": b"no picture", "path": "a.png"}] * len(t)))


@corruption("GA482", VIDEO, deep=True)
def video_black(root: Path) -> None:
    encode(root / VIDEO, [np.zeros((32, 48, 3), np.uint8)] * 66)


@corruption("GA483", VIDEO, deep=True)
def video_frozen(root: Path) -> None:
    encode(root / VIDEO, [decode(root / VIDEO)[0]] * 66)


@corruption("GA482", VIDEO, deep=True)
def video_goes_black(root: Path) -> None:
    frames = decode(root / VIDEO)
    encode(root / VIDEO, frames[:33] + [np.zeros((32, 48, 3), np.uint8)] * 33)


@corruption("GA484", DATA, deep=True)
def pages_damaged(root: Path) -> None:
    """The footer is whole, so that a look at headers finds nothing."""
    content = bytearray((root / DATA).read_bytes())
    content[40:400] = bytes(byte ^ 0x5A for byte in content[40:400])
    (root / DATA).write_bytes(content)


@corruption("GA484", DATA, deep=True)
def rows_of_other_lengths(root: Path) -> None:
    def shorten(table: pa.Table) -> pa.Table:
        action = table["action"].to_pylist()
        action[5] = action[5][:1]
        return table.set_column(table.column_names.index("action"), "action", pa.array(action, pa.list_(pa.float32())))

    edit_table(root / DATA, shorten)
