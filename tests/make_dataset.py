"""Small real LeRobot datasets, written by LeRobot itself (v3.0) or by hand (v2.1, v2.0).

The signals are smooth and differ from episode to episode, the picture shows where the state is, so a policy can learn
something from twenty steps, and no statistic is degenerate. Every function takes the folder to write, which must not
exist, and returns it.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

PUSHT_TASK = "Push the T-shaped block onto the T-shaped target."
ALOHA_TASKS = {
    "lerobot/aloha_sim_transfer_cube_human": "Pick up the cube with the right arm and transfer it to the left arm.",
    "lerobot/aloha_sim_insertion_human": "Insert the peg into the socket.",
}
ALOHA_MOTORS = [
    f"{side}_{motor}"
    for side in ("left", "right")
    for motor in ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
]


def pusht(root: Path, episodes: int = 3, frames: int = 30) -> Path:
    """A set with the features, dtypes, shapes, names, fps and task text of `lerobot/pusht`."""
    return make(
        root,
        repo_id="lerobot/pusht",
        cameras={"observation.image": (96, 96)},
        reward=True,
        robot_type="unknown",
        lengths=[frames - 2 * (i % 2) for i in range(episodes)],
        tasks=[PUSHT_TASK],
        low=20.0,
        high=490.0,
    )


def aloha(root: Path, name: str = "lerobot/aloha_sim_transfer_cube_human", lengths: Sequence[int] = (110, 64)) -> Path:
    """A set with the features, dtypes, shapes, names and fps of the simulated ALOHA sets of the Hub."""
    return make(
        root,
        repo_id=name,
        cameras={"observation.images.top": (480, 640)},
        state=ALOHA_MOTORS,
        action=ALOHA_MOTORS,
        fps=50,
        done=True,
        robot_type="aloha",
        lengths=lengths,
        tasks=[ALOHA_TASKS[name]],
        low=-1.2,
        high=1.2,
        # AV1 of this size costs seconds per episode.
        codec="h264",
        seed=len(name),
    )


def make(
    root: Path,
    *,
    repo_id: str = "made/toy",
    cameras: Mapping[str, tuple[int, int]] | None = None,
    depth: Mapping[str, tuple[int, int]] | None = None,
    storage: Literal["video", "image"] = "video",
    state: int | Sequence[str] | None = 2,
    action: int | Sequence[str] = 2,
    fps: int = 10,
    lengths: Sequence[int] = (24, 20, 22),
    tasks: Sequence[str] = ("Do the thing.",),
    reward: bool = False,
    done: bool = False,
    extra: Mapping[str, int] | None = None,
    others: Mapping[str, tuple[str, tuple[int, ...]]] | None = None,
    robot_type: str | None = None,
    low: float = -1.0,
    high: float = 1.0,
    codec: str = "libsvtav1",
    true_quantiles: bool = True,
    data_files_size_in_mb: float | None = None,
    video_files_size_in_mb: float | None = None,
    seed: int = 0,
) -> Path:
    """Write a LeRobot v3.0 dataset with LeRobot's own writer.

    Args:
        root: Folder to create.
        repo_id: Name the dataset gets; LeRobot stores it nowhere.
        cameras: Colour cameras, `{feature key: (height, width)}`; default one of 32x48.
        depth: Depth cameras, likewise; frames are uint16 millimetres.
        storage: Pictures as mp4 files or as PNG inside the parquet files.
        state: Length of `observation.state`, or its names; None leaves it out.
        action: Length of `action`, or its names.
        fps: Frames per second.
        lengths: Frames of each episode.
        tasks: Task texts, given to the episodes in turn.
        reward: Add `next.reward`, `next.done` and `next.success`.
        done: Add `next.done` only.
        extra: More float32 vectors, `{feature key: length}`.
        others: Features of any other kind, `{feature key: (dtype, shape)}`, with random numbers below 9.
        robot_type: As in info.json.
        low: Smallest state and action value.
        high: Largest state and action value.
        codec: Video codec of the colour cameras, as LeRobot names it.
        true_quantiles: Correct the quantiles of stats.json (LeRobot 0.6.1 writes a mean of the episodes' quantiles).
        data_files_size_in_mb: Roll over to a new data file at this size.
        video_files_size_in_mb: Roll over to a new video file at this size.
        seed: Other signals for another seed.
    """
    from lerobot.configs.video import RGBEncoderConfig
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    cameras = {"observation.images.top": (32, 48)} if cameras is None else cameras
    depth = depth or {}
    vectors: dict[str, int | Sequence[str]] = {} if state is None else {"observation.state": state}
    vectors |= {"action": action, **(extra or {})}
    features: dict[str, dict[str, Any]] = {
        key: {"dtype": storage, "shape": (*size, 3), "names": ["height", "width", "channel"]}
        for key, size in cameras.items()
    }
    for key, size in depth.items():
        info = {"is_depth_map": True}
        features[key] = {"dtype": storage, "shape": (*size, 1), "names": ["height", "width", "channel"], "info": info}
    for key, dims in vectors.items():
        names = [f"motor_{i}" for i in range(dims)] if isinstance(dims, int) else list(dims)
        features[key] = {"dtype": "float32", "shape": (len(names),), "names": {"motors": names}}
    for key, (dtype, shape) in (others or {}).items():
        features[key] = {"dtype": dtype, "shape": shape, "names": None}
    if reward:
        features["next.reward"] = {"dtype": "float32", "shape": (1,), "names": None}
    if reward or done:
        features["next.done"] = {"dtype": "bool", "shape": (1,), "names": None}
    if reward:
        features["next.success"] = {"dtype": "bool", "shape": (1,), "names": None}

    has_video = storage == "video" and bool(cameras or depth)
    dataset = LeRobotDataset.create(
        repo_id,
        fps,
        features,
        root=root,
        robot_type=robot_type,
        use_videos=has_video,
        # PNG files in between would cost most of the time.
        streaming_encoding=has_video,
        encoder_queue_maxsize=max(lengths) + 1,
        rgb_encoder=RGBEncoderConfig(vcodec=codec, preset="ultrafast" if codec == "h264" else None),
        data_files_size_in_mb=data_files_size_in_mb,  # type: ignore[arg-type]
        video_files_size_in_mb=video_files_size_in_mb,  # type: ignore[arg-type]
    )
    rng = np.random.default_rng(seed)
    for episode, length in enumerate(lengths):
        signals = {key: _signal(rng, length, features[key]["shape"][0], low, high) for key in vectors}
        where = (next(iter(signals.values()))[:, :2] - low) / (high - low)
        for i in range(length):
            frame: dict[str, Any] = {key: values[i] for key, values in signals.items()}
            frame |= {key: _picture(size, where[i], episode) for key, size in cameras.items()}
            frame |= {key: _depth(size, where[i]) for key, size in depth.items()}
            for key, (dtype, shape) in (others or {}).items():
                values = rng.uniform(0, 9, shape) if dtype != "bool" else rng.integers(0, 2, shape)
                frame[key] = "left" if dtype == "string" else values.astype(dtype)
            if reward:
                frame["next.reward"] = np.array([i / length], dtype=np.float32)
                frame["next.success"] = np.array([i == length - 1 and episode % 2 == 0])
            if reward or done:
                frame["next.done"] = np.array([i == length - 1])
            dataset.add_frame({**frame, "task": tasks[episode % len(tasks)]})
        dataset.save_episode()
    dataset.finalize()
    # Left behind empty by LeRobot's writer.
    shutil.rmtree(root / "images", ignore_errors=True)
    if true_quantiles:
        from getiaction.data.demo.quantiles import correct_quantiles

        correct_quantiles(root)
    return root


def v21(source: Path, root: Path) -> Path:
    """Write the v3.0 dataset at `source` again in the v2.1 layout: one file per episode, statistics per episode."""
    info, episodes, tables = _read_v3(source)
    _write_v2(source, root, info, episodes, tables, version="v2.1")
    lines = []
    for row in episodes:
        stats: dict[str, dict[str, Any]] = {}
        for column, value in row.items():
            if column.startswith("stats/"):
                _, key, name = column.split("/", 2)
                if name in ("min", "max", "mean", "std", "count"):
                    stats.setdefault(key, {})[name] = value
        lines.append({"episode_index": row["episode_index"], "stats": stats})
    _write_jsonl(root / "meta/episodes_stats.jsonl", lines)
    return root


def v20(source: Path, root: Path) -> Path:
    """Write the v3.0 dataset at `source` again in the v2.0 layout: one file per episode, statistics of the whole."""
    info, episodes, tables = _read_v3(source)
    _write_v2(source, root, info, episodes, tables, version="v2.0")
    stats = json.loads((source / "meta/stats.json").read_text())
    kept = {k: {n: v for n, v in s.items() if n in ("min", "max", "mean", "std")} for k, s in stats.items()}
    (root / "meta/stats.json").write_text(json.dumps(kept, indent=4))
    return root


def _signal(rng: np.random.Generator, length: int, dims: int, low: float, high: float) -> np.ndarray:
    """A smooth walk of shape (length, dims) between `low` and `high`, another one for each dimension."""
    t = np.arange(length)[:, None]
    period, phase = rng.uniform(15, 40, dims), rng.uniform(0, 2 * np.pi, dims)
    size = rng.uniform(0.4, 0.95, dims)
    wave = size * np.sin(2 * np.pi * t / period + phase)
    return (low + (high - low) * (wave + 1) / 2).astype(np.float32)


def _picture(size: tuple[int, int], where: np.ndarray, episode: int) -> np.ndarray:
    """A blue spot at `where` (0..1 in x and y) on a plain ground that differs a little between episodes."""
    height, width = size
    picture = np.full((height, width, 3), 235 - 10 * (episode % 3), dtype=np.uint8)
    x, y = int(where[0] * (width - 1)), int(where[-1] * (height - 1))
    r = max(2, min(size) // 12)
    picture[max(0, y - r) : y + r, max(0, x - r) : x + r] = (65, 105, 225)
    return picture


def _depth(size: tuple[int, int], where: np.ndarray) -> np.ndarray:
    """A slope from half a metre to two metres, in uint16 millimetres."""
    height, width = size
    row = np.linspace(500, 1500 + 500 * float(where[0]), width)
    return np.repeat(row[None, :, None], height, axis=0).astype(np.uint16)


def _read_v3(source: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[int, Any]]:
    """info.json, the rows of meta/episodes in order, and each episode's own table."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    info = json.loads((source / "meta/info.json").read_text())
    rows = [
        row for file in sorted((source / "meta/episodes").rglob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]
    tables = {}
    for row in rows:
        file = source / info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        # ParquetFile: read_table would turn the folder names into columns.
        table = pq.ParquetFile(file).read()
        tables[row["episode_index"]] = table.filter(pc.equal(table["episode_index"], row["episode_index"]))
    return info, rows, tables


def _write_v2(
    source: Path,
    root: Path,
    info: dict[str, Any],
    episodes: list[dict[str, Any]],
    tables: dict[int, Any],
    version: str,
) -> None:
    import pyarrow.parquet as pq

    (root / "meta").mkdir(parents=True)
    video_keys = [key for key, feature in info["features"].items() if feature["dtype"] == "video"]
    v3_video_path = info["video_path"]
    info = {k: v for k, v in info.items() if not k.endswith("_files_size_in_mb")}
    info |= {
        "codebase_version": version,
        "total_videos": len(video_keys) * len(episodes),
        "total_chunks": 1,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
        if video_keys
        else None,
    }
    (root / "meta/info.json").write_text(json.dumps(info, indent=4))
    lines = [{k: row[k] for k in ("episode_index", "tasks", "length")} for row in episodes]
    _write_jsonl(root / "meta/episodes.jsonl", lines)
    tasks = pq.read_table(source / "meta/tasks.parquet").to_pylist()
    named = [{"task_index": t["task_index"], "task": next(v for k, v in t.items() if k != "task_index")} for t in tasks]
    _write_jsonl(root / "meta/tasks.jsonl", named)
    for row in episodes:
        where = {"episode_chunk": 0, "episode_index": row["episode_index"]}
        file = root / info["data_path"].format(**where)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(tables[row["episode_index"]], file)
        for key in video_keys:
            index = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
            target = root / info["video_path"].format(video_key=key, **where)
            target.parent.mkdir(parents=True, exist_ok=True)
            start = round(row[f"videos/{key}/from_timestamp"] * info["fps"])
            whole = source / v3_video_path.format(video_key=key, **index)
            _cut(whole, target, start, row["length"], info["fps"])


def _cut(source: Path, target: Path, start: int, length: int, fps: int) -> None:
    """Encode `length` frames of a video, from frame `start` on, as a video of their own."""
    import av

    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        given = whole.streams.video[0]
        stream = part.add_stream("libsvtav1" if given.codec.name == "libdav1d" else given.codec.canonical_name, fps)
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, given.pix_fmt
        for i, frame in enumerate(whole.decode(given)):
            if start <= i < start + length:
                fresh = av.VideoFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name)
                fresh.pts = i - start
                part.mux(stream.encode(fresh))
        part.mux(stream.encode())


def _write_jsonl(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
