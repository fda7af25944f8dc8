"""How fast samples come: getiaction's ways against LeRobotDataset, as ratios of one run on one machine.

    python benchmarks/loader.py     # minutes; prints the table of docs/benchmarks.md
    python benchmarks/loader.py --seconds 30 --frames 25650 --only pusht aloha

Both sides read the same files with the same decoder. LeRobotDataset is timed on random samples for a while, in turn
with ours, so that what else the machine does weighs on both.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
WINDOWS: dict[str, dict[str, Any]] = {
    "pusht": {
        "fps": 10,
        "batch": 64,
        "deltas": {"observation.image": (-1, 0), "observation.state": (-1, 0), "action": range(-1, 15)},
    },
    "aloha": {"fps": 50, "batch": 8, "deltas": {"action": range(100)}},
}
TITLES = {
    "pusht": "96x96 video, 2 observation steps, batch 64",
    "aloha": "480x640 video, 1 observation step, batch 8",
}


def make(root: Path, name: str, frames: int) -> Path:
    import make_dataset

    if name == "pusht":
        return make_dataset.make(
            root, cameras={"observation.image": (96, 96)}, lengths=[120] * (frames // 120), true_quantiles=False
        )
    return make_dataset.make(
        root,
        cameras={"observation.images.top": (480, 640)},
        state=14,
        action=14,
        fps=50,
        lengths=[200] * max(2, frames // 2000),
        true_quantiles=False,
    )


def seconds_of(name: str) -> dict[str, list[float]]:
    return {key: [i / WINDOWS[name]["fps"] for i in delta] for key, delta in WINDOWS[name]["deltas"].items()}


def theirs(root: Path, name: str) -> Any:
    from getiaction.lerobot.datasets import LeRobotDataset

    return LeRobotDataset(
        "made/toy", root=root, delta_timestamps=seconds_of(name), return_uint8=True, video_backend="pyav"
    )


def ours(root: Path, name: str, frame_store: Any = "auto") -> tuple[Any, Any]:
    from getiaction.data.pipeline import Pipeline
    from getiaction.lerobot.datasets import LeRobotDatasetMetadata

    pipeline = Pipeline(LeRobotDatasetMetadata("made/toy", root=root), root, frame_store=frame_store)
    return pipeline, pipeline.open(None, seconds_of(name))


def loader(dataset: Any, batch: int) -> Any:
    from getiaction.data.loader import BatchLoader
    from getiaction.data.pipeline import sampler_of
    from getiaction.data.windows import no_collate

    sampler = sampler_of(dataset, shuffle=True, batch_size=batch)
    return BatchLoader(dataset, batch_size=batch, sampler=sampler, collate_fn=no_collate)


def lerobot_loader(dataset: Any, batch: int, workers: int) -> Any:
    from torch.utils.data import DataLoader

    return DataLoader(
        dataset,
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        prefetch_factor=2 if workers else None,
    )


def forever(make_iterator: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    while True:
        yield from make_iterator()


def pace(batches: Iterator[Any], seconds: float) -> tuple[int, float]:
    """Samples and the seconds they took."""
    samples, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        samples += len(next(batches)["index"])
    return samples, spent


def rates(sides: dict[str, Iterator[Any]], seconds: float, turns: int = 3) -> dict[str, float]:
    """Samples per second of each side, timed in turn."""
    for batches in sides.values():
        next(batches)
    sums = {side: [0, 0.0] for side in sides}
    for _ in range(turns):
        for side, batches in sides.items():
            samples, spent = pace(batches, seconds / turns)
            sums[side][0] += samples
            sums[side][1] += spent
    return {side: samples / spent for side, (samples, spent) in sums.items()}


def steady(root: Path, name: str, seconds: float) -> None:
    batch = WINDOWS[name]["batch"]
    _, dataset = ours(root, name)
    _, blocked = ours(root, name, "off")
    reference = theirs(root, name)
    got = rates(
        {
            "LeRobotDataset, one process": forever(lambda: iter(lerobot_loader(reference, batch, 0))),
            "frame store": forever(lambda: iter(loader(dataset, batch))),
            "blocks": forever(lambda: iter(loader(blocked, batch))),
        },
        seconds,
    )
    workers = iter(lerobot_loader(reference, batch, 2))
    next(workers), next(workers)
    samples, spent = pace(forever(lambda: workers), seconds / 2)
    store, _ = pace(forever(lambda: iter(loader(dataset, batch))), 2.0)
    two, beside = samples / spent, store / 2.0
    one = got["LeRobotDataset, one process"]
    say(f"{TITLES[name]}: LeRobotDataset, one process", f"{one:,.0f} samples/s", "1")
    say(f"{TITLES[name]}: LeRobotDataset, two workers", f"{two:,.0f} samples/s", f"{two / one:,.1f}")
    say(f"{TITLES[name]}: blocks", f"{got['blocks']:,.0f} samples/s", f"{got['blocks'] / one:,.0f}")
    say(
        f"{TITLES[name]}: frame store",
        f"{got['frame store']:,.0f} samples/s",
        f"{got['frame store'] / one:,.0f} (two workers: {beside / two:,.0f})",
    )


def first_epoch(root: Path, name: str, seconds: float) -> None:
    batch = WINDOWS[name]["batch"]
    with tempfile.TemporaryDirectory() as fresh:
        begun = time.perf_counter()
        pipeline, dataset = ours(root, name, {"path": fresh})
        built = time.perf_counter() - begun
        for _ in loader(dataset, batch):
            pass
        spent = time.perf_counter() - begun
    reference = theirs(root, name)
    one, one_spent = pace(forever(lambda: iter(lerobot_loader(reference, batch, 0))), seconds)
    workers = iter(lerobot_loader(reference, batch, 2))
    next(workers), next(workers)
    two, two_spent = pace(workers, seconds / 2)
    frames = len(dataset)
    theirs_one, theirs_two = frames * one_spent / one, frames * two_spent / two
    say(
        f"{TITLES[name]}: first epoch of {frames:,} frames, the store's building ({built:.1f} s, "
        f"{pipeline.plan.bytes / 1e6:,.0f} MB) included",
        f"{spent:.1f} s; LeRobotDataset {theirs_one:.0f} s, with two workers {theirs_two:.0f} s",
        f"{theirs_one / spent:,.1f} (two workers: {theirs_two / spent:,.1f})",
    )


def sparse_store(folder: Path, gigabytes: float) -> Any:
    """A store of that size made of holes: what is mapped counts, not what is in it."""
    import zlib

    from getiaction.data.array_file import FORMAT, open_array

    row = 3 * 480 * 640
    rows = int(gigabytes * 1e9) // row
    with (folder / "big.bin").open("wb") as file:
        file.truncate(rows * row)
    np.savez(folder / "big.npz", sums=np.full(rows, zlib.crc32(bytes(row)), np.uint32), gap=np.zeros(rows, np.float32))
    manifest = {"format": FORMAT, "rows": rows, "shape": [3, 480, 640], "dtype": "|u1", "block": 1, "bytes": rows * row}
    (folder / "big.json").write_text(json.dumps(manifest))
    return open_array(folder, "big")


def resident() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        line.split(":")[0]: int(line.split()[1]) / 1024
        for line in lines
        if line.startswith(("VmRSS", "RssAnon", "RssFile"))
    }


def memory(folder: Path, gigabytes: float = 20) -> None:
    from getiaction.data.frame_store import FrameStore, Reel
    from getiaction.data.layout import Camera, Layout

    array = sparse_store(folder, gigabytes)
    rows = len(array.rows)
    camera = Camera("observation.images.top", "video", False, 480, 640, 3)
    layout = Layout(
        "made/big",
        folder,
        50,
        np.array([0]),
        np.array([rows]),
        ("",),
        (camera,),
        {camera.key: ("",)},
        {camera.key: np.zeros(1)},
    )
    store = FrameStore(layout, {camera.key: [(Reel(camera, "", np.array([0]), rows, folder, "big", {}), array)]})
    chance = np.random.default_rng(0)
    before, most = resident(), {"VmRSS": 0.0, "RssAnon": 0.0, "RssFile": 0.0}
    for _ in range(300):
        frames = chance.integers(0, rows, 8)
        store.gather(camera.key, frames[:, None], np.zeros(8, np.int64), frames)
        now = resident()
        most = {key: max(value, now[key] - before[key]) for key, value in most.items()}
    say(
        f"a store of {gigabytes:.0f} GB, 300 random batches of 8 frames of 480x640: growth of resident memory at most",
        f"{most['VmRSS']:.0f} MB (anonymous {most['RssAnon']:.0f} MB, mapped {most['RssFile']:.0f} MB)",
        "",
    )


def _read_epoch(dataset: Any, rank: int, world: int, start: Any, results: Any) -> None:
    from getiaction.data.pipeline import sampler_of

    rows = np.array(list(sampler_of(dataset, shuffle=True, batch_size=64, rank=rank, world_size=world)))
    start.wait()
    read = _disk_bytes()
    begun, samples = time.perf_counter(), 0
    for _ in range(4):
        for i in range(0, len(rows), 64):
            samples += len(dataset.__getitems__(rows[i : i + 64])["index"])
    results.put((samples, begun, time.perf_counter(), _disk_bytes() - read))


def _disk_bytes() -> int:
    return int(Path("/proc/self/io").read_text().split("read_bytes:")[1].split()[0])


def readers(root: Path, counts: tuple[int, ...] = (1, 2, 8)) -> None:
    pipeline, dataset = ours(root, "pusht")
    first = 0.0
    context = multiprocessing.get_context("fork")
    for count in counts:
        for path in pipeline.plan.folder.rglob("*.bin"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start, results = context.Barrier(count), context.Queue()
        processes = [
            context.Process(target=_read_epoch, args=(dataset, rank, count, start, results)) for rank in range(count)
        ]
        for process in processes:
            process.start()
        got = [results.get() for _ in processes]
        for process in processes:
            process.join()
        samples = sum(sample for sample, *_ in got)
        rate = samples / (max(end for _, _, end, _ in got) - min(begun for _, begun, *_ in got))
        first = first or rate
        disk = sum(read for *_, read in got) / pipeline.plan.bytes
        say(
            f"{count} process{'es' if count > 1 else ''} on one store that is not in memory, four epochs",
            f"{rate:,.0f} samples/s; read from disk {disk:.2f} times the store",
            f"{rate / first:.1f}",
        )


def say(what: str, value: str, ratio: str) -> None:
    print(f"| {what} | {value} | {ratio} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=12, help="how long to time each side")
    parser.add_argument(
        "--frames", type=int, default=6000, help="frames of the 96x96 dataset; a tenth of it for 480x640"
    )
    parser.add_argument("--only", nargs="*", choices=["pusht", "aloha", "first", "memory", "readers"])
    options = parser.parse_args()
    only = options.only or ["pusht", "aloha", "first", "memory", "readers"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GETIACTION_CACHE"] = folder + "/cache"
        roots = {}
        print(f"making the datasets in {folder}", file=sys.stderr)
        for name in WINDOWS:
            if name in only or {"first", "readers"} & set(only):
                roots[name] = make(Path(folder, name), name, options.frames)
        print(
            f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n\n| what | measured | ratio |\n|---|---|---|",
            flush=True,
        )
        for name in WINDOWS:
            if name in only:
                steady(roots[name], name, options.seconds)
        for name in WINDOWS:
            if "first" in only:
                first_epoch(roots[name], name, options.seconds)
        if "memory" in only:
            memory(Path(folder))
        if "readers" in only:
            readers(roots["pusht"])


if __name__ == "__main__":
    main()
