"""A file is written whole or not at all, whatever ends the process."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from getiaction.files import replacing, write_atomically


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def killed_inside(folder: Path, statement: str) -> None:
    """Run a statement in another process, which kill -9 ends while its file is half written."""
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom getiaction.files import *\n"
        f"path = Path({str(folder / 'r.yaml')!r})\n{statement}\n"
        "    temporary.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL


def test_a_kill_leaves_the_earlier_file_and_the_next_writer_sweeps(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("whole")
    killed_inside(tmp_path, "with replacing(path) as temporary:")
    assert path.read_text() == "whole"
    assert len(names(tmp_path)) == 2
    write_atomically(path, "next")
    assert (path.read_text(), names(tmp_path)) == ("next", ["r.yaml"])


def test_a_temporary_file_that_another_process_writes_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    with replacing(path) as first:
        first.write_text("first")
        write_atomically(path, "second")
        assert path.read_text() == "second"
    assert (path.read_text(), names(tmp_path)) == ("first", ["r.yaml"])


def test_files_of_others_are_not_swept(tmp_path: Path) -> None:
    others = [".r.yaml.part", ".r.yaml.0123456789ab.PART", "r.yaml.0123456789ab.part", ".other.0123456789ab.part"]
    for name in others:
        (tmp_path / name).write_text("precious")
    link = tmp_path / ".r.yaml.ba9876543210.part"
    link.symlink_to(tmp_path / others[0])
    write_atomically(tmp_path / "r.yaml", "x")
    assert names(tmp_path) == sorted([*others, link.name, "r.yaml"])


def test_an_error_leaves_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("whole")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (path.read_text(), names(tmp_path)) == ("whole", ["r.yaml"])


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("whole")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError) as refused:
            write_atomically(path, b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert refused.value.errno == errno.EFBIG
    assert (path.read_text(), names(tmp_path)) == ("whole", ["r.yaml"])


def test_modes_are_kept_and_new_files_follow_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    before = os.umask(0o027)
    try:
        write_atomically(path, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_atomically(path, "newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_new_file_replaces_only_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    write_atomically(path, "", create=True)
    write_atomically(path, "first", create=True)
    with pytest.raises(FileExistsError):
        write_atomically(path, "second", create=True)
    assert (path.read_text(), names(tmp_path)) == ("first", ["r.yaml"])


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    link = tmp_path / "r.yaml"
    link.symlink_to(tmp_path / "target")
    write_atomically(link, "new")
    assert (tmp_path / "target").read_text() == "precious"
    assert (link.read_text(), link.is_symlink()) == ("new", False)


def test_names_of_any_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    write_atomically(path, "new")
    assert names(tmp_path) == [path.name]
