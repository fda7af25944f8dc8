"""A dataset's fingerprint, as shown by `inspect-dataset` and stored in run.json."""

import hashlib
from pathlib import Path

from getiaction import trust

_WHOLE_FILE = 16 << 20
_EDGE = 4 << 20


def fingerprint(root: Path) -> str:
    """The sha256 of names, sizes and contents of the files under ``meta/`` (of files above 16 MB only both ends).

    Args:
        root: the dataset's folder.
    """
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in (root / "meta").rglob("*")):
        if not path.is_file():
            continue
        try:
            with trust.open_regular(path) as stream:
                size = path.stat().st_size
                digest.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
                if size <= _WHOLE_FILE:
                    digest.update(stream.read(_WHOLE_FILE))
                else:
                    digest.update(stream.read(_EDGE))
                    stream.seek(-_EDGE, 2)
                    digest.update(stream.read(_EDGE))
        except OSError:
            digest.update(f"{name}\0unreadable\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
