"""The tables under ``meta/`` of the format v3.0: tasks.parquet and episodes/chunk-…/file-….parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from getiaction_cli.datasets.arrays import is_list, lists, numbers
from getiaction_cli.datasets.episodes import Episodes, EpisodeSums, Floats, Ints, Tasks, VideoColumns, joined_tasks
from getiaction_cli.datasets.header import Findings, Header
from getiaction_cli.datasets.parquet import Broken, open_parquet, read_columns
from getiaction_cli.datasets.stats import EPISODE_STATISTICS, sum_columns
from getiaction_cli.diagnostics import Finding

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
_VIDEO = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
# The recorder writes ten episodes per row group: the footer of such a file alone takes 350 MB when parsed.
_LARGE = 32 << 20
# Rows in a row group above which columns are read in parts.
_LARGE_GROUP = 10_000

# Reading the statistics of more episodes than this would cost more than all the rest.
_SUMMED_EPISODES = 10_000


def read_tasks(root: Path, header: Header) -> tuple[Tasks, Findings]:
    """Read ``meta/tasks.parquet``."""
    path = root / TASKS
    if not path.is_file():
        link = " is a link that leads nowhere" if path.is_symlink() else " is missing"
        message = f"{TASKS}{link}, though info.json counts {header.total_tasks} tasks"
        return Tasks(), (("GA401", Finding(message, file=TASKS)),) if header.total_tasks else ()
    try:
        file = open_parquet(path)
        table = read_columns(file, file.schema_arrow.names)
        texts = [n for n in table.column_names if n != "task_index" and _is_text(table.schema.field(n).type)]
        if "task_index" not in table.column_names or not texts:
            raise Broken(f"has no column {'task_index' if texts else 'task (the text)'}")
        name = next((n for n in ("task", "__index_level_0__") if n in texts), texts[0])
        words = _texts(table.column(name))
    except Broken as why:
        return Tasks(), (("GA402", Finding(f"{TASKS} {why}", file=TASKS)),)
    return Tasks(words, _ints(table.column("task_index")).tolist()), ()


def _texts(column: pa.Array | pa.ChunkedArray) -> list[str]:
    try:
        return [text or "" for text in column.to_pylist()]
    except UnicodeDecodeError as error:
        raise Broken("has damaged data: a task is not text (UTF-8)") from error


def read_episodes(root: Path, header: Header) -> tuple[Episodes, Findings]:
    """Read the index columns of all files, and of the first ones the statistics of what policies normalize."""
    folder = root / EPISODES
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths and folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        message = f"{EPISODES} can't be opened: Permission denied"
        return Episodes.none(), (("GA402", Finding(message, file=EPISODES)),)
    if not paths:
        message = f"{EPISODES} has no parquet file, though info.json counts {header.total_episodes} episodes"
        return Episodes.none(), (("GA401", Finding(message, file=EPISODES)),) if header.total_episodes else ()
    wrong: list[Finding] = []
    parts: list[Episodes] = []
    first: set[str] = set()
    without_video: set[str] = set()
    rows = 0
    for path in paths:
        name = str(path.relative_to(root))
        try:
            file = open_parquet(path)
            there = set(file.schema_arrow.names)
            videos = {key: [f"videos/{key}/{part}" for part in _VIDEO] for key in header.video_keys}
            lacking = {key: [c for c in columns if c not in there] for key, columns in videos.items()}
            wrong += _missing_columns(name, there, {k: c for k, c in lacking.items() if c and k not in without_video})
            without_video |= {key for key, absent in lacking.items() if absent}  # the first file speaks for all
            videos = {key: columns for key, columns in videos.items() if not lacking[key]}
            sums = _summed_keys(header, there) if rows < _SUMMED_EPISODES else []
            episodes = _read_one(file, name, there, videos, sums)
            del file  # the footer of a large file takes hundreds of megabytes, and the next one needs the room
            first = first or there
            # LeRobot reads all of them as one table with the columns of the first.
            if (other := sorted(there - first)) and not wrong:
                wrong.append(Finding(f"{name} has the column {other[0]}, which {parts[0].files[0]} lacks", file=name))
            parts.append(episodes)
            rows += len(episodes)
            if path.stat().st_size > _LARGE or len(episodes) > _LARGE_GROUP:
                pa.default_memory_pool().release_unused()  # the next footer needs the room
        except Broken as why:
            help = "its episodes are unknown until it is restored, from the recording or from the Hub"
            wrong.append(Finding(f"{name} {why}", file=name, help=help))
    return _joined(parts) if parts else Episodes.none(), tuple(("GA402", finding) for finding in wrong)


def _missing_columns(name: str, there: set[str], videos: dict[str, list[str]]) -> Iterator[Finding]:
    """What a file of episodes lacks; of ``videos`` the columns that it lacks of each camera."""
    lacking = [column for column in _INTS if column not in there]
    if {"episode_index", "length"} & set(lacking):
        raise Broken(f"has no column {' and no column '.join(lacking[:3])}")
    if lacking:
        yield Finding(f"{name} has no column {', '.join(lacking)}", file=name)
    for key, absent in videos.items():
        yield Finding(f"{name} does not say which video holds {key}: no column {', '.join(absent)}", file=name)


def _read_one(
    file: pq.ParquetFile, name: str, there: set[str], videos: dict[str, list[str]], summed: list[str]
) -> Episodes:
    """One file of episodes: the columns in ``there`` that are known, the cameras' in ``videos``, sums of ``summed``."""
    ints = [column for column in _INTS if column in there]
    tasks = ["tasks"] if "tasks" in there else []
    statistics = {key: [f"stats/{key}/{statistic}" for statistic in EPISODE_STATISTICS] for key in summed}
    # In parts: what is read and what is kept of it are both in memory. Of small row groups each part reads all of them.
    at_once = file.metadata.num_row_groups * _LARGE_GROUP > file.metadata.num_rows
    parts = [ints, *videos.values(), tasks, *statistics.values()]
    whole = read_columns(file, [column for part in parts for column in part]) if at_once else None

    def columns_of(part: list[str]) -> list[pa.ChunkedArray]:
        if whole is None:
            pa.default_memory_pool().release_unused()
        table = read_columns(file, part) if whole is None else whole
        return [table.column(column) for column in part]

    sums = {key: sum_columns(*columns_of(part)) for key, part in statistics.items()}
    read: dict[str, Any] = {_INTS[column]: _ints(values) for column, values in zip(ints, columns_of(ints), strict=True)}
    cameras = {}
    for key, part in videos.items():
        chunk, number, start, end = columns_of(part)
        cameras[key] = VideoColumns(_ints(chunk), _ints(number), _floats(start), _floats(end))
    return Episodes(
        **read,
        videos=cameras,
        files=[name],
        file_of_row=np.zeros(len(read["index"]), np.int32),
        sums={key: found for key, found in sums.items() if found is not None},
        **_task_columns(columns_of(tasks)[0] if tasks else None),
    )


