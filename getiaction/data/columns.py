"""Read the numeric and text columns of a dataset once, with pyarrow.

LeRobot turns every value into a Python object and then into a tensor, which makes every float a float32 and every
integer an int64; the columns here have these types from the start. Small tables are kept in memory, large ones in
mapped files beside the frame stores, so that the memory of the process does not grow with the dataset.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from getiaction.data.array_file import ArrayWriter, DamagedError, open_array, remove_array
from getiaction.data.decode import UndecodableError
from getiaction.data.layout import Layout

IN_MEMORY_BYTES = 64 * 2**20


def tensor_dtype(declared: str) -> np.dtype | None:
    """The dtype of LeRobot's tensors for a feature with this declared dtype; None for text.

    Raises:
        UndecodableError: neither numbers nor text.
    """
    if declared == "string":
        return None
    try:
        kind = np.dtype(declared).kind
    except TypeError:
        raise UndecodableError(f"a column of type {declared}") from None
    kinds = {"f": np.float32, "i": np.int64, "u": np.int64, "b": np.bool_}
    if kind not in kinds or declared == "float16":
        raise UndecodableError(f"a column of type {declared}")
    return np.dtype(kinds[kind])


def read_columns(
    layout: Layout, features: Mapping[str, Mapping[str, Any]], episodes: np.ndarray, folder: Path | None = None
) -> dict[str, np.ndarray]:
    """Read columns of some episodes, in the order of the dataset.

    Args:
        layout: Files of the dataset.
        features: The columns to read, as info.json declares them.
        episodes: Episode indices, ascending.
        folder: Folder for large columns; None keeps all columns in memory.

    Returns:
        `(frames, *shape)` for each column; a feature of shape `(1,)` is `(frames,)`, as in LeRobot. Text columns
        are object arrays.

    Raises:
        UndecodableError: a column contradicts info.json, or has missing values.
        OSError: a file can't be read, or the disk of `folder` is full.
    """
    shapes = {key: _shape(feature) for key, feature in features.items()}
    types = {key: tensor_dtype(feature["dtype"]) for key, feature in features.items()}
    rows = layout.frames(episodes)
    sizes = {k: rows * int(np.prod(shapes[k], dtype=np.int64)) * (t.itemsize if t else 0) for k, t in types.items()}
    if folder is not None and sum(sizes.values()) > IN_MEMORY_BYTES:
        large = {key: features[key] for key, size in sizes.items() if size > IN_MEMORY_BYTES // 8}
    else:
        large = {}
    mapped = _mapped(layout, large, episodes, folder) if large and folder is not None else {}
    small = [key for key in features if key not in mapped]
    columns: dict[str, np.ndarray] = {
        key: np.empty((rows, *shapes[key]), dtype=types[key] if types[key] is not None else object) for key in small
    }
    done = 0
    for table in _tables(layout, small, episodes) if small else ():
        for key in small:
            columns[key][done : done + len(table)] = _values(table[key], key, features[key])
        done += len(table)
    if small and done != rows:
        raise UndecodableError(f"the parquet files hold {done} of {rows} frames")
    return {key: mapped[key] if key in mapped else columns[key] for key in features}


def _mapped(
    layout: Layout, features: Mapping[str, Mapping[str, Any]], episodes: np.ndarray, folder: Path
) -> dict[str, np.ndarray]:
    """The columns as mapped files, which are written if they do not exist."""
    name = f"table-{_fingerprint(layout, features, episodes)}"
    names = {key: f"{name}-{i}" for i, key in enumerate(features)}
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        found = {key: _open_or_remove(folder, names[key]) for key in features}
        missing = [key for key in features if found[key] is None]
        if missing:
            rows = layout.frames(episodes)
            block = 65536
            writers = {
                key: ArrayWriter(
                    folder, names[key], rows, _shape(features[key]), _number(features[key]["dtype"]), block=block
                )
                for key in missing
            }
            try:
                done = 0
                for tables in _in_blocks(_tables(layout, missing, episodes), block):
                    for key in missing:
                        writers[key].write(done, _values(tables[key], key, features[key]))
                    done += len(tables)
                if done != rows:
                    raise UndecodableError(f"the parquet files hold {done} of {rows} frames")
                for key in missing:
                    about = {"what": "column", "repo_id": layout.repo_id, "root": str(layout.root), "camera": key}
                    writers[key].commit(about)
            except BaseException:
                for writer in writers.values():
                    writer.abandon()
                raise
            found |= {key: open_array(folder, names[key], checked_bytes=0) for key in missing}
    return {key: array.rows for key, array in found.items() if array is not None}


def _open_or_remove(folder: Path, name: str) -> Any:
    try:
        return open_array(folder, name)
    except DamagedError:
        remove_array(folder, name)
        return None


def _in_blocks(tables: Iterator[pa.Table], block: int) -> Iterator[pa.Table]:
    """Regroup rows into tables of `block` rows; the last one may be shorter."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= block:
            joined = pa.concat_tables(held)
            whole = len(joined) // block * block
            for start in range(0, whole, block):
                yield joined.slice(start, block)
            held = [joined.slice(whole)] if whole < len(joined) else []
    if held:
        yield pa.concat_tables(held)


