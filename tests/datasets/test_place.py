"""Where datasets are found, in which order, and what is said when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from getiaction.spec.dataset_layout import DEMOS
from getiaction_cli.datasets import DEMO_ID, known_ids, locate
from getiaction_cli.datasets.place import nearest
from getiaction_cli.errors import DatasetNotFound


def cached(cache: Path, source: Path, repo_id: str, commit: str = "abc", ref: str | None = "v3.0") -> Path:
    storage = cache / ("datasets--" + repo_id.replace("/", "--"))
    snapshot = storage / "snapshots" / commit
    shutil.copytree(source / "meta", snapshot / "meta")
    if ref:
        (storage / "refs").mkdir(exist_ok=True)
        (storage / "refs" / ref).write_text(commit)
    return snapshot


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty homes and caches of one's own, and no network."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def test_the_demo_ships_with_the_package(caches: Path) -> None:
    place = locate(DEMO_ID)
    assert place.origin == "demo"
    assert (place.root / "meta/info.json").is_file()
    assert known_ids() == list(DEMOS)


def test_a_root_is_the_exact_folder(caches: Path, toy_root: Path) -> None:
    assert locate("any/name", root=toy_root).origin == "root"
    with pytest.raises(DatasetNotFound, match="no meta/ folder") as error:
        locate("made/toy", root=toy_root.parent)
    assert f"did you mean root: {toy_root}?" in error.value.hint


def test_a_root_named_one_level_too_deep(caches: Path, toy_root: Path) -> None:
    with pytest.raises(DatasetNotFound) as error:
        locate("made/toy", root=toy_root / "meta")
    assert str(toy_root) in error.value.hint


def test_a_root_that_is_not_there_is_named(caches: Path) -> None:
    with pytest.raises(DatasetNotFound, match="root: no such folder"):
        locate("made/toy", root=caches / "nowhere")


def test_where_it_is_instead_of_in_a_root_that_is_not_there(caches: Path, toy_root: Path) -> None:
    with pytest.raises(DatasetNotFound) as error:
        locate("any/name", root=toy_root.with_name(toy_root.name + "s"))
    assert error.value.hint == f"did you mean root: {toy_root}?"
    shutil.copytree(toy_root, caches / "lerobot" / "made" / "toy")
    with pytest.raises(DatasetNotFound) as error:
        locate("made/toy", root=caches / "nowhere")
    assert error.value.hint.startswith("leave root out: ")


def test_lerobots_home_comes_before_the_caches(caches: Path, toy_root: Path) -> None:
    cached(caches / "hub", toy_root, "made/toy")
    assert locate("made/toy").origin == "hf cache"
    cached(caches / "lerobot" / "hub", toy_root, "made/toy")
    assert locate("made/toy").origin == "lerobot cache"
    shutil.copytree(toy_root, caches / "lerobot" / "made" / "toy")
    assert locate("made/toy").origin == "lerobot home"
    assert set(known_ids()) == {*DEMOS, "made/toy"}


def test_a_broken_copy_in_the_home_is_found_rather_than_passed_over(caches: Path, toy_root: Path) -> None:
    """LeRobot would turn to the Hub and fail there; what is missing here is what must be said."""
    shutil.copytree(toy_root, caches / "lerobot" / "made" / "toy")
    (caches / "lerobot" / "made" / "toy" / "meta" / "info.json").unlink()
    assert locate("made/toy").origin == "lerobot home"


def test_revisions_of_a_cached_copy(caches: Path, toy_root: Path) -> None:
    cache = caches / "hub"
    old = cached(cache, toy_root, "made/toy", commit="aaa", ref="v2.1")
    new = cached(cache, toy_root, "made/toy", commit="bbb", ref="v3.0")
    assert locate("made/toy").root == new
    assert locate("made/toy", revision="v2.1").root == old
    assert locate("made/toy", revision="aaa").root == old
    with pytest.raises(DatasetNotFound):
        locate("made/toy", revision="v9")


def test_a_snapshot_without_meta_does_not_count(caches: Path, toy_root: Path) -> None:
    snapshot = cached(caches / "hub", toy_root, "made/toy")
    (snapshot / "meta" / "info.json").unlink()
    with pytest.raises(DatasetNotFound):
        locate("made/toy")


def test_the_message_lists_every_place(caches: Path) -> None:
    with pytest.raises(DatasetNotFound) as error:
        locate("lerobot/pusht")
    for words in ("LeRobot's home", "LeRobot's cache", "the Hugging Face cache", "not the Hub: HF_HUB_OFFLINE is set"):
        assert words in error.value.message
    assert DEMO_ID in error.value.hint


def test_folders_when_they_are_allowed(caches: Path, toy_root: Path) -> None:
    assert locate(str(toy_root), folders=True).root == toy_root.resolve()
    assert locate(str(toy_root / "meta"), folders=True).root == toy_root.resolve()
    assert locate(str(toy_root), folders=True).repo_id == "toy"
    with pytest.raises(DatasetNotFound, match="no folder") as error:
        locate(str(toy_root) + "x", folders=True)
    assert str(toy_root) in error.value.hint
    with pytest.raises(DatasetNotFound, match="is a file"):
        locate(str(toy_root / "meta/stats.json"), folders=True)


@pytest.mark.parametrize("word", ["", " ", "a/b/c", "../x", "a b/c", "-x/y", "x" * 200, "ü/ü", "a\x00b"])
def test_what_can_be_no_id_is_no_traceback(caches: Path, word: str) -> None:
    with pytest.raises(DatasetNotFound):
        locate(word, folders=True)
    with pytest.raises(DatasetNotFound):
        locate(word)


def test_near_names() -> None:
    names = ["lerobot/pusht", "lerobot/aloha_sim_insertion_human", "me/pusht", "someone/else"]
    assert nearest("lerobot/psht", names)[0] == "lerobot/pusht"
    assert "me/pusht" in nearest("you/pusht", names)
    assert nearest("x/y", names) == []
