"""Every class of Lightning that a recipe can name: what the verdict says of it, and what training does with it."""

import os
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import tiny_policies
import torch
import yaml

from getiaction.train.run import train
from getiaction_cli.checking.recipe_context import verdict
from getiaction_cli.recipe import read
from getiaction_cli.recipe.layout import OBJECT_HOMES
from getiaction_cli.recipe.signatures import exported

CLASSES = [f"{module}.{name}" for kind, module in OBJECT_HOMES.items() for name in exported(module)]
# What a recipe has to say, where a class has no default for it.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "EarlyStopping": {"monitor": "train/loss"},
    "GradientAccumulationScheduler": {"scheduling": {0: 1}},
    "StochasticWeightAveraging": {"swa_lrs": 1e-3, "swa_epoch_start": 1},
    "ModelPruning": {"pruning_fn": "l1_unstructured", "amount": 0.1},
    "SingleDeviceStrategy": {"device": "cpu"},
    "MixedPrecision": {"precision": "bf16-mixed", "device": "cpu"},
    "HalfPrecision": {"precision": "bf16-true"},
}
# They look for a service or a device that no test has.
ELSEWHERE = (
    "CometLogger",
    "LitLogger",
    "MLFlowLogger",
    "WandbLogger",
    "XLA",
    "MPS",
    "CUDA",
    "DeepSpeed",
    "FSDP",
    "Bits",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames of a robot without cameras, in 2 episodes."""
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(6, 6))


def recipe(root: Path, class_path: str) -> dict[str, Any]:
    kind = next(kind for kind, module in OBJECT_HOMES.items() if class_path.startswith(f"{module}."))
    part: dict[str, Any] = {"class_path": class_path}
    if arguments := ARGUMENTS.get(class_path.rpartition(".")[2]):
        part["init_args"] = arguments
    place = [part] if kind in ("callbacks", "plugins") else part
    trainer = {"accelerator": "cpu", "devices": 1, "max_steps": 2, "log_every_n_steps": 1, kind: place}
    if kind == "accelerator":
        trainer["devices"] = 1
    return {
        "seed": 3,
        "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": tiny_policies.ACT},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/blind", "root": str(root), "train_batch_size": 4, "num_workers": 0},
        },
        "trainer": trainer,
    }


def outcome(given: dict[str, Any]) -> str:
    """Train two steps, then two more from the checkpoint: what failed, or nothing."""

    def run(given: dict[str, Any], **where: Any) -> Any:
        return train(given, recipe_name="tiny", recipe_text=yaml.safe_dump(given), quiet=True, **where)

    try:
        folder = run(given).folder.path
        weights = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        if not weights:
            return "the checkpoint is empty"
        given = {**given, "trainer": {**given["trainer"], "max_steps": 4}}
        run(given, resume=folder)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("class_path", [path for path in CLASSES if not any(word in path for word in ELSEWHERE)])
def test_the_verdict_is_what_training_does(
    class_path: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GETIACTION_CACHE", os.environ.get("GETIACTION_CACHE", str(tmp_path / "cache")))
    given = recipe(root, class_path)
    said = [d for d in verdict(read("recipe.yaml", text=yaml.safe_dump(given))).diagnostics if d.severity == "error"]
    failed = outcome(given)
    if said:
        assert failed, f"refused ({said[0].code} {said[0].message}), and it trains"
    else:
        assert not failed
