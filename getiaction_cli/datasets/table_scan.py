"""Reads the tables of frames as a stream: statistics, quantiles, and everything that is odd in the numbers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction_cli.datasets.features import NUMERIC_DTYPES, Feature
from getiaction_cli.datasets.parquet import Broken, first_line, open_parquet
from getiaction_cli.datasets.running_stats import FEW, QuantileSample, Running
from getiaction_cli.datasets.scan import WORKERS, FeatureScan, Lag, Matrix, Scan, Spot

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.progress import OnProgress

_BATCH_NUMBERS = 1_000_000  # numbers in one piece of a table: 8 MB as float64
_MOST_NUMBERS = 1_000_000  # numbers in one frame of a feature
_STEPS = 200_000  # steps from frame to frame kept for what is usual
_PREFIX = 16  # frames by which a repeated episode is recognized
_LAG_FRAMES = 20_000
_MAX_LAG = 10


@dataclass(slots=True)
class _Part:
    """What one table brought."""

    rows: int = 0
    size: int = 0
    running: dict[str, Running] = field(default_factory=dict)
    misplaced: dict[str, tuple[int, Spot]] = field(default_factory=dict)
    off_time: int = 0
    off_time_spot: Spot | None = None
    off_time_by: float = 0.0
    frozen: list[tuple[Spot, int]] = field(default_factory=list)
    prefixes: dict[bytes, list[int]] = field(default_factory=dict)


class _Expected:
    """Where each row belongs, by the metadata."""

    def __init__(self, dataset: Dataset) -> None:
        episodes = dataset.episodes
        self.index = episodes.index
        self.length = np.maximum(episodes.length, 0)
        self.starts = np.concatenate([[0], np.cumsum(self.length)])
        self.fps = dataset.fps
        self.tasks = len(dataset.tasks)

    def rows_of(self, rows: npt.NDArray[np.int64]) -> tuple[Any, Any, Any]:
        """(episode_index, frame_index, index) of every frame of these episodes, one after the other."""
        lengths = self.length[rows]
        episode = np.repeat(self.index[rows], lengths)
        first = np.repeat(np.cumsum(lengths) - lengths, lengths)
        frame = np.arange(int(lengths.sum())) - first
        return episode, frame, np.repeat(self.starts[rows], lengths) + frame


def look_at_tables(dataset: Dataset, scan: Scan, watch: OnProgress | None) -> None:
    """Read every table; fills ``scan`` with all but the videos."""
    numeric = [
        f for f in dataset.features.values() if f.dtype in NUMERIC_DTYPES and f.key not in INDEX_KEYS and f.shape
    ]
    features = [feature for feature in numeric if feature.size <= _MOST_NUMBERS]
    scan.not_checked += [f"{feature.key}: too large" for feature in numeric if feature.size > _MOST_NUMBERS]
    names = [name for name, header in dataset.tables.items() if not header.problem]
    scan.unread |= {name: header.problem for name, header in dataset.tables.items() if header.problem}
    order = {name: i for i, name in enumerate(dataset.data_files)}
    names.sort(key=lambda name: (order.get(name, len(order)), name))
    total = sum(dataset.tables[name].rows for name in names)
    if not names:
        scan.not_checked.append("the numbers: there are no tables to read")
        return
    begin = time.monotonic()
    sample = QuantileSample(features, [dataset.tables[name].rows for name in names])
    expected = _Expected(dataset)
    step_every = max(1, total // _STEPS)
    done, lock = 0, Lock()

    def one(at: int) -> _Part | None:
        nonlocal done
        try:
            with np.errstate(all="ignore"):  # values near the largest float are judged like any other
                part = _scan_table(dataset, names[at], features, expected, sample, at, step_every)
        except Broken as why:
            scan.unread[names[at]] = str(why)
            return None
        with lock:
            done += part.rows
            if watch is not None:
                watch("reading the tables", done, total, "frames")
        return part

    running = {feature.key: Running.empty(feature.size) for feature in features}
    prefixes: dict[bytes, list[int]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for part in pool.map(one, range(len(names))):
            if part is not None:
                _merge(scan, part, running, prefixes)
    scan.duplicates = [(twins[0], other) for twins in prefixes.values() for other in twins[1:]]
    scan.exact_quantiles, scan.sampled_rows = sample.every == 1, sample.rows
    with np.errstate(all="ignore"):
        for feature in features:
            scan.features[feature.key] = _finish(running[feature.key], feature, sample.quantiles(feature.key))
        scan.lag = _lag(dataset, sample)
    scan.seconds = time.monotonic() - begin


def _merge(scan: Scan, part: _Part, running: dict[str, Running], prefixes: dict[bytes, list[int]]) -> None:
    scan.rows += part.rows
    scan.bytes += part.size
    for key, own in part.running.items():
        running[key].merge(own)
    for column, (count, spot) in part.misplaced.items():
        before, first = scan.misplaced.get(column, (0, spot))
        scan.misplaced[column] = (before + count, first)
    if part.off_time:
        scan.off_time = (scan.off_time[0] + part.off_time, scan.off_time[1] or part.off_time_spot)
        scan.off_time_by = max(scan.off_time_by, part.off_time_by)
    scan.frozen = (scan.frozen + part.frozen)[: 10 * FEW]
    for prefix, episodes in part.prefixes.items():
        prefixes.setdefault(prefix, []).extend(episodes)


def _scan_table(
    dataset: Dataset,
    name: str,
    features: list[Feature],
    expected: _Expected,
    sample: QuantileSample,
    table: int,
    step_every: int,
) -> _Part:
    file = open_parquet(dataset.root / name)
    there = set(file.schema_arrow.names)
    judged = [feature for feature in features if feature.key in there]
    part = _Part(running={feature.key: Running.empty(feature.size) for feature in judged})
    rows = dataset.data_files.get(name)
    wanted = None
    # Where the counts differ another rule says so: every later row would be an echo.
    if rows is not None and expected.length[rows].sum() == file.metadata.num_rows:
        wanted = expected.rows_of(rows)
    numbers = sum(feature.size for feature in judged) + len(INDEX_KEYS)
    columns = [feature.key for feature in judged] + [column for column in INDEX_KEYS if column in there]
    carry: dict[str, Matrix] = {}
    at = 0
    try:
        for batch in file.iter_batches(max(256, _BATCH_NUMBERS // numbers), columns=columns):
            piece = {key: _matrix(batch, key, feature) for key, feature in _with_index(judged, columns)}
            part.size += batch.nbytes
            _judge_piece(dataset, name, piece, part, carry, wanted, at, judged, expected)
            if "episode_index" in piece:
                sample.put(table, "episode_index", at, piece["episode_index"][:, 0])
            for feature in judged:
                values = piece[feature.key]
                part.running[feature.key].add(values)
                sample.put(table, feature.key, at, values)
                step = part.running[feature.key].steps
                if step and step_every > 1:
                    step[-1] = step[-1][::step_every]
            at += batch.num_rows
    except (OSError, ValueError, MemoryError) as error:
        raise Broken(f"has damaged data: {first_line(error)}") from error
    for running in part.running.values():
        running.close()
    part.rows = at
    return part


def _with_index(judged: list[Feature], columns: list[str]) -> Iterator[tuple[str, Feature | None]]:
    yield from ((feature.key, feature) for feature in judged)
    yield from ((column, None) for column in columns if column in INDEX_KEYS)


def _matrix(batch: Any, key: str, feature: Feature | None) -> Matrix:
    """A column as (rows, numbers), NaN where there is none."""
    import pyarrow as pa

    column = batch.column(key)
    if isinstance(column, pa.ExtensionArray):  # Array2D and up, in a process that has imported `datasets`
        column = column.storage
    rows, size = len(column), feature.size if feature is not None else 1
    values = column
    while (
        pa.types.is_fixed_size_list(values.type) or pa.types.is_list(values.type) or pa.types.is_large_list(values.type)
    ):
        if values.null_count:
            return np.array([v if v is not None else [np.nan] * size for v in column.to_pylist()], float).reshape(
                rows, -1
            )
        values = values.flatten()
    floats = values.cast(pa.float64(), safe=False)
    # to_numpy imports pandas (0.5 s): only where there are nulls.
    flat = floats.to_numpy(zero_copy_only=False) if floats.null_count else np.from_dlpack(floats)
    if len(flat) != rows * size:
        raise ValueError(f"not every row of {key} has {size} {'number' if size == 1 else 'numbers'}")
    return np.asarray(flat, np.float64).reshape(rows, size)


def _judge_piece(
    dataset: Dataset,
    name: str,
    piece: dict[str, Matrix],
    part: _Part,
    carry: dict[str, Matrix],
    wanted: tuple[Any, Any, Any] | None,
    at: int,
    judged: list[Feature],
    expected: _Expected,
) -> None:
    rows = len(next(iter(piece.values())))
    if wanted is not None:
        episode, frame, index = (column[at : at + rows] for column in wanted)
        for column, right in (("episode_index", episode), ("frame_index", frame), ("index", index)):
            if column in piece:
                _note_misplaced(part, name, column, piece[column][:, 0], right, episode, frame)
    else:
        episode = _index_column(piece, "episode_index", rows)
        frame = _index_column(piece, "frame_index", rows)
    if "task_index" in piece and expected.tasks:
        task = piece["task_index"][:, 0]
        right = np.where((task >= 0) & (task < expected.tasks), task, np.nan)
        _note_misplaced(part, name, "task_index", task, right, episode, frame)
    if "timestamp" in piece and expected.fps:
        _note_time(part, name, piece["timestamp"][:, 0], episode, frame, expected.fps)
    same = np.diff(episode, prepend=carry["episode"][-1:] if "episode" in carry else episode[:1] - 1) == 0
    starts = np.nonzero(~same)[0]
    for feature in judged:
        _note_values(part.running[feature.key], name, piece[feature.key], carry.get(feature.key), same, episode, frame)
        _note_still(part.running[feature.key], piece[feature.key], starts, episode)
    _note_prefixes(part, piece, starts, episode, carry)
    _note_frozen(part, name, piece, same, episode, frame, dataset.fps or 10.0)
    carry["episode"] = np.asarray(episode[-1:], float)
    for feature in judged:
        carry[feature.key] = piece[feature.key][-1:]


def _index_column(piece: dict[str, Matrix], column: str, rows: int) -> npt.NDArray[np.int64]:
    if column not in piece:
        return np.full(rows, -1, np.int64)
    return np.nan_to_num(piece[column][:, 0], nan=-1).astype(np.int64)


def _note_misplaced(part: _Part, name: str, column: str, values: Any, right: Any, episode: Any, frame: Any) -> None:
    wrong = np.nonzero(values != right)[0]
    if len(wrong):
        first = int(wrong[0])
        spot = Spot(name, int(episode[first]), int(frame[first]), value=float(values[first]))
        count, before = part.misplaced.get(column, (0, spot))
        part.misplaced[column] = (count + len(wrong), before)


def _note_time(part: _Part, name: str, times: Any, episode: Any, frame: Any, fps: float) -> None:
    off = np.abs(times - frame / fps)
    # LeRobot accepts 0.1 ms; float32 seconds of a long episode are not that exact themselves.
    wrong = np.nonzero(~(off <= 1e-4 + 1e-6 * np.abs(times)))[0]
    if len(wrong):
        first = int(wrong[0])
        if part.off_time_spot is None:
            part.off_time_spot = Spot(name, int(episode[first]), int(frame[first]), value=float(times[first]))
        part.off_time += len(wrong)
        part.off_time_by = max(part.off_time_by, float(np.nanmax(off[wrong], initial=0)))


def _note_values(
    running: Running, name: str, values: Matrix, before: Matrix | None, same: Any, episode: Any, frame: Any
) -> None:
    bad = np.argwhere(~np.isfinite(values)) if len(running.spots) < FEW else ()
    for row, dimension in bad[: FEW - len(running.spots)]:
        running.spots.append(
            Spot(name, int(episode[row]), int(frame[row]), int(dimension), float(values[row, dimension]))
        )
    step = np.abs(np.diff(values, axis=0, prepend=before if before is not None else values[:1]))
    step[~same] = 0  # from one episode to the next anything may happen
    step = np.nan_to_num(step, nan=0.0, posinf=0.0)
    running.steps.append(step.astype(np.float32))
    largest = step.argmax(axis=0)
    for dimension, row in enumerate(largest.tolist()):
        size = step[row, dimension]
        if size > running.step[dimension]:
            running.step[dimension] = size
            running.step_spots[dimension] = Spot(name, int(episode[row]), int(frame[row]), dimension, float(size))


def _note_still(running: Running, values: Matrix, starts: Any, episode: Any) -> None:
    """Keep the extremes of each episode, also of those that continue in the next piece."""
    bounds = np.concatenate([[0], starts[starts > 0]]) if len(values) else starts
    high = np.maximum.reduceat(values, bounds, axis=0)
    low = np.minimum.reduceat(values, bounds, axis=0)
    for index, least, most in zip(episode[bounds].tolist(), low, high, strict=True):
        before = running.extremes.get(index, (least, most))
        running.extremes[index] = (np.minimum(before[0], least), np.maximum(before[1], most))


def _note_prefixes(part: _Part, piece: dict[str, Matrix], starts: Any, episode: Any, carry: dict[str, Matrix]) -> None:
    moving = [piece[key] for key in ("action", "observation.state") if key in piece]
    if not moving:
        return
    for start in starts.tolist():
        end = start + _PREFIX
        if end > len(episode) or episode[end - 1] != episode[start]:
            continue
        window = np.concatenate([values[start:end] for values in moving], axis=1)
        if (window == window[0]).all():
            continue  # a robot at rest looks the same every time
        digest = hashlib.blake2b(window.astype(np.float32).tobytes(), digest_size=12).digest()
        part.prefixes.setdefault(digest, []).append(int(episode[start]))


def _note_frozen(
    part: _Part, name: str, piece: dict[str, Matrix], same: Any, episode: Any, frame: Any, fps: float
) -> None:
    """Stretches of a second or more in which no number of the state changes although the action does."""
    state, action = piece.get("observation.state"), piece.get("action")
    if state is None or action is None or len(state) < 2:
        return
    holds = np.concatenate([[False], (state[1:] == state[:-1]).all(axis=1)]) & same
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - start >= max(10, fps) and np.ptp(action[start:end], axis=0).max() > 0:
            part.frozen.append((Spot(name, int(episode[start]), int(frame[start])), end - start))


def _finish(running: Running, feature: Feature, quantiles: dict[str, Matrix]) -> FeatureScan:
    steps = np.concatenate(running.steps) if running.steps else np.zeros((0, feature.size), np.float32)
    usual = np.quantile(steps, 0.95, axis=0) if len(steps) else np.zeros(feature.size)
    span = quantiles["q99"] - quantiles["q01"]
    large = (steps > 0.5 * span).sum(axis=0) if len(steps) else np.zeros(feature.size, np.int64)
    seen = np.isfinite(running.low) & (running.count > 0)
    return FeatureScan(
        key=feature.key,
        count=int(running.count.max(initial=0)),
        min=np.where(seen, running.low, np.nan),
        max=np.where(seen, running.high, np.nan),
        mean=np.where(seen, running.mean, np.nan),
        std=np.where(seen, np.sqrt(running.m2 / np.maximum(running.count, 1)), np.nan),
        quantiles=quantiles,
        at_min=running.at_low,
        at_max=running.at_high,
        not_finite=running.not_finite,
        first_not_finite=running.spots,
        largest_step=running.step,
        usual_step=usual,
        jumps=[running.step_spots[dimension] for dimension in sorted(running.step_spots)],
        jump_counts=large,
        still=np.concatenate(running.still) if running.still else np.zeros((0, feature.size), bool),
    )


def _lag(dataset: Dataset, sample: QuantileSample) -> Lag | None:
    """Shift the action against the state and see where they move alike; only for vectors of the same joints."""
    states, actions = sample.values.get("observation.state"), sample.values.get("action")
    if states is None or actions is None or states.shape != actions.shape or sample.every != 1:
        return None
    state, action, episode = states[:_LAG_FRAMES], actions[:_LAG_FRAMES], sample.episode[:_LAG_FRAMES]
    if len(state) < 200 or not (np.isfinite(state).all() and np.isfinite(action).all()):
        return None
    d_state, d_action = np.diff(state, axis=0), np.diff(action, axis=0)
    best = {}
    for lag in range(-_MAX_LAG, _MAX_LAG + 1):
        n = len(d_state) - abs(lag)
        a, s = (d_action[:n], d_state[lag : lag + n]) if lag >= 0 else (d_action[-lag : -lag + n], d_state[:n])
        inside = episode[:n] == episode[abs(lag) + 1 :][:n]
        if inside.sum() < 100:
            return None
        best[lag] = _alike(a[inside], s[inside])
    lag = max(best, key=lambda k: (best[k], -abs(k)))
    return Lag(lag, best[lag])


def _alike(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """The middle one of the dimensions' correlations; dimensions that don't move are left out."""
    a = np.asarray(a - a.mean(axis=0))
    b = np.asarray(b - b.mean(axis=0))
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    moving = size > 0
    if not moving.any():
        return 0.0
    return float(np.median((a * b).sum(axis=0)[moving] / size[moving]))
