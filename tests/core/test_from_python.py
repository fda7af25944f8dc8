"""What a Python user writes without a recipe and without a Trainer."""

from pathlib import Path

import numpy as np
import pytest
import tiny_policies
import torch

from getiaction.errors import PolicyError


@pytest.fixture(scope="module")
def trained(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """ACT after one step, in evaluation mode."""
    from getiaction.data import LeRobotDataModule
    from getiaction.policies.lerobot import ACT

    policy = ACT(**tiny_policies.ACT)
    data = LeRobotDataModule("made/small", root=small_root, train_batch_size=4, num_workers=0, video_backend="pyav")
    tiny_policies.trainer(tmp_path_factory.mktemp("run"), 1).fit(policy, datamodule=data)
    folder = tmp_path_factory.mktemp("saved")
    policy.save_pretrained(folder)
    return ACT.from_pretrained(folder)


def test_a_loop_of_ones_own_needs_no_trainer(trained: object) -> None:
    optimizer = trained.configure_optimizers()  # type: ignore[attr-defined]
    assert isinstance(optimizer, torch.optim.Optimizer)


def test_loaders_set_the_data_up(small_root: Path) -> None:
    from getiaction.data import LeRobotDataModule

    data = LeRobotDataModule("made/small", root=small_root, train_batch_size=4, num_workers=0, video_backend="pyav")
    assert next(iter(data.train_dataloader()))["action"].shape[0] == 4


def test_a_misspelt_policy_fails_where_it_is_written() -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    with pytest.raises(PolicyError, match="LeRobot has no policy `difusion`") as refused:
        LeRobotPolicy("difusion")
    assert refused.value.hint == "Did you mean `diffusion`?"


def test_observations_are_taken_as_environments_give_them(trained: object) -> None:
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 255, (48, 48, 3), dtype=np.uint8)
    state = generator.random(2)
    trained.reset()  # type: ignore[attr-defined]
    given = trained.select_action({"observation.image": picture, "observation.state": state})  # type: ignore[attr-defined]
    recorded = {
        "observation.image": torch.from_numpy(picture).permute(2, 0, 1),
        "observation.state": torch.from_numpy(state).float(),
    }
    trained.reset()  # type: ignore[attr-defined]
    assert torch.equal(given, trained.select_action(recorded))  # type: ignore[attr-defined]
    batch = {key: value.unsqueeze(0) for key, value in recorded.items()}
    chunk = trained.predict_action_chunk(batch)  # type: ignore[attr-defined]
    assert chunk.shape == (1, 4, 2)
    assert torch.allclose(chunk[:, 0], given)


def test_another_policys_folder_is_refused(trained: object, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import Diffusion

    trained.save_pretrained(tmp_path)  # type: ignore[attr-defined]
    with pytest.raises(PolicyError, match="holds the policy act, not diffusion"):
        Diffusion.from_pretrained(tmp_path)


def test_a_foreign_checkpoint_is_called_one(tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(PolicyError, match="is not a checkpoint of a LeRobotPolicy"):
        ACT.load_from_checkpoint(tmp_path / "other.ckpt")
