"""How `inspect-dataset` grows with the number of episodes: time, memory, and LeRobot's own loading of the same files.

    python benchmarks/inspect_scale.py                      1,000, 10,000 and 100,000 episodes
    python benchmarks/inspect_scale.py --episodes 1000000   one size (4 GB of metadata, minutes to write)
    python benchmarks/inspect_scale.py --deep               the tables too: throughput against a plain pyarrow read,
                                                            and lerobot-doctor where it is installed

The metadata is written as LeRobot's recorder writes it: ten episodes per row group, 121 columns (three cameras, 14
joints of state and action, statistics of each), files of 100 MB. The goal for 100,000 episodes is at most three times
the CPU time of a bare pyarrow read of the index columns, and 500 MB. `--tasks 1` puts the validation split in play.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CAMERAS = tuple(f"observation.images.{name}" for name in ("top", "left", "right"))
JOINTS = 14
FRAMES = 300
FPS = 30
FILE_MB = 100
PER_GROUP = 10
AT_ONCE = 2000  # episodes made at once, written ten by ten


def write_metadata(root: Path, episodes: int, tasks: int = 1) -> Path:
    """Write meta/ of a dataset of that many episodes; nothing else. With several tasks each episode has two."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    (root / "meta").mkdir(parents=True)
    features = _features()
    info = {
        "codebase_version": "v3.0", "robot_type": "made", "fps": FPS, "features": features,
        "total_episodes": episodes, "total_frames": episodes * FRAMES, "total_tasks": tasks,
        "chunks_size": 1000, "data_files_size_in_mb": 100, "video_files_size_in_mb": 200,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "splits": {"train": f"0:{episodes}"},
    }  # fmt: skip
    (root / "meta/info.json").write_text(json.dumps(info, indent=4))
    names = [f"Do the thing number {i}." for i in range(tasks)]
    pq.write_table(pa.table({"task_index": range(tasks), "task": names}), root / "meta/tasks.parquet")

    writer, file = None, 0
    middles = []
    for start in range(0, episodes, AT_ONCE):
        middles.append(rng.uniform(-0.1, 0.1, (min(AT_ONCE, episodes - start), JOINTS)))
        table = _rows(start, middles[-1], names, file, features)
        for row in range(0, len(table), PER_GROUP):
            if writer is None:
                path = root / f"meta/episodes/chunk-{file // 1000:03d}/file-{file % 1000:03d}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(path, table.schema, compression="snappy", use_dictionary=True)
            writer.write_table(table.slice(row, PER_GROUP))
            if path.stat().st_size >= FILE_MB << 20:
                writer.close()
                writer, file = None, file + 1
    if writer is not None:
        writer.close()
    middle = np.concatenate(middles)
    _write_stats(root, features, middle.min(axis=0) - 1, middle.max(axis=0) + 1, middle.mean(axis=0))
    return root


def _features() -> dict[str, dict]:
    video = {"video.fps": FPS, "video.codec": "av1", "video.pix_fmt": "yuv420p", "is_depth_map": False}
    cameras = {
        key: {"dtype": "video", "shape": [480, 640, 3], "names": ["height", "width", "channels"], "info": video}
        for key in CAMERAS
    }
    names = [f"joint_{i}" for i in range(JOINTS)]
    vectors = {key: {"dtype": "float32", "shape": [JOINTS], "names": names} for key in ("observation.state", "action")}
    index = {
        key: {"dtype": "float32" if key == "timestamp" else "int64", "shape": [1], "names": None}
        for key in ("timestamp", "frame_index", "episode_index", "index", "task_index")
    }
    return cameras | vectors | index


