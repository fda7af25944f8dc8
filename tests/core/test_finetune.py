"""Starting from a pretrained policy: LeRobot's own steps, and nothing left unloaded."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import tiny_policies
import torch
from safetensors.torch import load_file, save_file
from test_policy import data, observation
from test_policy_others import FLOW
from tiny_vlas import smolvla

from getiaction.errors import PolicyError

STEPS = 5


@pytest.fixture(scope="module")
def pretrained(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `pretrained_model` of an ACT that was trained for three steps."""
    from getiaction.policies.lerobot import ACT

    folder = tmp_path_factory.mktemp("pretrained")
    policy = ACT(learning_rate=1e-3, **tiny_policies.ACT)
    tiny_policies.trainer(folder, 3).fit(policy, datamodule=data(small_root))
    policy.save_pretrained(folder / "pretrained_model")
    return folder / "pretrained_model"


@pytest.fixture(scope="module")
def other_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with the same features and other numbers."""
    root = tmp_path_factory.mktemp("made") / "other"
    return make_dataset.make(root, cameras={"observation.image": (48, 48)}, low=-7.0, high=30.0, codec="h264", seed=5)


def test_fine_tuning_takes_lerobots_own_steps(pretrained: Path, other_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    watch = tiny_policies.Watch()
    policy = LeRobotPolicy("act", pretrained_path=pretrained, learning_rate=1e-3)
    module = data(other_root, seed=3)
    tiny_policies.trainer(tmp_path, STEPS, watch).fit(policy, datamodule=module)
    saved = load_file(pretrained / "model.safetensors")
    assert all(torch.equal(watch.first[key], value) for key, value in saved.items())
    assert policy.config.chunk_size == 4  # the checkpoint's, not LeRobot's 100

    theirs, losses = _lerobots_own(pretrained, other_root)
    assert watch.losses == pytest.approx(losses, rel=1e-5)
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(policy.lerobot_policy.state_dict()[key], value, rtol=1e-5, atol=1e-7)

    # The new dataset's statistics, in both directions.
    mean = torch.as_tensor(module.stats["action"]["mean"], dtype=torch.float32)
    for pipeline in (policy.preprocessor, policy.postprocessor):
        assert any(torch.equal(state.get("action.mean"), mean) for state in pipeline.state_dict().values())


def _lerobots_own(pretrained: Path, root: Path) -> tuple[Any, list[float]]:
    """The same fine-tuning by LeRobot's functions, with the overrides of lerobot-train."""
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.factory import make_policy, make_pre_post_processors

    config = PreTrainedConfig.from_pretrained(pretrained)
    config.pretrained_path = pretrained
    config.optimizer_lr = 1e-3
    dataset, batches = tiny_policies.upstream_data(root, config, batch_size=4, seed=3)
    theirs = make_policy(config, ds_meta=dataset.meta)
    stats, norm_map = dataset.meta.stats, config.normalization_mapping
    preprocessor, _ = make_pre_post_processors(
        config,
        pretrained_path=str(pretrained),
        dataset_stats=stats,
        preprocessor_overrides={
            "device_processor": {"device": "cpu"},
            "normalizer_processor": {
                "features": {**config.input_features, **config.output_features},
                "norm_map": norm_map,
                "stats": stats,
            },
            "rename_observations_processor": {"rename_map": {}},
        },
        postprocessor_overrides={
            "unnormalizer_processor": {"features": config.output_features, "norm_map": norm_map, "stats": stats}
        },
    )
    losses, _ = tiny_policies.upstream_losses(theirs, preprocessor, batches, STEPS, dataset.meta.camera_keys)
    return theirs, losses


