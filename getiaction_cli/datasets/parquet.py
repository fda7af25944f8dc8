"""Parquet files of a dataset, opened so that a broken one is a sentence and not an exception."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from getiaction import trust

_MAGIC = b"PAR1"
# Of the columns that are read at once; a million episodes with their statistics take 1.5 GB.
_MOST_UNPACKED = 8 << 30
_MOST_ROWS = 1_000_000_000


class Broken(Exception):  # noqa: N818 - an answer for the caller, never shown as an exception
    """A parquet file can't be read; the message is the end of a sentence that begins with its name."""


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a parquet file and read its footer.

    Raises:
        Broken: with what is wrong in words.
    """
    try:
        with trust.open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size == 0:
                raise Broken("is empty (0 bytes)")
            head = stream.read(4)
            stream.seek(max(0, size - 4))
            tail = stream.read(4)
    except OSError as error:
        raise Broken(f"can't be opened: {error.strerror or error}") from error
    if head != _MAGIC and tail != _MAGIC:
        if head.startswith(b"vers"):
            raise Broken("is a Git LFS pointer, not the file itself: `git lfs pull` fetches it")
        raise Broken("is not a parquet file")
    if tail != _MAGIC:
        raise Broken("is truncated: its footer is missing (the recording was not finished, or the copy broke off)")
    try:
        # Neither mapped nor buffered ahead: a few columns are read out of files whose pages would all count as ours.
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Broken(f"has a damaged footer: {first_line(error)}") from error


def read_columns(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Read whole top-level columns; names may hold any characters (dots included).

    Raises:
        Broken: the data pages are damaged, or unpack to more than is reasonable.
    """
    wanted = set(columns)
    about = file.metadata
    try:
        unpacked = sum(
            column.total_uncompressed_size
            for group in range(about.num_row_groups)
            for at in range(about.num_columns)
            if (column := about.row_group(group).column(at)).path_in_schema.split(".")[0] in wanted
        )
        if unpacked > _MOST_UNPACKED or about.num_rows > _MOST_ROWS:
            much = f"{about.num_rows:,} rows and {unpacked >> 20:,} MB"
            raise Broken(f"declares that it unpacks to {much}: that is not read")
        return file.read(columns=columns)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Broken(f"has damaged data: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, shortened."""
    text = str(error).strip().split("\n")[0] or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"