def _summed_keys(header: Header, there: set[str]) -> list[str]:
    """The features whose statistics per episode are worth a look: what policies normalize."""
    keys = [feature.key for feature in header.by_role("state", "action", "environment")]
    return [key for key in keys if all(f"stats/{key}/{name}" in there for name in EPISODE_STATISTICS)]


def _task_columns(column: pa.ChunkedArray | None) -> dict[str, Any]:
    """The tasks of the rows, as `Episodes` keeps them."""
    if column is None:
        return {}
    counts, texts = lists(column) if is_list(column.type) else (np.ones(len(column), np.int64), column)
    if not _is_text(texts.type):
        return {}  # tasks of an unheard-of type: the task rules judge tasks.parquet alone
    coded = texts.combine_chunks().dictionary_encode()
    words = _texts(coded.dictionary)
    names = {word: code for code, word in enumerate(dict.fromkeys([*words, ""] if coded.null_count else words))}
    # The last one is that of episodes whose task is null.
    code_of = np.array([*(names[word] for word in words), names.get("", 0)], np.int64)
    codes = code_of[numbers(coded.indices, np.int64, -1)]
    return {"task_names": list(names), "task_codes": codes, "task_offsets": np.concatenate([[0], np.cumsum(counts)])}


def _joined(parts: list[Episodes]) -> Episodes:
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, list[Any]] = {name: [getattr(part, name) for part in parts] for name in _INTS.values()}
    videos = {}
    for key in parts[0].videos:
        cameras = [part.videos[key] for part in parts if key in part.videos]
        if len(cameras) == len(parts):
            videos[key] = VideoColumns(
                *(np.concatenate([getattr(c, f) for c in cameras]) for f in VideoColumns.__dataclass_fields__)
            )
    sums: dict[str, EpisodeSums] = {}
    for key, found in (item for part in parts for item in part.sums.items()):
        before = sums.get(key)
        sums[key] = found if before is None or before.min.shape != found.min.shape else before + found
    complete = all(part.task_codes is not None for part in parts)
    names, codes, offsets = joined_tasks(parts) if complete else ([], None, None)
    return Episodes(
        **{n: np.concatenate(several) for n, several in columns.items() if all(c is not None for c in several)},
        videos=videos,
        files=[part.files[0] for part in parts],
        file_of_row=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]),
        sums=sums,
        task_names=names,
        task_codes=codes,
        task_offsets=offsets,
    )


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
