"""Several datasets in one recipe: the same samples as LeRobot's merged dataset, and the shares that weights ask for."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import lightning as L
import make_dataset
import numpy as np
import pytest
import tiny_policies
import torch

from getiaction.data.lerobot import LeRobotDataModule
from getiaction.data.mixture import MixtureSampler
from getiaction.errors import DataError
from getiaction.policies.lerobot import LeRobotPolicy
from getiaction.spec.mixture import shares

NUMBERS = {"index", "episode_index", "dataset_index"}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two datasets of one robot with different tasks, and one that names its camera and state differently."""
    folder = tmp_path_factory.mktemp("mixture")
    common: dict[str, Any] = {"cameras": {"observation.image": (32, 32)}, "codec": "h264"}
    return {
        "one": make_dataset.make(folder / "one", lengths=[12, 9], tasks=["push", "pull"], **common),
        "two": make_dataset.make(folder / "two", lengths=[10, 8, 7], tasks=["lift", "push"], seed=3, **common),
        "other": make_dataset.make(
            folder / "other", lengths=[11, 9], seed=5, codec="h264", cameras={"observation.images.top": (32, 32)}
        ),
    }


def entry(roots: dict[str, Path], name: str, **more: Any) -> dict[str, Any]:
    return {"repo_id": f"made/{name}", "root": str(roots[name]), **more}


def module(*entries: dict[str, Any], **arguments: Any) -> LeRobotDataModule:
    defaults = {"train_batch_size": 4, "num_workers": 0, "video_backend": "pyav", "seed": 7}
    return LeRobotDataModule(datasets=list(entries), **{**defaults, **arguments})


def epoch(data: LeRobotDataModule) -> list[dict[str, Any]]:
    return list(data.train_dataloader())


def act() -> LeRobotPolicy:
    return LeRobotPolicy("act", config_kwargs=tiny_policies.ACT)


def assert_same(one: list[dict[str, Any]], other: list[dict[str, Any]], beside: set[str] = NUMBERS) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert set(a) - beside == set(b) - beside
        for key in set(a) - beside:
            assert torch.equal(a[key], b[key]) if isinstance(a[key], torch.Tensor) else a[key] == b[key], key


@pytest.mark.slow
def test_a_mixture_is_the_dataset_that_lerobot_merges(roots: dict[str, Path], tmp_path: Path) -> None:
    from lerobot.datasets.dataset_tools import merge_datasets
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    opened = [LeRobotDataset(f"made/{name}", root=roots[name], video_backend="pyav") for name in ("one", "two")]
    merge_datasets(opened, "made/merged", tmp_path / "merged", concatenate_videos=False)
    deltas = {"action": [0.0, 0.1], "observation.image": [-0.1, 0.0]}
    ours = module(entry(roots, "one"), entry(roots, "two"), delta_timestamps=deltas)
    theirs = LeRobotDataModule(
        "made/merged",
        root=tmp_path / "merged",
        train_batch_size=4,
        num_workers=0,
        video_backend="pyav",
        seed=7,
        delta_timestamps=deltas,
    )
    assert_same(epoch(ours), epoch(theirs), {"dataset_index"})
    assert list(ours.meta.features) == list(theirs.meta.features)
    for key, feature in theirs.meta.features.items():
        assert (feature["dtype"], feature["shape"]) == (
            ours.meta.features[key]["dtype"],
            ours.meta.features[key]["shape"],
        )
    assert ours.meta.tasks.equals(theirs.meta.tasks)
    assert (ours.meta.total_episodes, ours.meta.total_frames) == (5, 46)
    assert set(ours.meta.stats) == set(theirs.meta.stats)
    for key, values in theirs.meta.stats.items():
        for name, value in values.items():
            np.testing.assert_allclose(ours.meta.stats[key][name], value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("weights", "store"), [((None, None), "auto"), ((10, 15), "auto"), ((None, None), "off")])
