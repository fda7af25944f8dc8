"""Predictions in batches of moments are those of a `select_action` loop over the frames of each episode."""

from pathlib import Path
from typing import Any

import make_dataset
import numpy as np
import pytest
import tiny_policies
import torch

from getiaction.data.lerobot import Collate, LeRobotDataModule
from getiaction.data.metadata import find
from getiaction.data.moments import Moments
from getiaction.evaluation import open_loop
from getiaction.policies.lerobot import LeRobotPolicy

LENGTHS = (17, 9, 12)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    return make_dataset.make(
        folder, cameras={"observation.image": (48, 48)}, reward=True, codec="h264", lengths=LENGTHS
    )


def built(name: str, root: Path, **parameters: Any) -> LeRobotPolicy:
    """A small policy with random weights and the dataset's statistics."""
    torch.manual_seed(0)
    _, meta = find("made/set", root, None)
    features = {
        key: feature
        for key, feature in meta.features.items()
        if key in ("observation.image", "observation.state", "action")
    }
    policy = LeRobotPolicy(
        name,
        config_kwargs=tiny_policies.CONFIGS[name] | parameters,
        input_features=features,
        output_features=features,
        dataset_stats=meta.stats,
    )
    if name == "vqbet":  # an untrained codebook says that it is none
        policy.lerobot_policy.vqbet.action_head.vqvae_model.discretized.fill_(True)
    return policy


def moments_of(policy: LeRobotPolicy, root: Path, batch_size: int = 5) -> Moments:
    data = LeRobotDataModule("made/set", root=root)
    place, meta = find("made/set", root, None)
    return Moments(
        data.pipeline(meta, place).open_anywhere(None),
        Collate(meta),
        steps=policy.steps_per_prediction,
        observations=policy.observations_per_prediction,
        independent=policy.predictions_are_independent,
        batch_size=batch_size,
    )


def loop(policy: LeRobotPolicy, root: Path) -> np.ndarray:
    """One observation after the other, as LeRobot's own evaluation loop does; `(frames, action)`."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("made/set", root=root, video_backend="pyav")
    actions = []
    for i in range(len(dataset)):
        sample = dataset[i]
        if int(sample["frame_index"]) == 0:
            policy.lerobot_policy.reset()
        observation = {
            key: value[None] if isinstance(value, torch.Tensor) else [value]
            for key, value in sample.items()
            if key.startswith("observation") or key == "task"
        }
        with torch.no_grad():
            action = policy.postprocessor(policy.lerobot_policy.select_action(policy.preprocessor(observation)))
        actions.append(action[0].numpy())
    return np.stack(actions)


@pytest.fixture
def same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that depends on a sample's place in the sequence alone, so that batches of any size draw the same."""

    def randn(*shape: Any, **options: Any) -> torch.Tensor:
        size = tuple(options.get("size") or (shape[0] if isinstance(shape[0], tuple | list) else shape))
        pattern = torch.sin(torch.arange(int(np.prod(size[1:])), dtype=torch.float32) * 1.7).reshape(1, *size[1:])
        return pattern.repeat(size[0], *[1] * (len(size) - 1))

    monkeypatch.setattr(torch, "randn", randn)
    monkeypatch.setattr(torch, "multinomial", lambda p, *_, **__: p.argmax(dim=-1, keepdim=True))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("act", {}),
        ("act", {"temporal_ensemble_coeff": 0.01, "n_action_steps": 1}),
        ("diffusion", {"noise_scheduler_type": "DDIM"}),
        ("vqbet", {}),
        ("tdmpc", {"use_mpc": False}),
    ],
    ids=["act", "act-ensembling", "diffusion", "vqbet", "tdmpc"],
)
def test_batches_predict_what_a_loop_predicts(
    name: str, parameters: dict[str, Any], root: Path, same_noise: None
) -> None:
    policy = built(name, root, **parameters)
    found = open_loop.predict(policy, moments_of(policy, root))
    np.testing.assert_allclose(found.actions, loop(policy, root), rtol=1e-3, atol=1e-4)


def test_the_first_frame_stands_in_for_the_past_before_an_episode(root: Path) -> None:
    policy = built("diffusion", root)
    first = moments_of(policy, root, batch_size=64)[0]
    before, now = (seen["observation.state"] for seen in first["observations"])
    starts = np.flatnonzero(np.isin(first["row"].numpy(), [0, 17, 26]))
    assert torch.equal(before[starts], now[starts])
    assert not torch.equal(before, now)


def test_moments_end_where_an_episode_ends(root: Path) -> None:
    policy = built("act", root)
    moments = moments_of(policy, root)
    valid = sum(int(moments[i]["valid"].sum()) for i in range(len(moments)))
    assert valid == sum(LENGTHS)


def test_the_callers_random_state_stays(root: Path) -> None:
    policy = built("diffusion", root)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one = open_loop.predict(policy, moments_of(policy, root))
    assert torch.equal(torch.rand(1), expected)
    np.testing.assert_array_equal(one.actions, open_loop.predict(policy, moments_of(policy, root)).actions)
