"""Write files atomically, even if the process is killed.

A file is written under a temporary name in the same folder, flushed to the disk, and only then renamed, so that a kill,
a full disk or a power failure leaves the earlier version. The temporary file is locked while it is written: an unlocked
one was left by a process that died, and the next writer removes it.

Standard library only: both the command line and the training core write through this module.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where temporary files of a killed process are not removed
    fcntl = None  # type: ignore[assignment]

PART = ".part"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}" + re.escape(PART))
_LONGEST_STEM = 50  # characters; a file name may have 255 bytes


@contextlib.contextmanager
def replacing(path: Path, *, create: bool = False) -> Iterator[Path]:
    """Yield a temporary file that replaces `path` when the block ends without an exception.

    An existing file keeps its mode; a symbolic link is replaced, not followed.

    Args:
        path: the file to write; its folder must exist.
        create: the file must not exist; an empty one counts as missing.

    Raises:
        FileExistsError: `create`, and the file has content.
        OSError: the disk is full, or the folder is not writable.
    """
    sweep(path.parent, path.name)
    temporary, lock = _temporary(path)
    try:
        yield temporary
        sync(temporary)
        if create:
            _take_new_place(temporary, path)
        else:
            temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(lock)


def write_atomically(path: Path, data: str | bytes, *, create: bool = False) -> None:
    """Write a file in one step; text is written as UTF-8. Arguments and errors are those of `replacing`."""
    with replacing(path, create=create) as temporary:
        temporary.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Args:
        folder: the folder; not those below.
        name: only those for a file of this name.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if not _TEMPORARY.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            if name is None or entry.name.startswith(f".{_stem(name)}."):
                _remove_abandoned(Path(entry.path))


def sync(path: Path) -> None:
    """Wait until a file's content is on the disk.

    Raises:
        OSError: it can't be written; network file systems report a full disk only here.
    """
    descriptor = os.open(path, os.O_RDONLY if fcntl else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system without fsync
            raise
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, if its file system supports that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stem(name: str) -> str:
    return name[:_LONGEST_STEM]


def _temporary(path: Path) -> tuple[Path, int]:
    """Create a locked temporary file for `path`, with the mode of `path` or the default mode."""
    while True:
        temporary = path.with_name(f".{_stem(path.name)}.{os.urandom(6).hex()}{PART}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _lock(descriptor)
            with contextlib.suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            if os.fstat(descriptor).st_nlink:  # otherwise another process removed it before it was locked
                return temporary, descriptor
        except BaseException:
            temporary.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a temporary file without waiting; False if another process holds the lock, or locks are unsupported."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(temporary, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if _lock(descriptor):
                temporary.unlink()
        finally:
            os.close(descriptor)


def _take_new_place(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike `replace`, fails if the name exists
        return
    except FileExistsError:
        if not is_empty(path):
            raise
    except OSError:  # a file system without hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    temporary.replace(path)


def is_empty(path: Path) -> bool:
    """Whether this is a regular file without content, which a killed process may leave."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size == 0