def test_a_dataset_split_in_two_trains_as_the_whole_does(
    roots: dict[str, Path], tmp_path: Path, weights: tuple[Any, Any], store: str
) -> None:
    def losses(data: LeRobotDataModule) -> tuple[list[float], list[dict[str, Any]]]:
        watch = tiny_policies.Watch()
        L.seed_everything(0, verbose=False)
        tiny_policies.trainer(tmp_path, 4, watch).fit(act(), data)
        return watch.losses, epoch(data)

    entries = [entry(roots, "two", episodes=e, weight=w) for e, w in zip(([0], [1, 2]), weights, strict=True)]
    split = losses(module(*entries, frame_store=store))
    arguments = {"train_batch_size": 4, "num_workers": 0, "video_backend": "pyav", "seed": 7, "frame_store": "auto"}
    whole = losses(LeRobotDataModule("made/two", root=roots["two"], **arguments))
    assert split[0] == whole[0]
    assert_same(split[1], whole[1])


def sampler(counts: list[int], weights: list[float | None], **options: Any) -> MixtureSampler:
    stops = np.cumsum(counts)
    defaults: dict[str, Any] = {"seed": 3, "batch_size": 2}
    firsts = np.cumsum([0, *counts])
    return MixtureSampler(stops - counts, stops, firsts=firsts, weights=weights, **{**defaults, **options})


@pytest.mark.parametrize("weights", [[1.0, 1.0], [3.0, 1.0], [0.1, 0.7], [5.0, 45.0]])
def test_each_epoch_has_the_shares_and_each_frame_comes_equally_often(weights: list[float]) -> None:
    counts, epochs = [40, 10], 6
    drawn = sampler(counts, weights)
    expected = shares(counts, weights)
    assert sum(expected) == 50
    seen = Counter[int]()
    for _ in range(epochs):
        rows = list(drawn)
        assert [sum(row < 40 for row in rows), sum(row >= 40 for row in rows)] == expected
        seen.update(rows)
    for start, stop in ((0, 40), (40, 50)):
        times = [seen[row] for row in range(start, stop)]
        assert max(times) - min(times) <= 1


def test_shares_are_exact_to_a_sample_and_by_default_those_of_the_frames() -> None:
    assert shares([40, 10], [None, None]) == [40, 10]
    assert shares([40, 10], [4, 1]) == [40, 10]
    assert shares([1, 1, 1], [1, 1, 1]) == [1, 1, 1]
    assert shares([10, 0, 1], [1, 1, 1]) == [4, 4, 3]


def test_an_epoch_is_a_function_of_seed_and_number_also_in_its_middle() -> None:
    whole = [list(sampler([40, 10], [1, 1])) for _ in range(2)]
    assert whole[0] == whole[1]
    again = sampler([40, 10], [1, 1])
    again.begin(3)
    third = list(again)
    from getiaction.data.sampler import Part

    again.begin(3, (Part(1, 2, 5),))
    assert list(again) == third[10:]
    assert third != whole[0]
    ranks = [sampler([40, 10], [1, 1], rank=rank, world_size=2) for rank in range(2)]
    for rank in ranks:
        rank.begin(3)
    shared = [list(rank) for rank in ranks]
    assert [len(rows) for rows in shared] == [26, 26]  # the last round is filled up
    assert Counter(shared[0] + shared[1]) - Counter(third) == Counter(third[:2])


def test_keys_are_renamed_and_features_that_differ_are_named(roots: dict[str, Path]) -> None:
    renamed = {"observation.images.top": "observation.image"}
    deltas = {"observation.image": [-0.1, 0.0]}
    data = module(entry(roots, "one"), entry(roots, "other", rename_map=renamed), delta_timestamps=deltas)
    batches = epoch(data)
    assert {int(i) for batch in batches for i in batch["dataset_index"]} == {0, 1}
    assert all(batch["observation.image"].shape[1:] == (2, 3, 32, 32) for batch in batches)
    assert all(batch["observation.image_is_pad"].shape[1:] == (2,) for batch in batches)
    assert not any(key.startswith("observation.images.top") for batch in batches for key in batch)
    alone = module(entry(roots, "other", rename_map=renamed), delta_timestamps=deltas)
    alone.setup()
    batch = next(batch for batch in batches if (batch["dataset_index"] == 1).any())
    theirs = batch["dataset_index"] == 1
    rows = (batch["index"][theirs] - 21).tolist()  # after the frames of the first dataset
    assert torch.equal(batch["observation.image"][theirs], alone.train_dataset.__getitems__(rows)["observation.image"])
    with pytest.raises(DataError, match=r"datasets\.1: observation\.image: made/other does not have it"):
        module(entry(roots, "one"), entry(roots, "other")).setup()


