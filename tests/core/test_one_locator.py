"""`validate-config`, `inspect-dataset` and `train` find the same copy of a dataset, or all find none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from getiaction.data.lerobot import LeRobotDataModule
from getiaction.errors import DataError
from getiaction_cli.datasets import locate
from getiaction_cli.errors import DatasetNotFound

ID = "me/recorded"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def in_cache(cache: Path, source: Path, *refs: str, commit: str = COMMIT) -> Path:
    """Put a dataset into a Hub's cache as huggingface_hub does: blobs, and a snapshot of links to them."""
    storage = cache / f"datasets--{ID.replace('/', '--')}"
    snapshot = storage / "snapshots" / commit
    for file in (path for path in source.rglob("*") if path.is_file()):
        blob, link = (
            storage / "blobs" / f"{commit[:4]}-{file.name}-{file.stat().st_ino}",
            snapshot / file.relative_to(source),
        )
        blob.parent.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, blob)
        link.symlink_to(os.path.relpath(blob, link.parent))
    for ref in refs:
        (storage / "refs").mkdir(exist_ok=True)
        (storage / "refs" / ref).write_text(commit)
    return snapshot


def copied(source: Path, folder: Path) -> Path:
    return Path(shutil.copytree(source, folder))


def linked(source: Path, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(source, target_is_directory=True)
    return folder


def with_older(home: Path, source: Path) -> Path:
    in_cache(home / "hf/hub", source, "v2.1", commit=OTHER)
    return in_cache(home / "hf/hub", source, "v3.0")


# What is on the disk, and what the recipe says about it beside the id.
FOUND: dict[str, tuple[Callable[[Path, Path], Path], dict[str, str]]] = {
    "root": (lambda home, toy: toy, {"root": "{found}"}),
    "root that is a link": (lambda home, toy: linked(toy, home / "link"), {"root": "{found}"}),
    "LeRobot's home": (lambda home, toy: copied(toy, home / "hf/lerobot" / ID), {}),
    "LeRobot's home, a link": (lambda home, toy: linked(toy, home / "hf/lerobot" / ID), {}),
    "LeRobot's home, whatever the revision": (
        lambda home, toy: copied(toy, home / "hf/lerobot" / ID),
        {"revision": "main"},
    ),
    "LeRobot's cache": (lambda home, toy: in_cache(home / "hf/lerobot/hub", toy, "v3.0"), {}),
    "the Hub's cache": (lambda home, toy: in_cache(home / "hf/hub", toy, "v3.0"), {}),
    "the Hub's cache, main alone": (lambda home, toy: in_cache(home / "hf/hub", toy, "main"), {}),
    "the Hub's cache, a commit alone": (lambda home, toy: in_cache(home / "hf/hub", toy), {}),
    "a commit by its name": (lambda home, toy: in_cache(home / "hf/hub", toy), {"revision": COMMIT}),
    "the readable one of two": (with_older, {}),
    "a branch": (lambda home, toy: in_cache(home / "hf/hub", toy, "trial"), {"revision": "trial"}),
    "root not there yet, a cached copy": (
        lambda home, toy: in_cache(home / "hf/lerobot/hub", toy, "v3.0"),
        {"root": "{home}/absent"},
    ),
}

NOWHERE: dict[str, tuple[Callable[[Path, Path], object], dict[str, str]]] = {
    "nothing at all": (lambda home, toy: None, {}),
    "another revision": (lambda home, toy: in_cache(home / "hf/hub", toy, "v3.0"), {"revision": "trial"}),
    "a revision that leads elsewhere": (
        lambda home, toy: copied(toy, home / "hf/hub" / f"datasets--{ID.replace('/', '--')}" / "elsewhere"),
        {"revision": "../elsewhere"},
    ),
    "a snapshot whose blobs are gone": (
        lambda home, toy: shutil.rmtree(in_cache(home / "hf/hub", toy, "v3.0").parents[1] / "blobs"),
        {},
    ),
    "a wrong root, whatever is cached": (
        lambda home, toy: (in_cache(home / "hf/hub", toy, "v3.0"), (home / "other.txt").write_text("notes")),
        {"root": "{home}"},
    ),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Homes and caches of this test's own; there is no network."""
    for name in ("HF_LEROBOT_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path


@pytest.mark.parametrize("case", FOUND)
def test_both_halves_find_the_same_copy(home: Path, toy_root: Path, case: str) -> None:
    put, words = FOUND[case]
    found = put(home, toy_root)
    words = {key: value.format(found=found, home=home) for key, value in words.items()}
    assert locate(ID, **words).root == found
    data = LeRobotDataModule(ID, **words, frame_store="off")
    data.setup()
    assert data.meta is not None and data.meta.root == found
    assert data.train_dataset is not None and len(data.train_dataset) == 66
    assert not (home / "absent").exists()


@pytest.mark.parametrize("case", NOWHERE)
def test_both_halves_find_none(home: Path, toy_root: Path, case: str) -> None:
    put, words = NOWHERE[case]
    put(home, toy_root)
    words = {key: value.format(home=home) for key, value in words.items()}
    with pytest.raises(DatasetNotFound):
        locate(ID, **words)
    with pytest.raises(DataError):
        LeRobotDataModule(ID, **words).setup()


def test_an_older_format_is_found_by_both_and_trained_by_none(home: Path, v21_root: Path) -> None:
    found = in_cache(home / "hf/hub", v21_root, "main")
    assert locate(ID).root == found
    with pytest.raises(DataError, match="older format") as error:
        LeRobotDataModule(ID).setup()
    assert "convert_dataset_v21_to_v30" in error.value.hint


@pytest.mark.slow
def test_a_dataset_in_the_hubs_cache_alone_is_inspected_and_trained(home: Path, toy_root: Path) -> None:
    in_cache(home / "hf/hub", toy_root, "main")
    (home / "recipe.yaml").write_text(
        "model:\n  class_path: getiaction.policies.lerobot.ACT\n  init_args: {chunk_size: 5, n_action_steps: 5,"
        " dim_model: 32, n_heads: 2, dim_feedforward: 32, pretrained_backbone_weights: null}\n"
        f"data:\n  class_path: getiaction.data.lerobot.LeRobotDataModule\n  init_args: {{repo_id: {ID}}}\n"
        "trainer: {max_steps: 1, accelerator: cpu}\n"
    )
    for words in (["inspect-dataset", ID], ["train", "recipe.yaml", "--output-dir", "run", "--ignore", "GA2"]):
        command = [sys.executable, "-m", "getiaction_cli.main", *words]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
    assert (home / "run/pretrained_model/model.safetensors").is_file()


# Folders of a dataset that only `root` names → the id that both halves give it.
NAMED_BY_FOLDER: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "anywhere": (lambda home, toy: copied(toy, home / "recordings" / "kitchen"), "kitchen"),
    "in LeRobot's home": (lambda home, toy: copied(toy, home / "hf/lerobot" / ID), ID),
    "in a Hub cache": (lambda home, toy: in_cache(home / "hf/hub", toy, "v3.0"), ID),
}


@pytest.mark.parametrize("case", NAMED_BY_FOLDER)
def test_both_halves_name_a_folder_alike(home: Path, toy_root: Path, case: str) -> None:
    put, name = NAMED_BY_FOLDER[case]
    root = put(home, toy_root)
    found = locate(None, root)
    data = LeRobotDataModule(root=root, frame_store="off")
    data.setup()
    assert data.meta is not None
    assert (found.repo_id, data.repo_id, data.meta.repo_id) == (name, name, name)


def test_a_folder_alone_is_not_looked_for_elsewhere(home: Path, toy_root: Path) -> None:
    in_cache(home / "hf/hub", toy_root, "v3.0")
    for absent in (home / ID, home / "hf/lerobot" / ID):
        with pytest.raises(DatasetNotFound, match="no dataset in root"):
            locate(None, absent)
        with pytest.raises(DataError, match="no dataset in"):
            LeRobotDataModule(root=absent, frame_store="off").setup()
