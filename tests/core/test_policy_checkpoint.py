"""What is saved can be loaded without the dataset, without running code, and acts the same to the last bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import pytest
import tiny_policies
import torch
from test_policy import data, observation

from getiaction.errors import PolicyError
from getiaction.trust import Refused


@pytest.fixture(scope="module")
def trained(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """An ACT after three steps, and its checkpoint."""
    from getiaction.policies.lerobot import ACT

    folder = tmp_path_factory.mktemp("trained")
    policy = ACT(learning_rate=1e-3, **tiny_policies.ACT)
    trainer = tiny_policies.trainer(folder, 3)
    trainer.fit(policy, datamodule=data(small_root))
    trainer.save_checkpoint(folder / "last.ckpt")
    return policy, folder / "last.ckpt"


def actions(policy: Any, root: Path) -> torch.Tensor:
    """The actions of an episode's first frames, from a fresh start."""
    policy.reset()
    return torch.cat([policy.select_action(observation(root, index)) for index in range(6)])


@pytest.mark.parametrize("name", ["ACT", "LeRobotPolicy"])
def test_a_loaded_checkpoint_acts_the_same_to_the_last_bit(
    trained: tuple[Any, Path], small_root: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import getiaction.policies.lerobot as package

    policy, file = trained
    monkeypatch.chdir(tmp_path)
    again = getattr(package, name).load_from_checkpoint(file)
    assert torch.equal(actions(policy, small_root), actions(again, small_root))
    assert again.config.input_features == policy.config.input_features
    assert again.config.optimizer_lr == 1e-3
    assert not again.training


@pytest.mark.parametrize("name", ["diffusion", "vqbet", "tdmpc"])
def test_every_kind_of_policy_survives_its_checkpoint(name: str, small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    changed = {"n_vqvae_training_steps": 1} if name == "vqbet" else {"n_action_steps": 1}
    policy = LeRobotPolicy(name, learning_rate=1e-3, config_kwargs={**tiny_policies.CONFIGS[name], **changed})
    trainer = tiny_policies.trainer(tmp_path, 3)
    trainer.fit(policy, datamodule=data(small_root))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    again = LeRobotPolicy.load_from_checkpoint(tmp_path / "last.ckpt")
    torch.manual_seed(1)
    expected = actions(policy, small_root)
    torch.manual_seed(1)
    assert torch.equal(actions(again, small_root), expected)


def test_a_checkpoint_holds_plain_values_and_each_tensor_once(trained: tuple[Any, Path]) -> None:
    policy, file = trained
    checkpoint = torch.load(file, weights_only=True)
    assert checkpoint["hyper_parameters"]["policy_name"] == "act"
    assert checkpoint["getiaction"]["config"]["type"] == "act"
    weights = checkpoint["state_dict"]
    assert weights.keys() == {f"lerobot_policy.{key}" for key in policy.lerobot_policy.state_dict()}
    assert len({tensor.data_ptr() for tensor in weights.values() if tensor.numel()}) == len(weights)


def test_parameters_of_acting_may_change_while_loading(trained: tuple[Any, Path], small_root: Path) -> None:
    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    _, file = trained
    assert ACT.load_from_checkpoint(file, n_action_steps=2).config.n_action_steps == 2
    assert LeRobotPolicy.load_from_checkpoint(file, learning_rate=1e-6).config.optimizer_lr == 1e-6
    with pytest.raises(PolicyError, match="act has no parameter `nope`"):
        LeRobotPolicy.load_from_checkpoint(file, nope=1)


def test_a_foreign_checkpoint_is_one_error(tmp_path: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    theirs = {"pytorch-lightning_version": "2.6.0", "state_dict": {}, "hyper_parameters": {"policy_name": "act"}}
    torch.save(theirs, tmp_path / "other.ckpt")
    with pytest.raises(PolicyError, match="not a checkpoint of a LeRobotPolicy"):
        LeRobotPolicy.load_from_checkpoint(tmp_path / "other.ckpt")


def test_another_class_refuses_the_checkpoint(trained: tuple[Any, Path]) -> None:
    from getiaction.policies.lerobot import Diffusion

    with pytest.raises(PolicyError, match="act"):
        Diffusion.load_from_checkpoint(trained[1])


def test_a_checkpoint_cannot_ask_for_code_from_elsewhere(trained: tuple[Any, Path], tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    checkpoint = torch.load(trained[1], weights_only=True)
    step = checkpoint["getiaction"]["preprocessor"]["config"]["steps"][0]
    step["registry_name"] = "action_tokenizer_processor"
    step["config"] = {"trust_remote_code": True, "action_tokenizer_name": str(hostile.code(tmp_path / "evil"))}
    torch.save(checkpoint, tmp_path / "evil.ckpt")
    with pytest.raises(Refused, match=r"evil holds Python code \(code.py\) that would be run"):
        ACT.load_from_checkpoint(tmp_path / "evil.ckpt")
    assert not (tmp_path / "evil" / "ran").exists()


def test_a_checkpoint_cannot_name_a_foreign_class(trained: tuple[Any, Path], tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    checkpoint = torch.load(trained[1], weights_only=True)
    step = checkpoint["getiaction"]["preprocessor"]["config"]["steps"][0]
    del step["registry_name"]
    step["class"] = "subprocess.Popen"
    step["config"] = {"args": ["touch", str(tmp_path / "pwned")]}
    torch.save(checkpoint, tmp_path / "evil.ckpt")
    with pytest.raises(Refused, match=r"step 0 of the checkpoint's preprocessor asks for 'subprocess\.Popen'"):
        ACT.load_from_checkpoint(tmp_path / "evil.ckpt")
    assert not (tmp_path / "pwned").exists()


def test_lerobot_loads_what_save_pretrained_wrote(trained: tuple[Any, Path], small_root: Path, tmp_path: Path) -> None:
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors

    policy, _ = trained
    policy.save_pretrained(tmp_path / "pretrained_model")
    config = PreTrainedConfig.from_pretrained(tmp_path / "pretrained_model")
    theirs = get_policy_class(config.type).from_pretrained(tmp_path / "pretrained_model", config=config)
    before, after = make_pre_post_processors(config, pretrained_path=str(tmp_path / "pretrained_model"))
    seen = observation(small_root)
    seen["observation.image"] = seen["observation.image"].float() / 255
    with torch.no_grad():
        theirs_action = after(theirs.select_action(before(seen)))
    policy.reset()
    assert torch.equal(policy.select_action(observation(small_root)), theirs_action)


def test_training_goes_on_from_a_checkpoint(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    def run(steps: int, ckpt: Path | None = None) -> tuple[Any, Any, list[float]]:
        torch.manual_seed(0)
        policy, watch = ACT(learning_rate=1e-3, **tiny_policies.ACT), tiny_policies.Watch()
        trainer = tiny_policies.trainer(tmp_path, steps, watch)
        trainer.fit(policy, datamodule=data(small_root, seed=3, train_batch_size=11), ckpt_path=ckpt, weights_only=True)
        return policy, trainer, watch.losses

    whole, _, losses = run(9)  # 6 batches make an epoch
    _, trainer, first = run(4)
    trainer.save_checkpoint(tmp_path / "four.ckpt")
    rest, _, second = run(9, tmp_path / "four.ckpt")
    assert first + second == losses
    for key, value in whole.lerobot_policy.state_dict().items():
        assert torch.equal(rest.lerobot_policy.state_dict()[key], value), key


def test_a_loaded_policy_can_be_trained_on(
    trained: tuple[Any, Path], small_root: Path, tmp_path: Path, recwarn: Any
) -> None:
    from getiaction.policies.lerobot import ACT

    again = ACT.load_from_checkpoint(trained[1])
    tiny_policies.trainer(tmp_path, 1).fit(again, datamodule=data(small_root))
    assert again.lerobot_policy.training
    assert not [w for w in recwarn if "eval mode" in str(w.message)]


@pytest.mark.parametrize("write", ["save_checkpoint", "save_pretrained"])
def test_saving_what_is_not_built_is_an_error(write: str, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    policy = ACT(**tiny_policies.ACT)
    saves: dict[str, Callable[[], Any]] = {
        "save_checkpoint": lambda: policy.on_save_checkpoint({}),
        "save_pretrained": lambda: policy.save_pretrained(tmp_path),
    }
    with pytest.raises(PolicyError, match="not built yet"):
        saves[write]()