@pytest.mark.slow
def test_a_run_resumes_bit_for_bit_and_is_evaluated_on_all_or_one(roots: dict[str, Path], tmp_path: Path) -> None:
    from getiaction.evaluation import source
    from getiaction.evaluation.run import evaluate
    from getiaction.train.run import train

    def recipe(steps: int) -> dict[str, Any]:
        entries = [entry(roots, "one", weight=1), entry(roots, "two", weight=2, episodes=[0, 2])]
        data = {"datasets": entries, "train_batch_size": 4, "num_workers": 0, "val_split": 0.4}
        return {
            "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": tiny_policies.ACT},
            "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": data},
            "trainer": {"max_steps": steps, "accelerator": "cpu"},
            "seed": 3,
        }

    def weights(folder: Path) -> dict[str, torch.Tensor]:
        return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]

    text = json.dumps(recipe(12))
    train(recipe(12), recipe_name="whole", recipe_text=text, output_dir=tmp_path / "whole", quiet=True)
    train(recipe(7), recipe_name="part", recipe_text=text, output_dir=tmp_path / "part", quiet=True)
    train(recipe(12), recipe_name="part", recipe_text=text, resume=tmp_path / "part", quiet=True)
    whole, part = weights(tmp_path / "whole"), weights(tmp_path / "part")
    assert all(torch.equal(whole[key], part[key]) for key in whole)
    noted = json.loads((tmp_path / "whole/run.json").read_text())
    assert noted["dataset"]["repo_id"] == "made/one + made/two" and noted["dataset"]["fingerprint"].count("+") == 1

    data = recipe(1)["data"]["init_args"]
    run = source.find(str(tmp_path / "whole"))
    found = evaluate(run, data, trained_on=data, device="cpu")
    assert (found.part, [episode.number for episode in found.episodes]) == ("held-out", [1, 4])
    one = {"repo_id": "made/two"}
    found = evaluate(run, one, trained_on=data, device="cpu")
    assert (found.part, [episode.number for episode in found.episodes]) == ("held-out", [2])
    found = evaluate(run, one, trained_on=data, chosen=[1], device="cpu")  # an episode that the recipe does not use
    assert (found.part, [episode.number for episode in found.episodes]) == ("held-out", [1])


@pytest.mark.parametrize("store", ["auto", "off"])
def test_a_dataset_of_more_frames_a_second_is_read_by_its_stride(
    roots: dict[str, Path], tmp_path: Path, store: str
) -> None:
    fast = make_dataset.make(
        tmp_path / "fast", fps=30, lengths=[30, 24], cameras={"observation.image": (32, 32)}, codec="h264"
    )
    entries = [entry(roots, "one"), {"repo_id": "made/fast", "root": str(fast), "stride": 3}]
    data = module(
        *entries, frame_store=store, delta_timestamps={"action": [0.0, 0.1, 0.2], "observation.image": [-0.1, 0.0]}
    )
    alone = LeRobotDataModule(
        "made/fast",
        root=fast,
        num_workers=0,
        delta_timestamps={"action": [0.0, 3 / 30, 6 / 30], "observation.image": [-3 / 30, 0.0]},
    )
    alone.setup()
    seen = 0
    for batch in epoch(data):
        theirs = batch["dataset_index"] == 1
        rows = (batch["index"][theirs] - 21).tolist()  # after the frames of the first dataset
        seen += len(rows)
        expected = alone.train_dataset.__getitems__(rows) if rows else {}
        for key in expected.keys() - NUMBERS - {"task", "task_index"}:
            assert torch.equal(batch[key][theirs], expected[key]), key
    assert seen == 54
    assert data.meta.fps == 10

    drops = sampler([10, 30], [None, None], drop_n_last_frames=np.array([2, 6]))
    assert sorted(drops) == [*range(8), *range(10, 34)]
    policy = LeRobotPolicy("diffusion", config_kwargs={**tiny_policies.DIFFUSION, "use_group_norm": True})
    trainer = tiny_policies.trainer(tmp_path, 1)
    trainer.fit(policy, module(*entries, frame_store=store))
    drop = policy.config.drop_n_last_frames
    assert drop and len(trainer.train_dataloader.sampler) == 12 + 9 - 2 * drop + 30 + 24 - 2 * 3 * drop


