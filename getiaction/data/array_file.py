"""One big array on disk, written once and then mapped: all or nothing, and checked when it is opened.

An array called `name` is three files in its folder: `name.bin` (the rows, one after the other), `name.npz` (a
checksum for each block of rows, and what the writer wants to remember of each row) and `name.json` (what it is). The
manifest is written last, by a rename, after the others have reached the disk: an array without a manifest does not
exist, so a build that was killed is never read.

Reading all of a 20 GB array to check it would cost more than it protects, so `open_array` looks at the sizes, at the
first and the last block, and at blocks drawn at random up to a bound; small arrays are checked whole.
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
    """The files of an array are there, but they are not what their manifest says."""


@dataclass(frozen=True)
class ArrayFile:
    """An open array.

    Attributes:
        folder: Where its files are.
        name: What they are called.
        rows: `(rows, *shape)`, mapped copy-on-write: reading costs page cache, not memory of the process.
        remembered: what the writer kept for each row, by name.
        manifest: the JSON beside it.
    """

    folder: Path
    name: str
    rows: np.ndarray
    remembered: Mapping[str, np.ndarray]
    manifest: Mapping[str, Any]
    mapped: mmap.mmap

    def __reduce__(self) -> tuple[Any, ...]:
        """A process that is sent this opens the files itself, so that all of them share one page cache."""
        return _reopen, (self.folder, self.name)

    def forget_pages(self) -> None:
        """Give the mapped pages back; they stay in the page cache, and the next read maps them again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.mapped.madvise(mmap.MADV_DONTNEED)

    def fetch_soon(self, first: int, rows: int) -> None:
        """Tell the kernel that these rows are about to be read, so that a cold disk is asked once and not per page."""
        if hasattr(mmap, "MADV_WILLNEED"):
            size = self.rows[0].nbytes
            start = first * size // mmap.PAGESIZE * mmap.PAGESIZE
            self.mapped.madvise(mmap.MADV_WILLNEED, start, min((first + rows) * size, len(self.mapped)) - start)


class ArrayWriter:
    """Writes an array of known size; threads may write different blocks at the same time.

    Args:
        folder: Folder to write in; created.
        name: Name of the array in it.
        rows: Number of rows.
        shape: Shape of one row.
        dtype: Type of the values.
        block: Rows per checksum; writes must begin at a multiple of it.
        remember: Names and types of what is kept for each row.

    Attributes:
        shape: Shape of one row.
        dtype: Type of the values.
        remembered: `(rows,)` to be filled in before the end, by name.

    Raises:
        OSError: no space, or the folder can't be written.
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
        remember: Mapping[str, np.dtype] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name, self._block = folder, name, block
        self._rows, self.shape, self.dtype = rows, shape, np.dtype(dtype)
        self._row_bytes = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        self._sums = np.zeros(-(-rows // block), dtype=np.uint32)
        self.remembered = {key: np.zeros(rows, dtype=kind) for key, kind in (remember or {}).items()}
        self._temporary = folder / f"{name}.bin.tmp"
        self._file = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _reserve(self._file, rows * self._row_bytes)
        except OSError:
            self.abandon()
            raise

    def write(self, first: int, values: np.ndarray) -> None:
        """Write rows from `first` on: whole blocks, or up to the end."""
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
        """Make the array exist: everything on disk first, the manifest last."""
        os.fsync(self._file)
        os.close(self._file)
        rest = self._folder / f"{self._name}.npz.tmp"
        with rest.open("wb") as file:
            np.savez(file, **{"sums": self._sums, **self.remembered})  # type: ignore[arg-type]
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
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        for suffix in (".bin.tmp", ".npz.tmp", ".json.tmp"):
            (self._folder / f"{self._name}{suffix}").unlink(missing_ok=True)


def open_array(folder: Path, name: str, *, checked_bytes: int = CHECKED_BYTES) -> ArrayFile | None:
    """Open an array, or None when there is none.

    Args:
        folder: Its folder.
        name: Its name.
        checked_bytes: How much of it to read and compare with the checksums.

    Raises:
        DamagedError: something is there that must not be read.
    """
    manifest_file = folder / f"{name}.json"
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise DamagedError(f"written in format {manifest['format']}, this version reads {FORMAT}")
        shape, dtype = tuple(manifest["shape"]), np.dtype(manifest["dtype"])
        rows, block, size = int(manifest["rows"]), int(manifest["block"]), int(manifest["bytes"])
        with np.load(folder / f"{name}.npz") as rest:
            remembered = {key: rest[key] for key in rest.files}
        sums = remembered.pop("sums")
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
    if len(sums) != -(-rows // block) or any(len(kept) != rows for kept in remembered.values()):
        raise DamagedError(f"{name}.npz does not belong to {name}.bin")
    opened = ArrayFile(folder, name, array, remembered, manifest, mapped)
    for i in _checked_blocks(len(sums), max(1, size // max(1, len(sums))), checked_bytes):
        if zlib.crc32(np.ascontiguousarray(array[i * block : (i + 1) * block])) != sums[i]:
            raise DamagedError(f"the checksum of rows {i * block} to {(i + 1) * block - 1} of {name}.bin is wrong")
    opened.forget_pages()
    # Shows in the list of stores when each was last used.
    with contextlib.suppress(OSError):
        os.utime(manifest_file)
    return opened


def _reopen(folder: Path, name: str) -> ArrayFile:
    opened = open_array(folder, name, checked_bytes=0)
    if opened is None:
        raise DamagedError(f"{folder / name} is gone")
    return opened


def remove_array(folder: Path, name: str) -> None:
    """Remove an array; the manifest goes first. Who has it open keeps reading what was there."""
    for suffix in (".json", ".bin", ".npz", ".bin.tmp", ".npz.tmp", ".json.tmp"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _checked_blocks(blocks: int, block_bytes: int, budget: int) -> np.ndarray:
    affordable = max(2, budget // block_bytes)
    if affordable >= blocks:
        return np.arange(blocks)
    # Other blocks each time: what one opening misses, a later one finds.
    drawn = np.random.default_rng().choice(blocks, affordable - 2, replace=False)
    return np.unique(np.concatenate([[0, blocks - 1], drawn]))


def _reserve(file: int, size: int) -> None:
    """Ask for the space now: a full disk is an error here, and not in the middle of the build."""
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
