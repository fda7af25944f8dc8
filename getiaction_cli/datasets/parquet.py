"""Parquet files of a dataset, opened so that a broken one is a sentence and not an exception."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"


class Broken(Exception):  # noqa: N818 - an answer for the caller, never shown as an exception
    """A parquet file can't be read; the message is the end of a sentence that begins with its name."""


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a parquet file and read its footer.

    Raises:
        Broken: with what is wrong in words.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise Broken("is empty (0 bytes)")
        with path.open("rb") as stream:
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
        raise Broken("is cut off: its footer is missing (the recording was not finished, or the copy broke off)")
    try:
        # Neither mapped nor buffered ahead: a few columns are read out of files whose pages would all count as ours.
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Broken(f"has a damaged footer: {first_line(error)}") from error


def read_columns(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Read whole top-level columns, whatever their names hold (dots included).

    Raises:
        Broken: the data pages are damaged.
    """
    try:
        return file.read(columns=columns)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise Broken(f"has damaged data: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, shortened."""
    text = str(error).strip().split("\n")[0] or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"
