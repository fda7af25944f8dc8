"""LeRobotDataModule: finding a dataset, timing, the split, the order of samples, and batches as policies read them."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import tiny_policies
import torch

from getiaction.errors import DataError

SEED_DELTAS = [round(0.1 * i, 1) for i in range(10)]


def module(root: Path | None, repo_id: str = "made/small", **arguments: Any) -> Any:
    from getiaction.data.lerobot import LeRobotDataModule

    defaults = {"train_batch_size": 4, "num_workers": 0, "video_backend": "pyav"}
    return LeRobotDataModule(repo_id, root=root, **{**defaults, **arguments})


def fit(policy: Any, data: Any, folder: Path, steps: int = 1) -> Any:
    trainer = tiny_policies.trainer(folder, steps)
    trainer.fit(policy, datamodule=data)
    return trainer


# Timing --------------------------------------------------------------------------------------------------------------


def test_what_a_recipe_leaves_out_is_derived_from_policy_and_fps(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import TDMPC, Diffusion

    data = module(small_root)
    fit(Diffusion(**tiny_policies.DIFFUSION), data, tmp_path)
    assert data.train_dataset.delta_timestamps == {
        "observation.image": [-0.1, 0.0],
        "observation.state": [-0.1, 0.0],
        "action": [i / 10 for i in range(-1, 7)],
    }
    data = module(small_root)
    fit(TDMPC(**tiny_policies.TDMPC), data, tmp_path)
    assert data.train_dataset.delta_timestamps["next.reward"] == [0.0, 0.1]


def test_what_a_recipe_states_rightly_is_taken(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    data = module(small_root, delta_timestamps={"action": SEED_DELTAS})
    fit(ACT(**{**tiny_policies.ACT, "chunk_size": 10}), data, tmp_path)
    assert data.train_dataset.delta_timestamps == {"action": SEED_DELTAS}


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"action": SEED_DELTAS}, r"action \[0, 0\.1, .*0\.9\]; act at 10 fps takes \[0, 0\.1, 0\.2, 0\.3\]"),
        ({"observation.state": [-0.1, 0.0]}, r"act reads one observation\.state per sample"),
        ({"actions": [0.0]}, "names actions, which the dataset doesn't have"),
    ],
)
def test_what_a_recipe_states_wrongly_stops_before_anything_is_built(
    small_root: Path, tmp_path: Path, stated: Any, message: str
) -> None:
    from getiaction.policies.lerobot import ACT

    policy, data = ACT(**tiny_policies.ACT), module(small_root, delta_timestamps=stated)
    with pytest.raises(DataError, match=message):
        fit(policy, data, tmp_path)
    assert policy.lerobot_policy is None
    assert data.train_dataset is None


def test_a_stated_window_of_the_right_length_is_obeyed_with_a_warning(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    data = module(small_root, delta_timestamps={"action": [0.0, 0.2, 0.4, 0.599]})
    with pytest.warns(UserWarning, match=r"act at 10 fps takes \[0, 0\.1, 0\.2, 0\.3\] by default"):
        fit(ACT(**tiny_policies.ACT), data, tmp_path)
    assert data.train_dataset.delta_timestamps == {"action": [0.0, 0.2, 0.4, 0.6]}
    assert data.frames_apart == 2


def test_of_one_current_frame_the_time_dimension_is_dropped(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    data = module(small_root, delta_timestamps={"observation.image": [0.0], "observation.state": [0.0]})
    fit(ACT(**tiny_policies.ACT), data, tmp_path)
    batch = next(iter(data.train_dataloader()))
    assert batch["observation.image"].shape == (4, 3, 48, 48)
    assert batch["observation.state"].shape == (4, 2)


def test_stride_moves_every_step_of_the_policy_apart(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import Diffusion

    data = module(small_root, stride=3)
    fit(Diffusion(**tiny_policies.DIFFUSION, drop_n_last_frames=2), data, tmp_path)
    assert data.train_dataset.delta_timestamps == {
        "observation.image": pytest.approx([-0.3, 0.0]),
        "observation.state": pytest.approx([-0.3, 0.0]),
        "action": pytest.approx([3 * i / 10 for i in range(-1, 7)]),
    }
    order = list(data.train_dataloader().sampler)
    lengths = [e["length"] for e in data.meta.episodes]
    assert len(order) == sum(length - 3 * 2 for length in lengths)  # every other frame begins a sample
    row = order[0]
    actions = data.train_dataset.column("action")
    assert torch.equal(data.train_dataset[row]["action"][1:3], torch.from_numpy(actions[[row, row + 3]]))


def test_moments_of_a_policy_with_a_stride_are_its_frames_alone(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    data = module(small_root, stride=3)
    trainer = fit(ACT(**tiny_policies.ACT), data, tmp_path)
    moments = trainer.test_dataloaders if trainer.test_dataloaders else data.test_dataloader()
    batch = moments.dataset[0]
    steps = batch["recorded"].shape[1]
    actions = data.train_dataset.column("action")
    assert torch.equal(batch["recorded"][0], torch.from_numpy(actions[: 3 * steps : 3]))


@pytest.mark.parametrize("stride", [0, -1, 1.5, True])
def test_a_stride_that_is_not_a_number_of_frames_is_refused(stride: Any) -> None:
    with pytest.raises(DataError, match="stride is a number of frames"):
        module(None, stride=stride)


def test_without_a_policy_the_stated_moments_are_read(small_root: Path) -> None:
    data = module(small_root, delta_timestamps={"action": [0.0, 0.1]})
    data.setup()
    batch = next(iter(data.train_dataloader()))
    assert batch["action"].shape == (4, 2, 2)
    assert batch["observation.state"].shape == (4, 2)


# Batches -------------------------------------------------------------------------------------------------------------


def test_samples_come_in_lerobots_order(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import Diffusion

    seen = []

    class Seen(tiny_policies.L.Callback):
        def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
            seen.extend(batch["index"].tolist())

    policy, data = Diffusion(**tiny_policies.DIFFUSION), module(small_root, seed=11)
    tiny_policies.trainer(tmp_path, 15, Seen()).fit(policy, datamodule=data)  # 12 batches make an epoch
    _, batches = tiny_policies.upstream_data(small_root, policy.config, batch_size=4, seed=11)
    assert seen == [i for batch in itertools.islice(batches, 15) for i in batch["index"].tolist()]


def test_a_resumed_run_keeps_its_order_when_the_store_has_room_again(pusht_root: Path) -> None:
    blocks, store = module(pusht_root, frame_store="off"), module(pusht_root, frame_store="auto")
    blocks.setup()
    rows = list(blocks.train_dataloader().sampler)  # type: ignore[arg-type]
    assert blocks.order is not None and blocks.order["kind"] == "blocks"
    store.setup()
    parts = [[1, store.train_batch_size, 3]]
    store.load_state_dict({"batches": 3, "epoch": 0, "parts": parts, "order": dict(blocks.order)})
    sampler = store.train_dataloader().sampler
    assert store.order == blocks.order
    assert list(sampler) == rows[3 * store.train_batch_size :]  # type: ignore[arg-type]
    assert sorted(sampler) == sorted(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", ["auto", "off"])
def test_states_and_actions_of_one_number_keep_their_dimension(tmp_path: Path, store: str) -> None:
    from getiaction.policies.lerobot import ACT

    root = make_dataset.make(
        tmp_path / "one", cameras={"observation.image": (32, 32)}, state=1, action=1, reward=True, storage="image"
    )
    policy, data = ACT(**tiny_policies.ACT), module(root, frame_store=store)
    fit(policy, data, tmp_path, steps=2)
    batch = next(iter(data.train_dataloader()))
    assert batch["action"].shape == (4, 4, 1)
    assert batch["observation.state"].shape == (4, 1)
    assert batch["next.reward"].shape == (4,)
    frame = {"observation.image": torch.zeros(3, 32, 32), "observation.state": torch.zeros(1)}
    assert policy.select_action(frame).shape == (1, 1)


@pytest.mark.parametrize("storage", ["image", "video"])
@pytest.mark.parametrize("name", ["diffusion", "vqbet"])
def test_one_observation_step_works_with_pictures_and_with_videos(tmp_path: Path, storage: Any, name: str) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    root = make_dataset.make(tmp_path / "set", cameras={"observation.image": (48, 48)}, storage=storage, codec="h264")
    more = {"n_vqvae_training_steps": 1} if name == "vqbet" else {}
    policy = LeRobotPolicy(name, n_obs_steps=1, config_kwargs={**tiny_policies.CONFIGS[name], **more})
    fit(policy, module(root), tmp_path, steps=3)


# The split -----------------------------------------------------------------------------------------------------------


def test_whole_episodes_are_held_out_the_last_of_each_task(tmp_path: Path) -> None:
    root = make_dataset.make(tmp_path / "tasks", lengths=[8] * 7, tasks=["a", "b"], storage="image")
    data = module(root, val_split=0.3)
    data.setup()
    assert (data.train_dataset.episodes, data.val_dataset.episodes) == ([0, 1, 2, 3], [4, 6, 5])
    held_out = {int(i) for batch in data.val_dataloader() for i in batch["episode_index"]}
    trained = {int(i) for batch in data.train_dataloader() for i in batch["episode_index"]}
    assert (trained, held_out) == ({0, 1, 2, 3}, {4, 5, 6})


def test_no_task_loses_all_its_episodes(tmp_path: Path) -> None:
    from getiaction.data.lerobot import split_episodes

    root = make_dataset.make(tmp_path / "single", lengths=[8] * 4, tasks=["a", "b", "c", "d"], storage="image")
    data = module(root, val_split=0.5)
    data.setup()
    # One episode of each task: those at the end of the dataset are held out.
    assert (data.train_dataset.episodes, data.val_dataset.episodes) == ([0, 1], [2, 3])
    assert split_episodes(data.meta, [0, 2], 0.9) == ([0], [2])
    assert split_episodes(data.meta, None, 0.0) == (None, [])
    with pytest.raises(DataError, match="can't hold out an episode of 1"):
        split_episodes(data.meta, [1], 0.5)


@pytest.mark.parametrize(
    ("episodes", "message"),
    [([0, 3], "episodes 3, the dataset has 0 to 2"), ([], "an empty list"), ([1, 1], "twice"), ([-1], "episodes -1")],
)
def test_episodes_that_are_not_there_are_an_error(small_root: Path, episodes: list[int], message: str) -> None:
    data = module(small_root, episodes=episodes)
    with pytest.raises(DataError, match=message):
        data.setup()


def test_only_the_asked_for_episodes_are_read(small_root: Path) -> None:
    data = module(small_root, episodes=[2, 0])
    data.setup()
    assert {int(i) for batch in data.train_dataloader() for i in batch["episode_index"]} == {0, 2}


def test_excluded_episodes_are_not_read(small_root: Path) -> None:
    data = module(small_root, exclude_episodes=[1])
    data.setup()
    assert {int(i) for batch in data.train_dataloader() for i in batch["episode_index"]} == {0, 2}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"exclude_episodes": [7]}, "excludes episodes 7"),
        ({"exclude_episodes": [0, 1, 2]}, "leaves no episode"),
        ({"episodes": [1], "exclude_episodes": [1]}, "leaves no episode"),
        ({"exclude_episodes": [1, 1]}, "twice"),
    ],
)
def test_excluded_episodes_that_leave_nothing_are_an_error(small_root: Path, lists: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        module(small_root, **lists).setup()


def test_episodes_shorter_than_what_the_policy_leaves_out_are_one_error(tmp_path: Path) -> None:
    from getiaction.policies.lerobot import Diffusion

    root = make_dataset.make(
        tmp_path / "short", cameras={"observation.image": (48, 48)}, lengths=[5, 4], storage="image"
    )
    with pytest.raises(DataError, match="no sample is left") as caught:
        fit(Diffusion(**tiny_policies.DIFFUSION), module(root), tmp_path)
    assert "drop_n_last_frames" in caught.value.hint


# Statistics ----------------------------------------------------------------------------------------------------------


def test_colour_cameras_get_imagenets_statistics_and_depth_cameras_their_own(tmp_path: Path) -> None:
    root = make_dataset.make(
        tmp_path / "depth",
        cameras={"observation.images.top": (32, 32)},
        depth={"observation.images.top_depth": (32, 32)},
        lengths=[8, 8],
        storage="image",
    )
    data = module(root)
    data.setup()
    assert data.stats["observation.images.top"]["mean"].flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert data.stats["observation.images.top_depth"]["mean"].flatten()[0] > 100
    plain = module(root, use_imagenet_stats=False)
    plain.setup()
    assert plain.stats["observation.images.top"]["mean"].flatten()[0] == pytest.approx(0.88, abs=0.1)


# Finding it ----------------------------------------------------------------------------------------------------------


def test_the_home_folder_is_searched_before_the_hub(pusht_root: Path) -> None:
    data = module(None, repo_id="lerobot/pusht")
    data.setup()
    assert data.meta.root == pusht_root


def test_the_demo_ships_with_the_package() -> None:
    from getiaction.data import demo

    data = module(None, repo_id="getiaction/pusht-demo")
    data.setup()
    assert data.meta.root == demo.PATH
    assert data.meta.total_episodes >= 20


def test_a_dataset_that_is_nowhere_is_one_error_with_the_places_searched(tmp_path: Path) -> None:
    from getiaction.spec.dataset_location import lerobot_home, tilde

    data = module(None, repo_id="lerobot/nowhere")
    with pytest.raises(DataError) as caught:
        data.setup()
    assert tilde(lerobot_home() / "lerobot/nowhere") in caught.value.message
    assert "the Hugging Face Hub" in caught.value.message
    assert "root" in caught.value.hint
    with pytest.raises(DataError, match="can't read the dataset lerobot/nowhere"):
        module(tmp_path / "absent", repo_id="lerobot/nowhere").setup()
    assert not (tmp_path / "absent").exists()


def test_a_wrong_root_is_not_blamed_on_the_hub(pusht_root: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no dataset")
    with pytest.raises(DataError, match="it has no meta/ folder"):
        module(tmp_path).setup()
    above = pusht_root.parents[1]
    with pytest.raises(DataError) as caught:
        module(above, repo_id="lerobot/pusht").setup()
    assert caught.value.hint == f"did you mean root: {pusht_root}?"


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: (root / "meta/info.json").write_text("{"),
        lambda root: next(root.glob("videos/**/*.mp4")).unlink(),
        lambda root: next(root.glob("data/**/*.parquet")).write_bytes(b"PAR1"),
    ],
)
def test_a_damaged_dataset_is_one_error(
    small_root: Path, copy_of: Callable[[Path], Path], damage: Callable[[Path], Any]
) -> None:
    root = copy_of(small_root)
    damage(root)
    with pytest.raises(DataError, match="can't read the dataset made/small") as caught:
        module(root).setup()
    assert str(root) in caught.value.message


def test_an_old_format_names_the_converter(v21_root: Path) -> None:
    with pytest.raises(DataError, match=r"older format than v3\.0") as caught:
        module(v21_root, repo_id="lerobot/pusht").setup()
    assert "convert_dataset_v21_to_v30" in caught.value.hint


def test_the_video_backend_is_probed_without_a_word(capfd: Any, caplog: Any) -> None:
    from getiaction.data.lerobot import working_video_backend

    assert working_video_backend() in ("torchcodec", "pyav")
    said = capfd.readouterr()
    assert said.out + said.err + caplog.text == ""


def test_image_transforms_are_lerobots_and_only_for_training(small_root: Path) -> None:
    data = module(small_root, image_transforms={"max_num_transforms": 1}, val_split=0.3)
    data.setup()
    assert data.train_dataset.image_transforms is not None
    assert data.val_dataset.image_transforms is None
    assert next(iter(data.train_dataloader()))["observation.image"].shape == (4, 3, 48, 48)
    with pytest.raises(DataError, match="image_transforms"):
        module(small_root, image_transforms={"strength": 3}).setup()
