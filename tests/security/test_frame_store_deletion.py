"""`frame-stores --delete --path FOLDER`: whatever the folder, only what training wrote there is deleted."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from getiaction_cli import main

NAME = "observation.image.chunk-000.file-000.0123456789abcdef"


def delete(*words: str) -> str:
    result = CliRunner().invoke(main.app, ["frame-stores", "--delete", *words])
    assert result.exit_code == 0, result.output
    return result.output


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def store(folder: Path, root: str) -> Path:
    """What training writes, in small; a real one is deleted in tests/commands/test_frame_stores.py."""
    folder.mkdir(parents=True)
    manifest = {"format": 1, "what": "frames", "repo_id": "me/set", "root": root, "rows": 9, "bytes": 4, "camera": "c"}
    (folder / f"{NAME}.json").write_text(json.dumps(manifest))
    (folder / f"{NAME}.bin").write_bytes(b"1234")
    (folder / f"{NAME}.npz").write_bytes(b"1234")
    (folder / ".lock").touch()
    return folder


@pytest.mark.parametrize("words", [["--gone"], ["--all"]])
@pytest.mark.parametrize("name", ["thesis", ".venv", "thesis-0123abcd"])
def test_a_folder_with_a_lock_is_not_ours(name: str, words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for file in (".lock", "thesis.tex", "thesis.json", "data.bin", "pyvenv.cfg", "table-of-contents.json"):
        (folder / file).write_text('{"repo_id": "me/set", "what": "frames"}')
    before = tree(tmp_path)
    delete(*words, "--path", str(tmp_path))
    assert tree(tmp_path) == before


def test_files_of_others_stay_in_a_store(tmp_path: Path) -> None:
    folder = store(tmp_path / "me--set-0123abcd", str(tmp_path / "gone"))
    (folder / "notes.txt").write_text("mine")
    assert "stays: it holds notes.txt" in delete("--gone", "--path", str(tmp_path))
    assert tree(folder) == {"notes.txt"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = store(tmp_path / "elsewhere" / "me--set-0123abcd", str(tmp_path / "gone"))
    (tmp_path / "stores").mkdir()
    (tmp_path / "stores/me--set-89abcdef").symlink_to(elsewhere)
    folder = store(tmp_path / "stores/me--set-0123abcd", str(tmp_path / "gone"))
    (tmp_path / "thesis.tex").write_text("two years of work")
    (folder / f"{NAME}.bin").unlink()
    (folder / f"{NAME}.bin").symlink_to(tmp_path / "thesis.tex")
    before = tree(elsewhere)
    delete("--gone", "--path", str(tmp_path / "stores"))
    assert tree(elsewhere) == before and (tmp_path / "thesis.tex").read_text() == "two years of work"
    assert (tmp_path / "stores/me--set-89abcdef").is_symlink()


@pytest.mark.parametrize("manifest", ["{", "[]", "[" * 100_000, '{"root": 7}', "\0", '{"what": "frames"}'])
def test_without_a_manifest_nothing_is_gone(manifest: str, tmp_path: Path) -> None:
    folder = store(tmp_path / "me--set-0123abcd", str(tmp_path / "gone"))
    (folder / f"{NAME}.json").write_text(manifest)
    (folder / f"{NAME}.bin.tmp").touch()  # a killed build left it: ours, by --all
    before = tree(folder)
    delete("--gone", "--path", str(tmp_path))
    assert tree(folder) == before
    delete("--all", "--path", str(tmp_path))
    assert not folder.exists()


def test_a_relative_root_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = store(tmp_path / "me--set-0123abcd", "")
    delete("--gone", "--path", ".")
    assert folder.exists()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = store(tmp_path / "me--set-0123abcd", str(tmp_path / "gone"))
    (folder / ".lock").unlink()
    os.mkfifo(folder / ".lock")
    os.mkfifo(folder / f"x.{NAME}.json")
    assert "stays" in delete("--gone", "--path", str(tmp_path))
    shutil.rmtree(folder)
