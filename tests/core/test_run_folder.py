"""The run folder: claimed once, never overwritten, found again."""

from datetime import datetime
from pathlib import Path

import pytest

from getiaction.errors import TrainingError
from getiaction.train import folder

NOW = datetime(2026, 11, 22, 8, 30, 5)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_folder_is_named_after_recipe_and_time() -> None:
    run = folder.claim("quickstart", now=NOW)
    assert run.path == Path("outputs/quickstart/2026-11-22_08-30-05")
    assert run.path.is_dir()


def test_two_runs_in_one_second_get_two_folders() -> None:
    paths = [folder.claim("quickstart", now=NOW).path.name for _ in range(3)]
    assert paths == ["2026-11-22_08-30-05", "2026-11-22_08-30-05_2", "2026-11-22_08-30-05_3"]


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", "", "with space"])
def test_a_name_stays_inside_outputs(name: str) -> None:
    run = folder.claim(name, now=NOW)
    assert run.path.resolve().parent.parent == Path("outputs").resolve()


def test_a_folder_with_something_in_it_is_never_taken() -> None:
    mine = Path("mine")
    mine.mkdir()
    (mine / "thesis.txt").write_text("precious")
    with pytest.raises(TrainingError, match="exists and is not empty"):
        folder.claim("r", mine)
    assert (mine / "thesis.txt").read_text() == "precious"


def test_an_empty_or_new_folder_is_taken() -> None:
    Path("empty").mkdir()
    assert folder.claim("r", Path("empty")).path == Path("empty")
    assert folder.claim("r", Path("new/deep")).path.is_dir()


def test_a_file_in_the_way_is_an_error() -> None:
    Path("outputs").write_text("a file")
    with pytest.raises(TrainingError, match="can't be made"):
        folder.claim("r")


def test_resuming_takes_a_folder_or_a_checkpoint() -> None:
    run = folder.claim("r", now=NOW)
    assert folder.resumable(run.path) == (folder.RunFolder(run.path, fresh=False, resumed=True), None), (
        "it starts again"
    )
    assert folder.latest("r") == run.path
    run.checkpoints.mkdir()
    (run.checkpoints / "other.ckpt").touch()
    with pytest.raises(TrainingError, match=r"no checkpoints/last\.ckpt") as refused:
        folder.resumable(run.path)
    assert refused.value.hint.endswith(f"--resume {run.path}/checkpoints/other.ckpt")
    run.last.touch()
    run.write_recipe("seed: 1\n")
    assert folder.resumable(run.path) == (folder.RunFolder(run.path, fresh=False, resumed=True), run.last)
    assert folder.resumable(run.last) == (folder.RunFolder(run.path, fresh=False, resumed=True), run.last)
    assert folder.latest("r") == run.path
    assert folder.latest("other") is None
    lonely = Path("some.ckpt")
    lonely.touch()
    assert folder.resumable(lonely) == (None, lonely)
    with pytest.raises(TrainingError, match="nothing to resume from"):
        folder.resumable("nowhere")


def test_only_a_folder_of_ones_own_is_abandoned() -> None:
    run = folder.claim("r", now=NOW)
    folder.RunFolder(run.path, fresh=False).abandon()
    assert run.path.is_dir()
    run.abandon()
    assert not run.path.exists()
