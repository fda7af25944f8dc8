"""Downloads with their sizes, and the free disk space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from getiaction.spec.dataset_location import tilde
from getiaction_cli.rendering.text import clean
from getiaction_cli.units import plural, size

if TYPE_CHECKING:
    from getiaction_cli.analysis.downloads import Download


def overview(downloads: Sequence[Download], free: Mapping[Path, int | None]) -> str:
    """Return two lines for each download, and one for each cache with its free disk space.

    Args:
        downloads: the missing files.
        free: free bytes on the disk of each cache; None if unknown.
    """
    if not downloads:
        return "nothing to fetch: everything is in the caches of this machine"
    lines = ["to fetch"]
    for download in downloads:
        amount = "size unknown" if download.bytes is None else size(download.bytes)
        lines += [f"  {clean(download.what)}", f"    {plural(len(download.files), 'file')}, {amount}"]
    lines.append("into")
    for folder, room in free.items():
        taken = sum(download.bytes or 0 for download in downloads if download.folder == folder)
        lines.append(f"  {tilde(folder)}: {size(taken)}" + ("" if room is None else f"; {size(room)} are free"))
    return "\n".join(lines)