def _tables(layout: Layout, keys: Sequence[str], episodes: np.ndarray) -> Iterator[pa.Table]:
    """Yield the rows of these episodes, one row group at a time, in the order in which LeRobot reads the files."""
    chosen = pa.array(episodes)
    for path in sorted(layout.root / name for name in {layout.data_files[episode] for episode in episodes.tolist()}):
        with pq.ParquetFile(path, memory_map=True) as file:
            wanted = list(dict.fromkeys((*keys, "episode_index")))
            if missing := [key for key in wanted if key not in file.schema_arrow.names]:
                raise UndecodableError(f"{path.name} has no column {missing[0]}")
            for group in range(file.num_row_groups):
                if not _may_hold(file, group, episodes):
                    continue
                table = file.read_row_group(group, columns=wanted)
                mask = pc.is_in(table["episode_index"], value_set=chosen.cast(table["episode_index"].type))
                yield table if pc.all(mask).as_py() else table.filter(mask)


def _may_hold(file: pq.ParquetFile, group: int, episodes: np.ndarray) -> bool:
    """Whether a row group may contain rows of these episodes (ascending), by its statistics."""
    place = file.schema_arrow.names.index("episode_index")
    if file.metadata.num_columns != len(file.schema_arrow.names):
        return True  # nested columns: the statistics have other positions
    facts = file.metadata.row_group(group).column(place).statistics
    if facts is None or not facts.has_min_max:
        return True
    first = np.searchsorted(episodes, facts.min)
    return bool(first < len(episodes) and episodes[first] <= facts.max)


def _values(column: pa.ChunkedArray, key: str, feature: Mapping[str, Any]) -> np.ndarray:
    if column.null_count:
        raise UndecodableError(f"{key} has {column.null_count} missing values")
    if feature["dtype"] == "string":
        return np.array(column.to_pylist(), dtype=object)
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    if isinstance(array.type, pa.ExtensionType):
        array = array.storage
    rows = len(array)
    while pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    shape = _shape(feature)
    if len(array) != rows * int(np.prod(shape, dtype=np.int64)) or array.null_count:
        raise UndecodableError(f"{key} has rows whose lengths differ from {shape}")
    declared = np.dtype(feature["dtype"])
    # First the conversion of the `datasets` library, then LeRobot's.
    return array.to_numpy(zero_copy_only=False).astype(declared).astype(_number(feature["dtype"])).reshape(rows, *shape)


def _number(declared: str) -> np.dtype:
    dtype = tensor_dtype(declared)
    assert dtype is not None
    return dtype


def _shape(feature: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tuple(feature["shape"])
    return () if shape == (1,) else shape


def _fingerprint(layout: Layout, features: Mapping[str, Mapping[str, Any]], episodes: np.ndarray) -> str:
    files = sorted({layout.data_files[episode] for episode in episodes.tolist()})
    stats = [(name, (layout.root / name).stat()) for name in files]
    what = [
        [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats],
        [(key, str(feature["dtype"]), list(feature["shape"])) for key, feature in features.items()],
        hashlib.sha256(episodes.tobytes()).hexdigest(),
    ]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]
