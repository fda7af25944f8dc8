"""A policy that was really trained, for strangers to tamper with."""

import sys
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """33 frames in 3 episodes, no camera. Shared: read only."""
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(12, 10, 11))


@pytest.fixture(scope="session")
def recipe(root: Path) -> dict[str, Any]:
    """The smallest ACT on it, for two steps. Shared: read only."""
    import tiny_policies

    data = {"repo_id": "made/blind", "root": str(root), "train_batch_size": 4, "num_workers": 0}
    return {
        "seed": 3,
        "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": dict(tiny_policies.ACT)},
        "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": data},
        "trainer": {"accelerator": "cpu", "max_steps": 2, "log_every_n_steps": 1},
    }


@pytest.fixture(scope="session")
def finished(recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a finished training. Shared: read only."""
    from getiaction.train.run import train

    folder = tmp_path_factory.mktemp("runs") / "run"
    train(recipe, recipe_name="tiny", recipe_text=yaml.safe_dump(recipe), output_dir=folder, quiet=True)
    return folder