def test_a_renamed_camera_is_read_and_normalized(pretrained: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    root = make_dataset.make(tmp_path / "front", cameras={"observation.images.front": (48, 48)}, codec="h264")
    with pytest.raises(PolicyError, match="Feature mismatch"):
        tiny_policies.trainer(tmp_path, 1).fit(ACT(pretrained_path=pretrained), datamodule=data(root))
    renames = {"observation.images.front": "observation.image"}
    chosen = ["observation.images.front", "observation.state"]  # by the dataset's names, as a recipe says them
    policy = ACT(pretrained_path=pretrained, rename_map=renames, input_features=chosen)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=data(root))
    assert list(policy.config.input_features) == ["observation.image", "observation.state"]
    policy = ACT(pretrained_path=pretrained, rename_map=renames)
    tiny_policies.trainer(tmp_path, 2).fit(policy, datamodule=data(root))
    seen = observation(root)
    read = policy._prepare(seen)["observation.image"]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (seen["observation.images.front"] / 255 - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(read[0], expected)


def test_a_fine_tuned_checkpoint_needs_its_origin_no_more(pretrained: Path, other_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    origin = Path(shutil.copytree(pretrained, tmp_path / "origin"))
    policy = ACT(pretrained_path=origin, learning_rate=1e-3)
    trainer = tiny_policies.trainer(tmp_path, 2)
    trainer.fit(policy, datamodule=data(other_root))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    shutil.rmtree(origin)
    for cls in (ACT, LeRobotPolicy):
        again = cls.load_from_checkpoint(tmp_path / "last.ckpt")
        policy.reset()
        assert torch.equal(again.select_action(observation(other_root)), policy.select_action(observation(other_root)))


def _without(key: str) -> Any:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        save_file({k: v for k, v in tensors.items() if k != key}, folder / "model.safetensors")

    return damage


def _with_extra(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, "model.more.weight": torch.zeros(3)}, folder / "model.safetensors")


def _of_another_policy(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "type": "diffusion"}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("model.action_head.weight"), r"model\.action_head\.weight is not in the checkpoint"),
        (_with_extra, r"model\.more\.weight is not in the policy"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"half a file"), "act"),
        (lambda folder: (folder / "model.safetensors").unlink(), "act"),
        (lambda folder: (folder / "config.json").unlink(), r"no readable config\.json"),
        (_of_another_policy, "holds a diffusion policy, the model is act"),
        (lambda folder: (folder / "policy_preprocessor.json").unlink(), "policy_preprocessor.json"),
    ],
)
def test_a_checkpoint_that_does_not_fill_the_policy_stops_the_run(
    pretrained: Path, small_root: Path, tmp_path: Path, damage: Any, message: str
) -> None:
    from getiaction.policies.lerobot import ACT

    folder = Path(shutil.copytree(pretrained, tmp_path / "damaged"))
    damage(folder)
    with pytest.raises(PolicyError, match=message):
        tiny_policies.trainer(tmp_path, 1).fit(ACT(pretrained_path=folder), datamodule=data(small_root))


def test_parameters_that_change_the_network_are_refused(pretrained: Path, small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    with pytest.raises(PolicyError, match="act"):
        tiny_policies.trainer(tmp_path, 1).fit(
            ACT(pretrained_path=pretrained, dim_model=64), datamodule=data(small_root)
        )
    # One that does not is taken over the checkpoint's.
    policy = ACT(pretrained_path=pretrained, n_action_steps=2, kl_weight=1.0)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=data(small_root))
    assert (policy.config.n_action_steps, policy.config.kl_weight, policy.config.chunk_size) == (2, 1.0, 4)


