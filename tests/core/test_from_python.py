"""What a Python user writes without a recipe and without a Trainer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_policies
import torch

from getiaction.errors import DataError, PolicyError


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
    assert refused.value.hint == "did you mean `diffusion`?"


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


def test_a_file_of_another_kind_is_called_no_checkpoint(tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    torch.save(torch.zeros(3), tmp_path / "tensor.ckpt")
    (tmp_path / "text.ckpt").write_text("hello")
    for name in ("tensor.ckpt", "text.ckpt"):
        with pytest.raises(PolicyError, match="is not a checkpoint of a LeRobotPolicy"):
            ACT.load_from_checkpoint(tmp_path / name)


def test_from_pretrained_returns_the_class_that_was_asked(trained: object) -> None:
    from getiaction.policies.lerobot import ACT

    assert type(trained) is ACT


def test_an_observation_of_gym_is_renamed_as_lerobot_does(trained: object) -> None:
    generator = np.random.default_rng(0)
    picture, state = generator.integers(0, 255, (48, 48, 3), dtype=np.uint8), generator.random(2)
    trained.reset()  # type: ignore[attr-defined]
    given = trained.select_action({"pixels": picture, "agent_pos": state})  # type: ignore[attr-defined]
    trained.reset()  # type: ignore[attr-defined]
    named = trained.select_action({"observation.image": picture, "observation.state": state})  # type: ignore[attr-defined]
    assert torch.allclose(given, named)


def test_a_wrong_observation_says_what_the_policy_reads(trained: object) -> None:
    trained.reset()  # type: ignore[attr-defined]
    with pytest.raises(PolicyError, match=r"lacks observation\.image; it has observation\.state") as lacking:
        trained.select_action({"observation.state": np.zeros(2)})  # type: ignore[attr-defined]
    assert lacking.value.hint == "act reads observation.image, observation.state"
    with pytest.raises(PolicyError, match=r"observation.state has the shape \(3,\), and act reads \(2,\)"):
        trained.select_action({"observation.state": np.zeros(3)})  # type: ignore[attr-defined]


def test_a_traceback_shows_the_hint() -> None:
    assert PolicyError("LeRobot has no policy `difusion`", "did you mean `diffusion`?").__notes__ == [
        "did you mean `diffusion`?"
    ]


def opened(root: Path, **given: object) -> object:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    return LeRobotDataset("made/small", root=root, video_backend="pyav", **given)


def test_a_dataset_object_is_read_as_it_was_opened(small_root: Path) -> None:
    from getiaction.data import LeRobotDataModule

    dataset = opened(small_root, episodes=[1], delta_timestamps={"action": [0.0, 0.1]})
    dataset.meta.stats["action"]["mean"] = np.array([7.0, 8.0])  # type: ignore[attr-defined]
    data = LeRobotDataModule(dataset=dataset, train_batch_size=4, num_workers=0)
    batch = next(iter(data.train_dataloader()))
    assert data.repo_id == "made/small"
    assert set(batch["episode_index"].tolist()) == {1}
    assert batch["action"].shape == (4, 2, 2)
    assert data.stats["action"]["mean"].tolist() == [7.0, 8.0]


def test_what_is_not_a_plain_dataset_object_is_refused(small_root: Path) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    from getiaction.data import LeRobotDataModule

    class Own(LeRobotDataset):
        def __getitem__(self, index: int) -> dict[str, object]:
            return {}

    plain = opened(small_root)
    wrong = {
        "not str": {"dataset": "lerobot/pusht"},
        "in a way of its own": {"dataset": Own("made/small", root=small_root, video_backend="pyav")},
        "named as well": {"dataset": plain, "repo_id": "made/small"},
        "as text": {"repo_id": plain},
        "no dataset was named": {},
    }
    for said, given in wrong.items():
        with pytest.raises(DataError, match=said):
            LeRobotDataModule(**given)  # type: ignore[arg-type]


def test_a_folder_names_a_dataset_and_nothing_is_downloaded_for_it(
    small_root: Path, copy_of: Callable[[Path], Path]
) -> None:
    from getiaction.data import LeRobotDataModule

    data = LeRobotDataModule(root=small_root, train_batch_size=4, num_workers=0, video_backend="pyav")
    assert data.repo_id == small_root.name
    assert next(iter(data.train_dataloader()))["action"].shape[0] == 4
    with pytest.raises(DataError, match="no dataset in"):
        LeRobotDataModule(root=small_root / "nowhere").setup()
    incomplete = copy_of(small_root)
    for video in incomplete.rglob("*.mp4"):
        video.unlink()
    with pytest.raises(DataError, match="lacks files that its metadata names"):
        LeRobotDataModule(root=incomplete, frame_store="off").setup()
