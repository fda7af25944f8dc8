"""A migrated recipe trains as the real lerobot-train does with its source: the same losses and learning rates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_policies
import tiny_vlas
import torch

from getiaction_cli.analysis.migration import migrate
from getiaction_cli.recipe import read

STEPS = 6
PROCESS = Path(__file__).with_name("lerobot_train_process.py")


def source(name: str, root: Path, **parameters: Any) -> dict[str, Any]:
    """A configuration of lerobot-train that holds episodes out and sets what it can."""
    parameters = parameters or tiny_policies.CONFIGS[name]
    rate = {} if name == "vqbet" else {"optimizer_lr": 1e-3}
    return {
        "policy": {"type": name, "device": "cpu", "push_to_hub": False, **parameters, **rate},
        "dataset": {"repo_id": "made/small", "root": str(root), "video_backend": "pyav", "eval_split": 0.3},
        "seed": 7,
        "batch_size": 4,
        "steps": STEPS,
        "num_workers": 0,
        "log_freq": 1,
        # LeRobot counts the batches of an evaluation among the steps of VQ-BeT's first phase; getiaction does not.
        "eval_steps": 0 if name == "vqbet" else 4,
        "save_checkpoint": False,
    }


@pytest.fixture(scope="module")
def theirs(small_root: Path, toy_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of all policies, each trained by lerobot-train; `hub` stands for the Hub's cache."""
    folder = tmp_path_factory.mktemp("theirs")
    for name in tiny_policies.CONFIGS:
        (folder / f"{name}.json").write_text(json.dumps(source(name, small_root)))
    for name, make in tiny_vlas.MAKERS.items():
        root = toy_root if name == "fastwam" else small_root  # it looks for `observation.images.…`
        given = source(name, root, **make(folder / "hub"))
        (folder / f"{name}.json").write_text(json.dumps(given))
    environment = {**os.environ, "HF_HUB_CACHE": str(folder / "hub")}
    subprocess.run([sys.executable, str(PROCESS), str(folder)], check=True, timeout=500, env=environment)
    return folder


class Start(tiny_policies.Watch):
    """Begins with given weights."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.weights = weights

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        pl_module.lerobot_policy.load_state_dict(self.weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*tiny_policies.CONFIGS, *tiny_vlas.MAKERS])
def test_a_migrated_recipe_trains_the_same(
    name: str, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    from getiaction.train import build

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(theirs / "hub"))
    failure = theirs / f"{name}.txt"
    assert not failure.exists(), failure.read_text()
    migration = migrate(read(theirs / f"{name}.json"))
    assert migration is not None and migration.lost == ()
    recipe = migration.recipe
    kept = torch.load(theirs / f"{name}.pt", weights_only=True)
    monkeypatch.setenv("PL_GLOBAL_SEED", str(recipe["seed"]))
    watch = Start(kept["first"])
    arguments = {key: value for key, value in recipe["trainer"].items() if key not in ("accelerator", "max_steps")}
    assert recipe["trainer"]["accelerator"] == "cpu"
    trainer = tiny_policies.trainer(tmp_path, recipe["trainer"]["max_steps"], watch, **arguments)
    trainer.fit(build.policy(recipe), datamodule=build.data(recipe))
    assert watch.losses == pytest.approx(kept["losses"], rel=1e-5)
    assert watch.rates == pytest.approx(kept["rates"], rel=1e-9)
    assert len(watch.losses) == STEPS