def test_a_pretrained_path_that_is_nowhere_is_one_error(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    with pytest.raises(PolicyError, match=r"no readable config\.json of pretrained_path nobody/nothing") as caught:
        tiny_policies.trainer(tmp_path, 1).fit(ACT(pretrained_path="nobody/nothing"), datamodule=data(small_root))
    assert "pretrained_model" in caught.value.hint


def test_errors_that_a_policy_swallows_while_loading_are_seen() -> None:
    from getiaction.lerobot import weights

    class Swallows(torch.nn.Linear):
        config: Any = None

    policy = Swallows(2, 2)
    policy.config = type("Config", (), {"type": "pi0", "pretrained_path": "lerobot/pi0_base"})()
    with weights.record_loads() as loads:
        pass
    with pytest.raises(PolicyError, match=r"lerobot/pi0_base do not match this pi0 policy: its model\.safetensors"):
        weights.require_complete_load(policy, loads)
    with weights.record_loads() as loads, contextlib.suppress(RuntimeError):
        policy.load_state_dict({"weight": torch.zeros(3, 3)}, strict=False)
    with pytest.raises(PolicyError, match="size mismatch for weight"):
        weights.require_complete_load(policy, loads)
    with weights.record_loads() as loads:
        policy.load_state_dict({"weight": torch.zeros(2, 2), "bias": torch.zeros(2)})
    weights.require_complete_load(policy, loads)


@pytest.mark.slow
@pytest.mark.parametrize("policy_name", ["smolvla", "pi0"])
def test_what_is_saved_says_what_was_trained(policy_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer cameras and a longer state than the pretrained policy had: LeRobot keeps the old ones in config.json."""
    from lerobot.policies.factory import get_policy_class

    from getiaction.policies.lerobot import LeRobotPolicy

    sizes = {"observation.images.a": (48, 48), "observation.images.b": (48, 48), "observation.images.c": (48, 48)}
    before = make_dataset.make(tmp_path / "before", cameras=sizes, codec="h264", lengths=(8,))
    del sizes["observation.images.c"]
    sizes["observation.images.a"] = sizes["observation.images.b"] = (32, 64)
    after = make_dataset.make(tmp_path / "after", cameras=sizes, state=3, codec="h264", lengths=(8,))
    if policy_name == "smolvla":
        arguments = smolvla(tmp_path)
    else:
        import tiny_hub
        from huggingface_hub import constants
        from lerobot.policies.pi0 import modeling_pi0

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        tiny_hub.named_tokenizer(tmp_path / "cache", "google/paligemma-3b-pt-224", "paligemma", tiny_hub.GEMMA_WORDS)
        tiny_hub.small_gemma(modeling_pi0, monkeypatch)
        arguments = FLOW
    base = LeRobotPolicy(policy_name, **arguments)
    tiny_policies.trainer(tmp_path, 1).fit(base, datamodule=data(before))
    base.save_pretrained(tmp_path / "base")

    policy = LeRobotPolicy(policy_name, pretrained_path=tmp_path / "base")
    trainer = tiny_policies.trainer(tmp_path, 2)
    trainer.fit(policy, datamodule=data(after))
    policy.save_pretrained(tmp_path / "saved")
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    again = LeRobotPolicy.load_from_checkpoint(tmp_path / "last.ckpt")
    again.save_pretrained(tmp_path / "again")
    for folder in ("saved", "again"):
        written = json.loads((tmp_path / folder / "config.json").read_text())["input_features"]
        assert {key: feature["shape"] for key, feature in written.items()} == {
            "observation.images.a": [3, 32, 64],
            "observation.images.b": [3, 32, 64],
            "observation.state": [3],
        }
        assert '"observation.images.c"' not in (tmp_path / folder / "policy_preprocessor.json").read_text()
    # The blank that stood for the third camera is masked: without it the policy acts as it was trained.
    assert "observation.images.c" in policy.config.input_features
    theirs = get_policy_class(policy_name).from_pretrained(tmp_path / "saved").eval()
    seen = policy._prepare(observation(after) | {"task": "Do the thing."})
    actions = []
    for each in (policy.lerobot_policy.eval(), again.lerobot_policy, theirs):
        torch.manual_seed(0)
        actions.append(each.predict_action_chunk(dict(seen)))
    for action in actions[1:]:
        torch.testing.assert_close(action, actions[0], rtol=1e-4, atol=1e-5)
