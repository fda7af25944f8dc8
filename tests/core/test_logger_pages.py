"""Where the closing report says that what a logger recorded can be seen: real loggers, none of which goes online."""

from pathlib import Path

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger

from getiaction.train.metrics import MetricsFile
from getiaction.train.summary import page


def test_files_are_shown_by_a_command_or_a_folder(tmp_path: Path) -> None:
    assert page(MetricsFile(tmp_path)) == ""
    assert page(TensorBoardLogger(tmp_path, name="", version="tb")) == f"tensorboard --logdir {tmp_path}/tb"
    assert page(CSVLogger(tmp_path, name="a b", version=0)) == f"{tmp_path}/a b/version_0"


@pytest.mark.slow
def test_an_offline_run_of_wandb_is_synced_by_a_command(tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb")
    logger = WandbLogger(save_dir=tmp_path, offline=True, project="pusht")
    try:
        command, verb, folder = page(logger).split(" ")
        assert (command, verb) == ("wandb", "sync")
        assert Path(folder).parent == tmp_path / "wandb" and Path(folder).is_dir()
    finally:
        wandb.finish()
