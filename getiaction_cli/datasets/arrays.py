"""From Arrow to numpy without pandas: pyarrow's own ways import it (0.5 s) even where they don't need it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def to_numpy(column: Any) -> npt.NDArray[Any]:
    """The numbers of a column without nulls."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [np.from_dlpack(chunk) for chunk in chunks if len(chunk)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def filled(column: Any, value: object) -> Any:
    """The column with its nulls replaced. Only where there are any: it costs the import."""
    return pc.fill_null(column, value) if column.null_count else column
