"""A large array on disk that is written once, atomically, and then memory-mapped; it is checked when opened.

An array called `name` is three files in its folder: `name.bin` (the rows, one after the other), `name.npz` (a
checksum for each block of rows, and further values of each row) and `name.json` (the manifest). The
manifest is written last, by a rename, after the others have reached the disk: an array without a manifest does not
exist, so a build that was killed is never read.

Reading all of a 20 GB array to check it would take too long, so `open_array` checks the sizes, the first and the last
block, and random blocks up to a limit; small arrays are checked completely.
"""

import contextlib
import errno
import json
import mmap
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
CHECKED_BYTES = 64 * 2**20


class DamagedError(Exception):
    """The files of an array exist, but contradict their manifest."""


@dataclass(frozen=True)
class ArrayFile:
    """An opened array.

    Attributes:
        folder: Folder of its files.
        name: Stem of its files.
        rows: `(rows, *shape)`, mapped copy-on-write: reading uses the page cache, not memory of the process.
        per_row: `(rows,)` further values of each row, by name.
        manifest: Content of `name.json`.
        mapped: The mapping behind `rows`.
    """

    folder: Path
    name: str
    rows: np.ndarray
    per_row: Mapping[str, np.ndarray]
    manifest: Mapping[str, Any]
    mapped: mmap.mmap

    def __reduce__(self) -> tuple[Any, ...]:
        """Unpickling opens the files again, so that all processes share one page cache."""
        return _reopen, (self.folder, self.name)

    def release_pages(self) -> None:
        """Unmap the pages of this process; they stay in the page cache, and the next read maps them again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.mapped.madvise(mmap.MADV_DONTNEED)

    def prefetch_rows(self, first: int, rows: int) -> None:
        """Let the kernel read these rows ahead: one request to the disk instead of one per page."""
        if hasattr(mmap, "MADV_WILLNEED"):
            size = self.rows[0].nbytes
            start = first * size // mmap.PAGESIZE * mmap.PAGESIZE
            self.mapped.madvise(mmap.MADV_WILLNEED, start, min((first + rows) * size, len(self.mapped)) - start)


class ArrayWriter:
    """Writes an array of known size; threads may write different blocks at the same time.

    Args:
        folder: Folder to write to; created if missing.
        name: Name of the array in it.
        rows: Number of rows.
        shape: Shape of one row.
        dtype: Type of the values.
        block: Rows per checksum; writes must start at a multiple of it.
        per_row: Names and types of further values of each row.

    Attributes:
        shape: Shape of one row.
        dtype: Type of the values.
        per_row: `(rows,)` further values by name, to be set before `commit`.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        rows: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        *,
        block: int = 1,
        per_row: Mapping[str, np.dtype] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._block = folder, name, block
        self._rows, self.shape, self.dtype = rows, shape, np.dtype(dtype)
        self._row_bytes = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self._sums = np.zeros(-(-rows // block), dtype=np.uint32)
        self.per_row = {key: np.zeros(rows, dtype=kind) for key, kind in (per_row or {}).items()}
        self._temporary = folder / f"{name}.bin.tmp"
        self._file = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _reserve(self._file, rows * self._row_bytes)
        except OSError:
            self.abandon()
            raise

    def write(self, first: int, values: np.ndarray) -> None:
        """Write rows from `first`: whole blocks, or up to the last row."""
        values = np.ascontiguousarray(values, dtype=self.dtype)
        data = memoryview(values).cast("B") if values.size else memoryview(b"")
        step = self._block * self._row_bytes
        for i in range(-(-len(values) // self._block)):
            self._sums[first // self._block + i] = zlib.crc32(data[i * step : (i + 1) * step])
        offset = first * self._row_bytes
        while data:
            written = os.pwrite(self._file, data, offset)
            data, offset = data[written:], offset + written

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """Finish the array: flush everything to disk, then write the manifest."""
        os.fsync(self._file)
        os.close(self._file)
        rest = self._folder / f"{self._name}.npz.tmp"
        with rest.open("wb") as file:
            np.savez(file, **{"sums": self._sums, **self.per_row})  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        self._temporary.rename(self._folder / f"{self._name}.bin")
        rest.rename(self._folder / f"{self._name}.npz")
        content = {
            **manifest,
            "format": FORMAT,
            "rows": self._rows,
            "shape": list(self.shape),
            "dtype": self.dtype.str,
            "block": self._block,
            "bytes": self._rows * self._row_bytes,
        }
        last = self._folder / f"{self._name}.json.tmp"
        with last.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        last.rename(self._folder / f"{self._name}.json")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Remove the unfinished files."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        for suffix in (".bin.tmp", ".npz.tmp", ".json.tmp"):
            (self._folder / f"{self._name}{suffix}").unlink(missing_ok=True)


def open_array(folder: Path, name: str, *, checked_bytes: int = CHECKED_BYTES) -> ArrayFile | None:
    """Open an array; None if it does not exist.

    Args:
        folder: Its folder.
        name: Its name.
        checked_bytes: Bytes to read and compare with the checksums.

    Raises:
        DamagedError: the files are incomplete or damaged.
    """
    manifest_file = folder / f"{name}.json"
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise DamagedError(f"written in format {manifest['format']}, this version reads {FORMAT}")
        shape, dtype = tuple(manifest["shape"]), np.dtype(manifest["dtype"])
        rows, block, size = int(manifest["rows"]), int(manifest["block"]), int(manifest["bytes"])
        with np.load(folder / f"{name}.npz") as rest:
            per_row = {key: rest[key] for key in rest.files}
        sums = per_row.pop("sums")
        with (folder / f"{name}.bin").open("rb") as file:
            found = os.fstat(file.fileno()).st_size
            if found != size:
                raise DamagedError(f"{name}.bin has {found} bytes instead of {size}")
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) if size else mmap.mmap(-1, 1)
        array = np.frombuffer(mapped, dtype=dtype, count=size // dtype.itemsize).reshape(rows, *shape)
    except FileNotFoundError as error:
        if not manifest_file.exists():
            return None
        raise DamagedError(f"{error.filename} is missing") from None
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedError(f"{name}: {error}") from None
    if len(sums) != -(-rows // block) or any(len(kept) != rows for kept in per_row.values()):
        raise DamagedError(f"{name}.npz does not belong to {name}.bin")
    opened = ArrayFile(folder, name, array, per_row, manifest, mapped)
    for i in _checked_blocks(len(sums), max(1, size // max(1, len(sums))), checked_bytes):
        if zlib.crc32(np.ascontiguousarray(array[i * block : (i + 1) * block])) != sums[i]:
            raise DamagedError(f"the checksum of rows {i * block} to {(i + 1) * block - 1} of {name}.bin is wrong")
    opened.release_pages()
    # The list of stores shows this time as the last use.
    with contextlib.suppress(OSError):
        os.utime(manifest_file)
    return opened


def _reopen(folder: Path, name: str) -> ArrayFile:
    opened = open_array(folder, name, checked_bytes=0)
    if opened is None:
        raise DamagedError(f"{folder / name} is gone")
    return opened


def remove_array(folder: Path, name: str) -> None:
    """Remove an array, the manifest first; processes that have it open can continue to read it."""
    for suffix in (".json", ".bin", ".npz", ".bin.tmp", ".npz.tmp", ".json.tmp"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _checked_blocks(blocks: int, block_bytes: int, budget: int) -> np.ndarray:
    affordable = max(2, budget // block_bytes)
    if affordable >= blocks:
        return np.arange(blocks)
    # Without a seed: each opening checks different blocks.
    drawn = np.random.default_rng().choice(blocks, affordable - 2, replace=False)
    return np.unique(np.concatenate([[0, blocks - 1], drawn]))


def _reserve(file: int, size: int) -> None:
    """Reserve the space, so that a full disk is an error now and not in the middle of writing."""
    if not size:
        return
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # macOS
        os.ftruncate(file, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise
        os.ftruncate(file, size)
