"""`getiaction frame-stores` reads what the training core wrote."""

import json
import shutil
from pathlib import Path
from typing import Any

import make_dataset
import pytest
from filelock import FileLock
from typer.testing import CliRunner, Result

from getiaction_cli import main
from getiaction_cli.errors import CliError


def run(*words: str) -> Result:
    return CliRunner().invoke(main.app, ["frame-stores", *words])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset whose frames are kept."""
    from getiaction.data.pipeline import Pipeline
    from getiaction.lerobot.datasets import LeRobotDatasetMetadata

    monkeypatch.setenv("GETIACTION_CACHE", str(tmp_path / "cache"))
    root = make_dataset.make(tmp_path / "toy", codec="h264", lengths=(5, 4), true_quantiles=False)
    assert Pipeline(LeRobotDatasetMetadata("made/toy", root=root), root).plan.method == "store"
    return root


def listed(*words: str) -> list[dict[str, Any]]:
    return json.loads(run("--format", "json", *words).stdout)["stores"]


def test_lists_what_training_wrote(root: Path, tmp_path: Path) -> None:
    (store,) = listed()
    assert (store["repo_id"], store["root"], store["frames"]) == ("made/toy", str(root), 9)
    assert store["bytes"] >= 9 * 32 * 48 * 3 and store["cameras"] == ["observation.images.top"]
    text = run().stdout
    assert "made/toy" in text and "9 frames" in text and "used today" in text and str(tmp_path / "cache") in text


def test_deletes_by_name_and_by_folder(root: Path) -> None:
    assert "deleted the frames of made/toy" in run("--delete", "made/toy").stdout
    assert listed() == []
    assert "no stores" in run().stdout


def test_deletes_what_is_gone(root: Path) -> None:
    assert listed("--gone") == []
    run("--delete", "--gone")
    assert len(listed()) == 1
    shutil.rmtree(root)
    assert listed()[0]["gone"]
    run("--delete", "--gone")
    assert listed() == []


def test_leaves_alone_what_is_being_built(root: Path) -> None:
    with FileLock(Path(listed()[0]["folder"], ".lock")):
        result = run("--delete", "--all")
    assert "building" in result.stderr and len(listed()) == 1


@pytest.mark.parametrize("words", [("--delete",), ("made/other",), ("--path", "/nowhere/at/all")])
def test_says_what_it_needs(root: Path, words: tuple[str, ...]) -> None:
    assert isinstance(run(*words).exception, CliError)


def test_other_folders_are_not_ours(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache" / "frames" / "mine").mkdir()
    (tmp_path / "cache" / "frames" / "mine" / "thesis.json").write_text("{}")
    run("--delete", "--all")
    assert (tmp_path / "cache" / "frames" / "mine" / "thesis.json").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}', "null", '{"rows": "many"}'])
def test_a_damaged_manifest_is_told_and_stops_nothing(root: Path, damage: str) -> None:
    (store,) = listed()
    folder = Path(store["folder"])
    other = folder.with_name("made_other-00000000")
    shutil.copytree(folder, other)
    for manifest in other.glob("*.json"):
        manifest.write_text(damage)
    result = run()
    assert result.exit_code == 0 and "made/toy" in result.stdout and "9 frames" in result.stdout
    assert other.name in result.stdout and f"frame-stores --delete {other.name}" in result.stderr
    assert {each["folder"]: each["damaged"] != [] for each in listed()} == {str(folder): False, str(other): True}
    assert run("--delete", other.name).exit_code == 0 and not other.exists()
    assert [each["repo_id"] for each in listed()] == ["made/toy"]