def test_another_frame_rate_and_wrong_entries_are_refused(roots: dict[str, Path], tmp_path: Path) -> None:
    fast = make_dataset.make(
        tmp_path / "fast", fps=20, lengths=[8], cameras={"observation.image": (32, 32)}, storage="image"
    )
    with pytest.raises(DataError, match="20 frames per second, made/one has 10"):
        module(entry(roots, "one"), {"repo_id": "made/fast", "root": str(fast)}).setup()
    with pytest.raises(DataError, match=r"weight of datasets\.0 must be above 0"):
        module(entry(roots, "one", weight=0), entry(roots, "two", weight=1))
    with pytest.raises(DataError, match=r"datasets\.1 has no weight"):
        module(entry(roots, "one", weight=1), entry(roots, "two"))
    with pytest.raises(DataError, match=r"rename_map of datasets\.0 must map"):
        module(entry(roots, "one", rename_map={"observation.state": 3}))
    with pytest.raises(DataError, match="beside dataset, repo_id"):
        LeRobotDataModule("made/one", datasets=[entry(roots, "two")])
    (tmp_path / "link").symlink_to(roots["two"])
    with pytest.raises(DataError, match=r"datasets\.1: episode 1 of made/two is in datasets\.0 as well"):
        linked = {"repo_id": "made/two", "root": str(tmp_path / "link"), "episodes": [1]}
        module(entry(roots, "two"), linked).setup()


def test_statistics_that_one_dataset_lacks_are_not_taken_from_another(roots: dict[str, Path], tmp_path: Path) -> None:
    bare = shutil.copytree(roots["two"], tmp_path / "bare")
    stats = json.loads((bare / "meta/stats.json").read_text())
    del stats["observation.state"]
    (bare / "meta/stats.json").write_text(json.dumps(stats))
    data = module(entry(roots, "one"), {"repo_id": "made/bare", "root": str(bare)})
    data.setup()
    assert "action" in data.meta.stats
    assert "observation.state" not in data.meta.stats


def test_each_dataset_holds_out_its_own_episodes_and_has_its_loss(roots: dict[str, Path], tmp_path: Path) -> None:
    data = module(entry(roots, "one"), entry(roots, "two", exclude_episodes=[0]), val_split=0.4, val_batch_size=5)
    trainer = tiny_policies.trainer(tmp_path, 2, val_check_interval=1, num_sanity_val_steps=0)
    trainer.fit(act(), data)
    assert (data._trained, data._held_out) == ([0, 3], [1, 4])
    logged = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith("val/loss")}
    assert set(logged) == {"val/loss", "val/loss/made/one", "val/loss/made/two"}
    mean = (9 * logged["val/loss/made/one"] + 7 * logged["val/loss/made/two"]) / 16
    assert logged["val/loss"] == pytest.approx(mean, rel=1e-5)


def test_training_logs_the_loss_of_each_dataset_and_is_not_changed_by_it(
    roots: dict[str, Path], tmp_path: Path
) -> None:
    def train(every: int) -> tuple[list[float], L.Trainer]:
        watch = tiny_policies.Watch()
        L.seed_everything(0, verbose=False)
        trainer = tiny_policies.trainer(tmp_path, 3, watch, log_every_n_steps=every)
        policy = LeRobotPolicy("act", config_kwargs={**tiny_policies.ACT, "dropout": 0.1})
        trainer.fit(policy, module(entry(roots, "one"), entry(roots, "two")))
        return watch.losses, trainer

    (logged, trainer), (without, _) = train(1), train(100)
    assert logged == without
    losses = {key for key in trainer.callback_metrics if key.startswith("train/loss/")}
    assert losses == {"train/loss/made/one", "train/loss/made/two"}
