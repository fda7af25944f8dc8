"""What a recipe may name, and what it may not."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO

from getiaction.errors import MachineError, TrainingError
from getiaction.spec.installing import install_command
from getiaction.train import build
from getiaction.train.folder import RunFolder
from getiaction.train.metrics import MetricsFile


@pytest.mark.parametrize(
    ("place", "class_path"),
    [
        ("model", "os.system"),
        ("data", "subprocess.Popen"),
        ("logger", "os.system"),
        ("callbacks", "os.system"),
        ("strategy", "builtins.eval"),
        ("callbacks", "lightning.pytorch.callbacks.os.system"),
        ("callbacks", "lightning.pytorch.callbacks.model_checkpoint.os"),
        ("callbacks", "lightning.pytorch.loggers.CSVLogger"),
        ("callbacks", "lightning.pytorch.callbacks"),
        ("callbacks", "lightning.pytorch.callbacks."),
        ("callbacks", "lightning.pytorch.callbacks.early_stopping.ModelCheckpoint"),
        ("callbacks", "EarlyStopping"),
        ("logger", "lightning.pytorch.loggers.__loader__"),
        ("callbacks", "antigravity.EarlyStopping"),
        ("model", "antigravity.ACT"),
    ],
)
def test_a_class_path_is_a_name_to_look_up_and_never_an_import(place: str, class_path: str) -> None:
    with pytest.raises(TrainingError, match="is not a class that belongs here"):
        build.component(place, {"class_path": class_path, "init_args": {"command": "touch hacked"}}, place)
    assert "antigravity" not in sys.modules


def test_classes_of_the_right_place_are_built() -> None:
    section = {"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"monitor": "val/loss"}}
    assert isinstance(build.component("callbacks", section, "trainer.callbacks.0"), EarlyStopping)
    deep = {"class_path": "lightning.pytorch.callbacks.early_stopping.EarlyStopping", "init_args": {"monitor": "x"}}
    assert isinstance(build.component("callbacks", deep, "trainer.callbacks.0"), EarlyStopping)
    between = "lightning.pytorch.callbacks.progress.TQDMProgressBar"  # as Lightning's own documentation has it
    assert isinstance(build.component("callbacks", {"class_path": between}, "trainer.callbacks.0"), TQDMProgressBar)
    again = "lightning.pytorch.plugins.io.TorchCheckpointIO"  # defined in Lightning Fabric
    assert isinstance(build.component("plugins", {"class_path": again}, "trainer.plugins.0"), TorchCheckpointIO)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"class_path": "lightning.pytorch.callbacks.EarlyStoping"}, "EarlyStopping"),
        ({"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"moniter": "x"}}, "monitor"),
        ({"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {}}, ""),
        ({"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": [1]}, ""),
        ({"init_args": {}}, "EarlyStopping"),
        ("EarlyStopping", "EarlyStopping"),
        ({"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": {"monitor": "x", "mode": "up"}}, ""),
    ],
)
def test_a_wrong_section_says_what_was_meant(section: Any, said: str) -> None:
    with pytest.raises(TrainingError) as error:
        build.component("callbacks", section, "trainer.callbacks.0")
    assert "trainer.callbacks.0" in error.value.message
    assert said in error.value.hint


def test_a_logger_that_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **kwargs: object) -> None:
        raise ModuleNotFoundError("no tensorboard here")

    monkeypatch.setattr(TensorBoardLogger, "__init__", missing)
    with pytest.raises(MachineError, match="needs the package tensorboard") as error:
        build.component("logger", {"class_path": "lightning.pytorch.loggers.TensorBoardLogger"}, "trainer.logger")
    assert error.value.hint == install_command("tensorboard")


def test_wandb_without_a_key_is_said_before_it_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    with pytest.raises(MachineError, match="no API key"):
        build.component("logger", {"class_path": "lightning.pytorch.loggers.WandbLogger"}, "trainer.logger")


@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "mps"])
def test_an_absent_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch, accelerator: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(MachineError, match=f"accelerator: {accelerator}"):
        build.trainer({"trainer": {"accelerator": accelerator}}, None, [])


@pytest.mark.parametrize("init_args", [{"device": "cuda"}, {"config_kwargs": {"device": "cuda:1"}}])
def test_lerobots_device_may_not_fall_back_either(monkeypatch: pytest.MonkeyPatch, init_args: dict[str, Any]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MachineError, match="torch finds none"):
        build.policy({"model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": init_args}})


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ({"max_step": 3}, "max_step"),
        ({"precision": "17-bit"}, "precision"),
        ({"devices": 0}, "devices"),
        ({"strategy": "nonsense"}, "nonsense"),
    ],
)
def test_a_wrong_trainer_is_one_error(trainer: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        build.trainer({"trainer": {"accelerator": "cpu", **trainer}}, None, [])


@pytest.mark.parametrize("written", ["00:00:30:00", {"minutes": 30}])
def test_a_time_as_a_recipe_writes_it(written: object) -> None:
    section = {
        "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
        "init_args": {"train_time_interval": written},
    }
    assert build.component("callbacks", section, "trainer.callbacks.0")._train_time_interval == timedelta(minutes=30)


def test_metrics_always_and_what_is_asked_for_in_the_run_folder(tmp_path: Path) -> None:
    recipe = {
        "trainer": {
            "accelerator": "cpu",
            "max_steps": 3,
            "logger": {"class_path": "lightning.pytorch.loggers.TensorBoardLogger"},
            "callbacks": [
                {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": {"every_n_train_steps": 2}},
                {"class_path": "lightning.pytorch.callbacks.LearningRateMonitor"},
            ],
        }
    }
    ours = L.Callback()
    trainer = build.trainer(recipe, RunFolder(tmp_path), [ours])
    assert [type(logger) for logger in trainer.loggers] == [MetricsFile, TensorBoardLogger]
    assert trainer.loggers[1].log_dir == str(tmp_path / "tensorboard")
    assert trainer.callbacks[0] is ours
    checkpoint = next(c for c in trainer.callbacks if isinstance(c, ModelCheckpoint))
    assert checkpoint.dirpath == str(tmp_path / "checkpoints")


@pytest.mark.parametrize("logger", [True, False, None])
def test_metrics_cannot_be_switched_off(tmp_path: Path, logger: bool | None) -> None:
    assert [type(item) for item in build.loggers(logger, RunFolder(tmp_path))] == [MetricsFile]
    assert [type(item) for item in build.loggers(logger, None)] == [DummyLogger]
