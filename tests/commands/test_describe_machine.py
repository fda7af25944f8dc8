"""A machine is described on one node, and recipes are checked for it on another."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from getiaction_cli import machine_file
from getiaction_cli.errors import UsageError
from getiaction_cli.machine import probe
from getiaction_cli.main import app

H100 = {"name": "NVIDIA H100", "memory": 80 * 2**30, "free": 79 * 2**30, "capability": [9, 0]}


@pytest.fixture
def described(tmp_path: Path) -> Path:
    done = CliRunner().invoke(app, ["describe-machine"])
    assert done.exit_code == 0
    path = tmp_path / "node.json"
    path.write_text(done.stdout)
    return path


def codes(*words: str) -> set[str]:
    done = CliRunner().invoke(app, ["validate-config", "quickstart", "--format", "json", *words])
    return {found["code"] for found in json.loads(done.stdout)["diagnostics"]}


def test_what_is_read_equals_this_machine(described: Path) -> None:
    here, read = probe(), machine_file.read(described)
    for name in ("system", "arch", "gpus", "torch_cuda", "memory", "hub_token", "wandb_key"):
        assert getattr(read, name) == getattr(here, name), name
    assert dict(read.packages) == dict(here.packages)
    assert read.accelerators() == here.accelerators()
    assert read.free_space(Path("/nowhere/at/all")) == pytest.approx(here.free_space(Path("/")), rel=0.2)


def test_a_recipe_is_checked_for_the_described_machine(described: Path) -> None:
    words = ("--trainer.accelerator=gpu", "--trainer.devices=2")
    values = json.loads(described.read_text())
    described.write_text(json.dumps({**values, "gpus": [], "torch_cuda": None}))
    assert "GA501" in codes(*words, "--for-machine", str(described))
    described.write_text(json.dumps({**values, "gpus": [H100, H100], "torch_cuda": "13.0"}))
    assert not {"GA501", "GA502"} & codes(*words, "--for-machine", str(described))
    described.write_text(json.dumps({**values, "gpus": [H100], "torch_cuda": "13.0"}))
    assert "GA502" in codes(*words, "--for-machine", str(described))


def test_no_secret_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("WANDB_API_KEY", "secret" * 7)
    assert "secret" not in machine_file.describe()


@pytest.mark.parametrize(
    "change",
    [
        {"gpus": 3},
        {"gpus": [{**H100, "capability": [float("inf"), 0]}]},
        {"gpus": [{**H100, "capability": "89"}]},
        {"memory": "much"},
        {"packages": []},
        {"free_space": None},
    ],
)
def test_a_damaged_file_is_a_usage_error(described: Path, change: dict[str, object]) -> None:
    described.write_text(json.dumps(json.loads(described.read_text()) | change))
    with pytest.raises(UsageError, match="is damaged"):
        machine_file.read(described)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000])
def test_another_file_is_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UsageError):
        machine_file.read(path)
    with pytest.raises(UsageError, match="no file"):
        machine_file.read(tmp_path / "missing.json")
