"""From Arrow to numpy without pandas or `pyarrow.compute`, whose imports take longer than reading a usual dataset.

pyarrow's own ways (`to_numpy`, `cast`, `flatten`) import one or the other even where they don't need it. What is
unusual, nulls for one, is left to them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numbers(column: Any, dtype: type, null: float) -> npt.NDArray[Any]:
    """The numbers of a column as ``dtype``, with ``null`` where there is none.

    Raises:
        pyarrow.ArrowException: for a column of something else.
        TypeError: likewise.
    """
    kind = column.type
    if column.null_count or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        import pyarrow.compute as pc

        column = pc.fill_null(column.cast(pa.from_numpy_dtype(dtype), safe=False), null)
    parts = [np.from_dlpack(chunk) for chunk in _chunks(column) if len(chunk)]
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.empty(0, dtype)


def is_list(kind: pa.DataType) -> bool:
    """True for lists of any kind."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def lists(column: Any) -> tuple[npt.NDArray[np.int64], pa.ChunkedArray]:
    """A column of lists as the length of each list, and their values one after the other.

    Raises:
        pyarrow.ArrowException: for a column of something else.
    """
    lengths: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    values = []
    for chunk in _chunks(column):
        if chunk.null_count or pa.types.is_fixed_size_list(chunk.type):
            import pyarrow.compute as pc

            lengths.append(numbers(pc.list_value_length(chunk), np.int64, 0))
            values.append(pc.list_flatten(chunk))
        else:
            bounds = np.from_dlpack(chunk.offsets)
            lengths.append(np.diff(bounds).astype(np.int64))
            values.append(chunk.values.slice(int(bounds[0]), int(bounds[-1] - bounds[0])))
    return np.concatenate(lengths), pa.chunked_array(values, column.type.value_type)


def _chunks(column: Any) -> list[Any]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]