def _rows(start: int, middles: np.ndarray, tasks: list[str], file: int, features: dict[str, dict]):
    import pyarrow as pa

    count = len(middles)
    episode = np.arange(start, start + count)
    columns = {
        "episode_index": episode,
        "tasks": [list(dict.fromkeys([tasks[e % len(tasks)], tasks[(e + 1) % len(tasks)]])) for e in episode.tolist()],
        "length": np.full(count, FRAMES),
        "dataset_from_index": episode * FRAMES,
        "dataset_to_index": (episode + 1) * FRAMES,
        "data/chunk_index": episode // 1_000_000,
        "data/file_index": episode // 1000 % 1000,
        "meta/episodes/chunk_index": np.full(count, file // 1000),
        "meta/episodes/file_index": np.full(count, file % 1000),
    }
    for key in CAMERAS:
        place = episode % 100
        columns |= {
            f"videos/{key}/chunk_index": episode // 100 // 1000,
            f"videos/{key}/file_index": episode // 100 % 1000,
            f"videos/{key}/from_timestamp": place * FRAMES / FPS,
            f"videos/{key}/to_timestamp": (place + 1) * FRAMES / FPS,
        }
    for key, feature in features.items():
        size = 3 if feature["dtype"] == "video" else feature["shape"][0]
        middle = middles[:, :size]
        for name, values in {
            "min": middle - 1, "max": middle + 1, "mean": middle, "std": np.full((count, size), 0.5),
            "q01": middle - 0.9, "q10": middle - 0.6, "q50": middle, "q90": middle + 0.6, "q99": middle + 0.9,
        }.items():  # fmt: skip
            nested = values[:, :, None, None] if feature["dtype"] == "video" else values
            columns[f"stats/{key}/{name}"] = nested.tolist()
        columns[f"stats/{key}/count"] = [[FRAMES]] * count
    return pa.Table.from_pydict(columns)


def _write_stats(root: Path, features: dict[str, dict], low: np.ndarray, high: np.ndarray, mean: np.ndarray) -> None:
    """As the sum of the episodes' own, so that nothing is wrong with it."""
    numbers = {"min": low, "max": high, "mean": mean, "std": np.full_like(mean, 0.5)}
    numbers |= {"q01": mean - 0.9, "q10": mean - 0.6, "q50": mean, "q90": mean + 0.6, "q99": mean + 0.9}
    total = json.loads((root / "meta/info.json").read_text())["total_frames"]
    stats = {}
    for key, feature in features.items():
        size = 3 if feature["dtype"] == "video" else feature["shape"][0]
        cut = {name: values[:size] for name, values in numbers.items()}
        shaped = {k: (v[:, None, None] if feature["dtype"] == "video" else v).tolist() for k, v in cut.items()}
        stats[key] = {**shaped, "count": [total]}
    (root / "meta/stats.json").write_text(json.dumps(stats))


def best(command: list[str], environment: dict[str, str], runs: int) -> tuple[float, float]:
    """The least CPU time of some runs of a whole process in seconds, and the largest peak of memory in MB."""
    wrapped = [
        sys.executable,
        "-c",
        "import resource, subprocess, sys;"
        "r = subprocess.run(sys.argv[1:], capture_output=True, text=True);"
        "r.returncode > 1 and sys.exit(r.stdout + r.stderr);"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime, u.ru_maxrss / 1024)",
        *command,
    ]
    results = []
    for _ in range(runs):
        done = subprocess.run(wrapped, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        results.append(tuple(map(float, done.stdout.split())))
    return min(seconds for seconds, _ in results), max(memory for _, memory in results)


LEROBOT = (
    "import sys; from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata as M;"
    "m = M('bench/x', root=sys.argv[1]); print(m.total_episodes, len(m.episodes))"
)
BARE = (
    "import sys, pathlib, pyarrow.parquet as pq\n"
    "for path in sorted(pathlib.Path(sys.argv[1]).glob('meta/episodes/*/*.parquet')):\n"
    "    file = pq.ParquetFile(path)\n"
    "    file.read(columns=[name for name in file.schema_arrow.names if not name.startswith('stats/')])"
)
GOAL = 3  # times the CPU time of the bare read
MAX_MB = 500


def shallow(home: Path, sizes: list[int], runs: int, *, tasks: int, lerobot: bool) -> None:
    """One line per size."""
    environment = {**os.environ, "HF_LEROBOT_HOME": str(home), "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
    getiaction = [sys.executable, "-m", "getiaction_cli.main"]
    print("CPU time and peak memory of whole processes; `bare` is pyarrow reading the index columns and doing nothing")
    print(f"{'episodes':>10} {'metadata':>10} {'inspect':>9} {'memory':>9} {'bare':>9} {'ratio':>7}  goal")
    first: tuple[int, float] | None = None
    for episodes in sizes:
        name = f"bench/episodes-{episodes}-tasks-{tasks}"
        # A cached copy of which only meta/ is here: what `inspect-dataset` sees after fetching it from the Hub.
        root = home / "hub" / f"datasets--{name.replace('/', '--')}" / "snapshots" / "v3.0"
        if not (root / "meta/stats.json").is_file():
            shutil.rmtree(root, ignore_errors=True)
            write_metadata(root, episodes, tasks)
        size = sum(path.stat().st_size for path in (root / "meta").rglob("*.parquet")) / 1e6
        seconds, memory = best([*getiaction, "inspect-dataset", name], environment, runs)
        bare, _ = best([sys.executable, "-c", BARE, str(root)], environment, runs)
        met = "met" if seconds <= GOAL * bare and memory <= MAX_MB else "not met"
        goal = f"{GOAL}x, {MAX_MB} MB: {met}" if episodes >= 100_000 else ""
        line = f"{episodes:>10,} {size:>7,.0f} MB {seconds:>7.2f} s {memory:>6.0f} MB"
        line += f" {bare:>7.2f} s {seconds / bare:>6.1f}x"
        print(f"{line}  {goal}".rstrip(), flush=True)
        if lerobot:
            # LeRobot's own time includes its import, as ours does.
            theirs, their_memory = best([sys.executable, "-c", LEROBOT, str(root)], environment, 1)
            print(
                f"{'':>10} LeRobot: {theirs:.2f} s, {their_memory:.0f} MB, {theirs / seconds:.1f} times inspect-dataset"
            )
        if first is not None:
            grown = f"{seconds / first[1]:.1f} times the time for {episodes / first[0]:.0f} times the episodes"
            print(f"{'':>10} {grown}")
        first = episodes, seconds


def deep(folder: Path, frames: int) -> None:
    """Throughput of the deep look at the numbers, against pyarrow reading the same columns and doing nothing."""
    import resource

    import pyarrow.parquet as pq

    from getiaction_cli.datasets import locate, read
    from getiaction_cli.datasets.deep import Scan
    from getiaction_cli.datasets.table_scan import look_at_tables

    root = folder / f"tables-{frames}"
    if not (root / "meta/stats.json").is_file():
        shutil.rmtree(root, ignore_errors=True)
        write_tables(root, frames)
    dataset = read(locate(str(root), folders=True))
    files = sorted(root.glob("data/*/*.parquet"))
    begin = time.perf_counter()
    rows = sum(batch.num_rows for file in files for batch in pq.ParquetFile(file).iter_batches(65536))
    plain = time.perf_counter() - begin
    scan = Scan()
    begin = time.perf_counter()
    look_at_tables(dataset, scan, None)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    megabytes = scan.bytes / 1e6
    print(f"{rows:,} frames, {megabytes:,.0f} MB of numbers, {len(files)} files")
    print(f"plain pyarrow read  {plain:6.2f} s  {megabytes / plain:7,.0f} MB/s")
    ours = f"{megabytes / seconds:7,.0f} MB/s  {seconds / plain:.1f}x, peak {peak:,.0f} MB"
    print(f"deep look           {seconds:6.2f} s  {ours}")
    if (doctor := shutil.which("lerobot-doctor")) is not None:
        begin = time.perf_counter()
        subprocess.run([doctor, "check", str(root), "--json"], capture_output=True)
        print(f"lerobot-doctor      {time.perf_counter() - begin:6.2f} s (whole process)")


def write_tables(root: Path, frames: int) -> None:
    """A dataset without cameras: tables of 14 + 14 joints, 100 episodes per file, one row group per episode."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    episodes = max(1, frames // FRAMES)
    write_metadata(root, episodes)
    info = json.loads((root / "meta/info.json").read_text())
    for key in CAMERAS:
        del info["features"][key]
    info |= {"total_episodes": episodes, "total_frames": episodes * FRAMES, "video_path": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    rng = np.random.default_rng(0)
    time_of = np.arange(FRAMES) / FPS
    kind = pa.list_(pa.float32(), JOINTS)
    for file in range(-(-episodes // 1000)):
        path = root / f"data/chunk-000/file-{file:03d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = None
        for episode in range(file * 1000, min(episodes, file * 1000 + 1000)):
            wave = np.sin(time_of[:, None] * rng.uniform(1, 3, JOINTS) + rng.uniform(0, 6, JOINTS))
            vectors = [pa.FixedSizeListArray.from_arrays(pa.array(wave.astype(np.float32).ravel()), type=kind)] * 2
            table = pa.table({
                "observation.state": vectors[0], "action": vectors[1], "timestamp": time_of.astype(np.float32),
                "frame_index": np.arange(FRAMES), "episode_index": np.full(FRAMES, episode),
                "index": np.arange(FRAMES) + episode * FRAMES, "task_index": np.full(FRAMES, episode % 3),
            })  # fmt: skip
            writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table)
        if writer is not None:
            writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/getiaction-bench"), help="kept for the next run")
    parser.add_argument("--tasks", type=int, default=1, help="tasks of the dataset; with several, two per episode")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-lerobot", action="store_true")
    parser.add_argument("--deep", type=int, nargs="?", const=3_000_000, default=0, metavar="FRAMES")
    given = parser.parse_args()
    if given.deep:
        deep(given.folder, given.deep)
    else:
        shallow(given.folder, given.episodes, given.runs, tasks=given.tasks, lerobot=not given.no_lerobot)


if __name__ == "__main__":
    main()
