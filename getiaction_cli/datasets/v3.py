"""The tables under ``meta/`` of the format v3.0: tasks.parquet and episodes/chunk-…/file-….parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from getiaction_cli.datasets.arrays import is_list, lists, numbers
from getiaction_cli.datasets.episodes import Episodes, Floats, Ints, VideoColumns, joined_tasks
from getiaction_cli.datasets.parquet import Broken, open_parquet, read_columns
from getiaction_cli.datasets.stats import EPISODE_STATISTICS, sum_columns
from getiaction_cli.diagnostics import Finding

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes"

_INTS = {
    "episode_index": "index",
    "length": "length",
    "dataset_from_index": "from_index",
    "dataset_to_index": "to_index",
    "data/chunk_index": "data_chunk",
    "data/file_index": "data_file",
}
# The recorder writes ten episodes per row group: the footer of such a file alone takes 350 MB when parsed.
_LARGE = 32 << 20
# Rows in a row group above which columns are read in parts.
_LARGE_GROUP = 10_000

# Reading the statistics of more episodes than this would cost more than all the rest.
_SUMMED_EPISODES = 10_000

_REQUIRED = ("episode_index", "length", "dataset_from_index", "dataset_to_index", "data/chunk_index", "data/file_index")


def read_tasks(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    """Fill ``tasks`` and ``task_indices``, in row order."""
    path = dataset.root / TASKS
    if not path.is_file():
        if dataset.total_tasks:
            link = " is a link that leads nowhere" if path.is_symlink() else " is missing"
            message = f"{TASKS}{link}, though info.json counts {dataset.total_tasks} tasks"
            findings.append(("GA401", Finding(message, file=TASKS)))
        return
    try:
        file = open_parquet(path)
        table = read_columns(file, file.schema_arrow.names)
    except Broken as why:
        findings.append(("GA402", Finding(f"{TASKS} {why}", file=TASKS)))
        return
    texts = [name for name in table.column_names if name != "task_index" and _is_text(table.schema.field(name).type)]
    if "task_index" not in table.column_names or not texts:
        lacking = "task_index" if texts else "task (the text)"
        findings.append(("GA402", Finding(f"{TASKS} has no column {lacking}", file=TASKS)))
        return
    name = next((n for n in ("task", "__index_level_0__") if n in texts), texts[0])
    try:
        dataset.tasks = ["" if text is None else str(text) for text in table.column(name).to_pylist()]
    except UnicodeDecodeError:
        findings.append(("GA402", Finding(f"{TASKS} has damaged data: a task is not text (UTF-8)", file=TASKS)))
        return
    dataset.task_indices = _ints(table.column("task_index")).tolist()


def read_episodes(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    """Fill ``episodes`` from the index columns of all files; statistics columns are not touched."""
    folder = dataset.root / EPISODES
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths and folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        findings.append(("GA402", Finding(f"{EPISODES} can't be opened: Permission denied", file=EPISODES)))
    elif not paths and dataset.total_episodes:
        message = f"{EPISODES} has no parquet file, though info.json counts {dataset.total_episodes} episodes"
        findings.append(("GA401", Finding(message, file=EPISODES)))
    parts: list[Episodes] = []
    first: set[str] = set()
    without_video: set[str] = set()
    rows = 0
    for path in paths:
        name = str(path.relative_to(dataset.root))
        try:
            episodes, columns = _read_one(path, name, dataset, findings, without_video, sums=rows < _SUMMED_EPISODES)
            first = first or columns
            # LeRobot reads all of them as one table with the columns of the first.
            if (other := sorted(columns - first)) and not any(f.file.startswith(EPISODES) for _, f in findings):
                message = f"{name} has the column {other[0]}, which {parts[0].files[0]} lacks"
                findings.append(("GA402", Finding(message, file=name)))
            parts.append(episodes)
            rows += len(episodes)
            if path.stat().st_size > _LARGE or len(episodes) > _LARGE_GROUP:
                pa.default_memory_pool().release_unused()  # the next footer needs the room
        except Broken as why:
            help = "its episodes are unknown until it is restored, from the recording or from the Hub"
            findings.append(("GA402", Finding(f"{name} {why}", file=name, help=help)))
    if parts:
        dataset.episodes = _joined(parts)


def _read_one(
    path: Path,
    name: str,
    dataset: Dataset,
    findings: list[tuple[str, Finding]],
    without_video: set[str],
    *,
    sums: bool,
) -> tuple[Episodes, set[str]]:
    """One file of episodes, and its columns. ``without_video`` gathers the cameras that an earlier file lacks."""
    file = open_parquet(path)
    there = set(file.schema_arrow.names)
    lacking = [column for column in _REQUIRED if column not in there]
    if "episode_index" in lacking or "length" in lacking:
        raise Broken(f"has no column {' and no column '.join(lacking[:3])}")
    if lacking:
        findings.append(("GA402", Finding(f"{name} has no column {', '.join(lacking)}", file=name)))
    video_columns = {
        key: [f"videos/{key}/{part}" for part in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")]
        for key in dataset.video_keys
    }
    for key, columns in video_columns.items():
        absent = [column for column in columns if column not in there]
        if absent and key not in without_video:  # the first file speaks for all
            without_video.add(key)
            message = f"{name} does not say which video holds {key}: no column {', '.join(absent)}"
            findings.append(("GA402", Finding(message, file=name)))
    complete = [key for key, columns in video_columns.items() if all(column in there for column in columns)]
    # In parts: what is read and what is kept of it are both in memory. Of small row groups each part reads all of them.
    at_once = file.metadata.num_row_groups * _LARGE_GROUP > file.metadata.num_rows
    ints_there = [column for column in _INTS if column in there]
    summed = _summed_keys(dataset, there) if sums else []
    parts = [ints_there, *(video_columns[key] for key in complete), ["tasks"] if "tasks" in there else []]
    parts += [[f"stats/{key}/{statistic}" for statistic in EPISODE_STATISTICS] for key in summed]
    whole = read_columns(file, [column for part in parts for column in part]) if at_once else None

    def table_of(columns: list[str]) -> pa.Table:
        if whole is not None:
            return whole
        pa.default_memory_pool().release_unused()
        return read_columns(file, columns)

    for key, part in zip(summed, parts[len(parts) - len(summed) :], strict=True):
        found = sum_columns(table_of(part), key)
        if found is not None:
            before = dataset.episode_stats.get(key)
            dataset.episode_stats[key] = (
                found if before is None or before.min.shape != found.min.shape else before + found
            )
    table = table_of(ints_there)
    ints = {_INTS[column]: _ints(table.column(column)) for column in ints_there}
    videos = {}
    for key in complete:
        table = table_of(video_columns[key])
        chunk, number, start, end = (table.column(column) for column in video_columns[key])
        videos[key] = VideoColumns(_ints(chunk), _ints(number), _floats(start), _floats(end))
    episodes = Episodes(index=ints.pop("index"), length=ints.pop("length"), videos=videos, files=[name])
    for field, column in ints.items():
        setattr(episodes, field, column)
    episodes.file_of_row = np.zeros(len(episodes), np.int32)
    if "tasks" in there:
        _take_tasks(episodes, table_of(["tasks"]).column("tasks"))
    return episodes, there


def _summed_keys(dataset: Dataset, there: set[str]) -> list[str]:
    """The features whose statistics per episode are worth a look: what policies normalize."""
    keys = [feature.key for feature in dataset.by_role("state", "action", "environment")]
    return [key for key in keys if all(f"stats/{key}/{name}" in there for name in EPISODE_STATISTICS)]


def _take_tasks(episodes: Episodes, column: pa.ChunkedArray) -> None:
    counts, texts = lists(column) if is_list(column.type) else (np.ones(len(column), np.int64), column)
    if not _is_text(texts.type):
        return  # tasks of an unheard-of type: the task rules judge tasks.parquet alone
    coded = texts.combine_chunks().dictionary_encode()
    try:
        words = [word or "" for word in coded.dictionary.to_pylist()]
    except UnicodeDecodeError as error:
        raise Broken("has damaged data: a task is not text (UTF-8)") from error
    names = {word: code for code, word in enumerate(dict.fromkeys([*words, ""] if coded.null_count else words))}
    # The last one is that of episodes whose task is null.
    code_of = np.array([*(names[word] for word in words), names.get("", 0)], np.int64)
    episodes.task_codes = code_of[numbers(coded.indices, np.int64, -1)]
    episodes.task_names = list(names)
    episodes.task_offsets = np.concatenate([[0], np.cumsum(counts)])


def _joined(parts: list[Episodes]) -> Episodes:
    if len(parts) == 1:
        return parts[0]
    whole = Episodes(
        index=np.concatenate([part.index for part in parts]),
        length=np.concatenate([part.length for part in parts]),
        files=[part.files[0] for part in parts],
        file_of_row=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]),
    )
    for name in ("from_index", "to_index", "data_chunk", "data_file"):
        columns = [getattr(part, name) for part in parts]
        if all(column is not None for column in columns):
            setattr(whole, name, np.concatenate(columns))
    for key in parts[0].videos:
        cameras = [part.videos[key] for part in parts if key in part.videos]
        if len(cameras) == len(parts):
            whole.videos[key] = VideoColumns(
                *(np.concatenate([getattr(c, f) for c in cameras]) for f in VideoColumns.__dataclass_fields__)
            )
    if all(part.task_codes is not None for part in parts):
        whole.task_names, whole.task_codes, whole.task_offsets = joined_tasks(parts)
    return whole


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)


def _ints(column: pa.ChunkedArray) -> Ints:
    """Integers, -1 where the file has null or something that is not a whole number."""
    try:
        return numbers(column, np.int64, -1)
    except (pa.ArrowException, TypeError):
        return np.array([_as_int(value) for value in column.to_pylist()], np.int64)


def _as_int(value: object) -> int:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return int(value) if isinstance(value, int | float) and abs(value) < 2**62 else -1


def _floats(column: pa.ChunkedArray) -> Floats:
    """Floats, NaN where the file has null or no number."""
    try:
        return numbers(column, np.float64, np.nan)
    except (pa.ArrowException, TypeError):
        values = [v[0] if isinstance(v, list) and len(v) == 1 else v for v in column.to_pylist()]
        return np.array([float(v) if isinstance(v, int | float) else np.nan for v in values])
