"""Pipes, devices, links and paths that lead elsewhere: told at once, never waited for, never written through."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import hostile
import pytest
import yaml

from getiaction import trust
from getiaction_cli.datasets import locate, read

GETIACTION = [sys.executable, "-m", "getiaction_cli.main"]


def run(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that is stopped where it waits for something that never comes."""
    return subprocess.run([*GETIACTION, *map(str, words)], capture_output=True, text=True, timeout=60, cwd=folder)


@pytest.fixture
def dataset(toy_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy_root, tmp_path / "set"))


FILES = ("meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet")


@pytest.mark.parametrize("file", [*FILES, "data/chunk-000/file-000.parquet", "meta/note.txt"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_dataset_has_only_files(file: str, kind: str, dataset: Path) -> None:
    path = dataset / file
    path.unlink(missing_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    found = read(locate(str(dataset), folders=True))
    assert found.fingerprint
    assert file == "meta/note.txt" or found.findings or file in found.listing.unreadable
    if file.startswith("meta/"):
        with pytest.raises(trust.Refused, match="not a regular file"):
            trust.check_dataset(dataset)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_recipe_is_a_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    done = run("validate-config", path, folder=tmp_path)
    assert done.returncode == 3 and "Not a regular file" in done.stderr
    assert "no recipes in" in run("validate-config", tmp_path, folder=tmp_path).stderr
    assert "Not a regular file" in run("train", path, folder=tmp_path).stderr


@pytest.mark.slow
@pytest.mark.parametrize("key", ["data_path", "video_path"])
@pytest.mark.parametrize("template", ["../other/{chunk_index:03d}", "/etc/passwd", "a/../../b", "~/x"])
def test_paths_stay_in_the_dataset(key: str, template: str, dataset: Path, tmp_path: Path) -> None:
    file = dataset / "meta/info.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: template}))
    with pytest.raises(trust.Refused, match=f"{key} .* leads out of the dataset"):
        trust.check_dataset(dataset)
    done = run("inspect-dataset", dataset, folder=tmp_path)
    assert done.returncode == 1 and "error[GA425]" in done.stdout and "leads out of the dataset" in done.stdout


@pytest.mark.parametrize("name", ["log.txt", "metrics.csv", "checkpoints", "pretrained_model", "checkpoints/best.ckpt"])
def test_a_resumed_run_writes_through_no_link(
    name: str, finished: Path, recipe: dict[str, Any], tmp_path: Path
) -> None:
    from getiaction.train.run import train

    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    theirs = tmp_path / "mine"
    (folder / "log.txt").touch()
    shutil.move(folder / name, theirs)
    (folder / name).symlink_to(theirs)
    before = {path: path.stat().st_mtime_ns for path in (theirs, *theirs.rglob("*"))}
    longer = {**recipe, "trainer": {**recipe["trainer"], "max_steps": 4}}
    with pytest.raises(trust.Refused, match="is a link that leads out of the run folder"):
        train(longer, recipe_name="x", recipe_text=yaml.safe_dump(longer), quiet=True, resume=folder)
    assert {path: path.stat().st_mtime_ns for path in (theirs, *theirs.rglob("*"))} == before


@pytest.mark.parametrize("text", ["main", "v3.0", "refs/pr/3", "0" * 40, "feature/x.y_z-1"])
def test_revisions(text: str) -> None:
    assert trust.is_revision(text)


@pytest.mark.parametrize(
    "text", ["..", "../x", "a/../../b", "/etc/x", "a//b", "", "~x", "a\nb", "a b", "x" * 300, "a\\b"]
)
def test_a_revision_is_no_path(text: str) -> None:
    assert not trust.is_revision(text)


@pytest.mark.parametrize("path", ["meta/../../x", "/etc/x", "meta//x", "meta/./x", "..", "meta\\x", "", None, 7])
@pytest.mark.parametrize("size", [1])
def test_a_server_names_only_files_in_its_folder(path: Any, size: Any) -> None:
    from getiaction_cli.datasets.hub import _check_answer

    with pytest.raises(ValueError, match="is not the path of a file"):
        _check_answer("0" * 40, [_Remote(path, size)])


@pytest.mark.parametrize("size", ["12", None, -1, 1.5, True, [1]])
def test_a_size_is_a_number(size: Any) -> None:
    from getiaction_cli.datasets.hub import _check_answer

    with pytest.raises(ValueError, match=r"is not the size of meta/info\.json"):
        _check_answer("0" * 40, [_Remote("meta/info.json", size)])
    with pytest.raises(ValueError, match="is not a commit"):
        _check_answer("../x", [])


class _Remote:
    def __init__(self, path: Any, size: Any) -> None:
        self.path, self.size = path, size


def test_deep_json_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(hostile.deep_json())
    with pytest.raises(ValueError, match="nested too deeply"):
        trust.read_json(tmp_path / "x.json")
    with pytest.raises(OSError, match="Larger than 1 MB"):
        (tmp_path / "x.json").write_bytes(b" " * (2 << 20))
        trust.read_json(tmp_path / "x.json", 1 << 20)
