"""Training with Hugging Face's caches on a disk that is read-only, as compute nodes see the caches of a login node."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from test_train import recipe, root  # noqa: F401


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody can write to; root can write to any but that of a read-only disk."""
    folder = tmp_path / "read_only"
    folder.mkdir()
    if os.geteuid() == 0:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], capture_output=True, timeout=20)
        if mounted.returncode:
            pytest.skip("root can't mount a read-only disk here")
        yield folder
        subprocess.run(["umount", folder], check=True, timeout=20)
    else:
        folder.chmod(0o555)
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("own", ["writable", "read-only"])
def test_trains_with_a_read_only_cache(recipe: Path, read_only: Path, own: str) -> None:  # noqa: F811
    values = yaml.safe_load(recipe.read_text())
    values["trainer"]["max_steps"] = 1
    recipe.write_text(yaml.safe_dump(values))
    cache = Path("cache").absolute() if own == "writable" else read_only
    env = {**os.environ, "HF_HOME": str(read_only), "GETIACTION_CACHE": str(cache), "TMPDIR": str(Path.cwd() / "tmp")}
    env.pop("HF_DATASETS_CACHE", None)
    Path("tmp").mkdir()
    words = [sys.executable, "-m", "getiaction_cli", "train", str(recipe)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=300)
    assert "trained     1 step" in done.stdout, done.stderr
    assert (cache / "datasets").exists() == (own == "writable")
    assert not list(Path("tmp").glob("getiaction-datasets-*"))
    shutil.rmtree("tmp")
