"""LeRobotPolicy and the named classes: building, acting, optimizing, and what reaches the log."""

import dataclasses
import inspect
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import tiny_policies
import torch

from getiaction.errors import PolicyError
from getiaction.spec.installing import install_command


def data(root: Path, **arguments: Any) -> Any:
    from getiaction.data.lerobot import LeRobotDataModule

    defaults = {"train_batch_size": 4, "num_workers": 0, "video_backend": "pyav"}
    return LeRobotDataModule("made/small", root=root, **{**defaults, **arguments})


def observation(root: Path, index: int = 0) -> dict[str, Any]:
    """One frame as a robot would see it: the dataset's units, pictures as bytes, no batch dimension."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    frame = LeRobotDataset("made/small", root=root, video_backend="pyav", return_uint8=True)[index]
    return {key: value for key, value in frame.items() if key.startswith("observation.")}


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys, getiaction.policies.lerobot as p; assert 'ACT' in dir(p); "
        "print([m for m in ('torch', 'lightning', 'lerobot', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_class_for_each_policy_that_lerobot_trains() -> None:
    import getiaction.policies.lerobot as package
    from getiaction.lerobot import names

    expected = {names.config_class(name).__name__.removesuffix("Config"): name for name in names.policy_names()}
    classes = {name: getattr(package, name) for name in package.__all__ if name != "LeRobotPolicy"}
    assert {name: cls.policy_name for name, cls in classes.items()} == expected
    assert all(issubclass(cls, package.LeRobotPolicy) for cls in classes.values())


def test_the_signature_of_act_is_that_of_lerobots_configuration() -> None:
    from lerobot.policies.act.configuration_act import ACTConfig

    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    signature = inspect.signature(ACT.__init__).parameters
    own = set(inspect.signature(LeRobotPolicy.__init__).parameters) - {"policy_name", "parameters"}
    fields = {each.name: each for each in dataclasses.fields(ACTConfig) if each.name not in own}
    assert set(signature) == own | set(fields)
    for name, each in fields.items():
        if each.default is not dataclasses.MISSING:
            assert signature[name].default == each.default, name
    documented = inspect.getdoc(ACT) or ""
    assert [name for name in signature if name != "self" and f"{name}:" not in documented] == []


def test_a_policy_is_built_in_setup_from_the_datasets_features(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    policy = ACT(**tiny_policies.ACT)
    assert policy.lerobot_policy is None
    trainer = tiny_policies.trainer(tmp_path, 2)
    trainer.fit(policy, datamodule=data(small_root))
    assert type(policy.lerobot_policy).__name__ == "ACTPolicy"
    assert list(policy.config.input_features) == ["observation.image", "observation.state"]
    assert policy.config.input_features["observation.image"].shape == (3, 48, 48)
    assert list(policy.config.output_features) == ["action"]
    assert policy.config.optimizer_lr == 1e-5
    assert {"train/loss", "train/l1_loss", "train/kld_loss", "train/grad_norm", "train/lr"} <= set(
        trainer.callback_metrics
    )


def test_with_features_given_a_policy_is_built_at_once(small_root: Path, tmp_path: Path) -> None:
    from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata

    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    meta = LeRobotDatasetMetadata("made/small", root=small_root)
    whole = ACT(
        input_features=meta.features, output_features=meta.features, dataset_stats=meta.stats, **tiny_policies.ACT
    )
    assert list(whole.config.input_features) == ["observation.image", "observation.state"]
    assert list(whole.config.output_features) == ["action"]
    assert whole.select_action(observation(small_root)).shape == (1, 2)

    split = LeRobotPolicy(
        "act",
        input_features=whole.config.input_features,
        output_features=whole.config.output_features,
        dataset_stats=meta.stats,
        **tiny_policies.ACT,
    )
    assert split.config == whole.config
    split.lerobot_policy.load_state_dict(whole.lerobot_policy.state_dict())
    whole.reset()
    split.reset()
    assert torch.equal(whole.select_action(observation(small_root)), split.select_action(observation(small_root)))
    tiny_policies.trainer(tmp_path, 1).fit(split, datamodule=data(small_root))


def test_a_policy_built_without_statistics_takes_those_of_the_dataset(small_root: Path, tmp_path: Path) -> None:
    from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata

    from getiaction.policies.lerobot import ACT

    features = LeRobotDatasetMetadata("made/small", root=small_root).features
    policy = ACT(input_features=features, output_features=features, **tiny_policies.ACT)
    with pytest.raises(PolicyError, match="not built yet"):
        policy.select_action(observation(small_root))
    module = data(small_root)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=module)
    held = policy.preprocessor.state_dict()["policy_preprocessor_step_3_normalizer_processor"]
    assert torch.equal(held["action.mean"], torch.as_tensor(module.stats["action"]["mean"], dtype=torch.float32))
    assert held["observation.image.mean"].flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])


def test_keywords_win_over_config_kwargs() -> None:
    from getiaction.policies.lerobot import ACT, Diffusion

    def config(policy: Any) -> Any:
        return policy._make_config("cpu")

    kwargs = {"chunk_size": 20, "n_action_steps": 20}
    assert config(ACT(config_kwargs=kwargs)).chunk_size == 20
    # 100 is LeRobot's default too, and it was asked for.
    assert config(ACT(config_kwargs=kwargs, chunk_size=100)).chunk_size == 100
    assert config(ACT(chunk_size=30, n_action_steps=1)).chunk_size == 30
    assert config(Diffusion(config_kwargs={"horizon": 8}, horizon=32)).horizon == 32
    assert config(Diffusion(normalization_mapping={"STATE": "MEAN_STD"})).normalization_mapping == {"STATE": "MEAN_STD"}


def test_a_given_configuration_is_where_parameters_start_from() -> None:
    from lerobot.policies.act.configuration_act import ACTConfig

    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    given = ACTConfig(device="cpu", chunk_size=12, n_action_steps=6, dim_model=64)
    made = LeRobotPolicy("act", config=given, n_action_steps=3)._make_config("cpu")
    assert (made.chunk_size, made.n_action_steps, made.dim_model) == (12, 3, 64)
    assert given.n_action_steps == 6
    assert ACT(config=given)._make_config("cpu").chunk_size == 12
    with pytest.raises(PolicyError, match="conflicting names: act, diffusion"):
        LeRobotPolicy("diffusion", config=given)


def test_the_learning_rate_is_the_presets_unless_given() -> None:
    from getiaction.policies.lerobot import ACT, LeRobotPolicy

    assert ACT()._make_config("cpu").optimizer_lr == 1e-5
    config = ACT(learning_rate=3e-4)._make_config("cpu")
    assert (config.optimizer_lr, config.optimizer_lr_backbone) == (3e-4, 1e-5)
    with pytest.raises(PolicyError, match="gaussian_actor does not support learning_rate"):
        LeRobotPolicy("gaussian_actor", learning_rate=1e-3)._make_config("cpu")


@pytest.mark.parametrize(
    ("build", "message", "hint"),
    [
        (lambda p: p("difusion"), "no policy `difusion`", "did you mean `diffusion`?"),
        (lambda p: p(), "no policy_name", "act, "),
        (lambda p: p("act", chunksize=3), "act has no parameter `chunksize`", "did you mean `chunk_size`?"),
        (lambda p: p("act", chunk_size=3), "The chunk size is the upper bound", ""),
        (lambda p: p("act", n_heads="many"), "`n_heads`: Couldn't parse 'many' into an int", ""),
        (lambda p: p("act", temporal_ensemble_coeff=0.1), "must be 1 when using temporal ensembling", ""),
        (lambda p: p("act", rename_map={"a": "b"}), "there is no pretrained_path", "leave rename_map out"),
    ],
)
def test_what_a_policy_refuses_is_one_error(build: Any, message: str, hint: str) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    with pytest.raises(PolicyError) as caught:
        build(LeRobotPolicy)._make_config("cpu")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_features_are_chosen_by_key(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    policy = ACT(input_features=["observation.image"], output_features=["action"], **tiny_policies.ACT)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=data(small_root))
    assert list(policy.config.input_features) == ["observation.image"]
    wrong = ACT(input_features=["observation.images.top"], **tiny_policies.ACT)
    with pytest.raises(PolicyError, match=r"input_features names observation\.images\.top") as caught:
        tiny_policies.trainer(tmp_path, 1).fit(wrong, datamodule=data(small_root))
    assert "observation.image, observation.state" in caught.value.hint


def test_cameras_that_are_not_chosen_do_not_reach_the_policy(cameras_root: Path, tmp_path: Path) -> None:
    """GR00T and FastWAM look for cameras in the batch by themselves, and stop at one of another size."""
    from getiaction.policies.lerobot import ACT

    top = "observation.images.top"
    policy, module = ACT(input_features=[top, "observation.state"], **tiny_policies.ACT), data(cameras_root)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=module)
    batch = next(iter(module.train_dataloader()))
    assert "observation.images.depth" in batch
    assert {key for key in policy._prepare(batch) if key.startswith("observation.images.")} == {top}


def test_a_policy_that_refuses_the_dataset_says_why(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT, VQBeT

    blind = ACT(input_features=["observation.state"], **tiny_policies.ACT)
    with pytest.raises(PolicyError, match="at least one image or the environment state"):
        tiny_policies.trainer(tmp_path, 1).fit(blind, datamodule=data(small_root))
    cropped = VQBeT(**{**tiny_policies.VQBET, "crop_shape": [84, 84]})
    with pytest.raises(PolicyError, match="crop_shape"):
        tiny_policies.trainer(tmp_path, 1).fit(cropped, datamodule=data(small_root))


def test_without_a_data_module_the_error_says_what_is_missing(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    loader = torch.utils.data.DataLoader([{"x": torch.zeros(1)}])
    with pytest.raises(PolicyError, match="can't be built: its features are unknown"):
        tiny_policies.trainer(tmp_path, 1).fit(ACT(**tiny_policies.ACT), loader)


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch, small_root: Path) -> None:
    from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
    from lerobot.utils import import_utils

    from getiaction.policies.lerobot import SmolVLA

    # Where LeRobot notes which packages it found.
    monkeypatch.setitem(import_utils._require_package_cache, "transformers", False)
    features = LeRobotDatasetMetadata("made/small", root=small_root).features
    with pytest.raises(PolicyError, match="smolvla needs a package") as caught:
        SmolVLA(input_features=features, output_features=features)
    assert caught.value.hint == install_command("getiaction[smolvla]")


def test_backbone_weights_come_from_the_cache_or_the_error_names_the_way_without(
    small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    from getiaction.policies.lerobot import ACT, Diffusion

    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    trained = {**tiny_policies.ACT, "pretrained_backbone_weights": "ResNet18_Weights.IMAGENET1K_V1"}
    with pytest.raises(PolicyError, match=r"ResNet18_Weights\.IMAGENET1K_V1 are not in") as caught:
        tiny_policies.trainer(tmp_path, 1).fit(ACT(**trained), datamodule=data(small_root))
    assert "--model.init_args.pretrained_backbone_weights null" in caught.value.hint

    wrong = {**trained, "vision_backbone": "resnet34"}
    with pytest.raises(PolicyError, match="not those of vision_backbone resnet34"):
        tiny_policies.trainer(tmp_path, 1).fit(ACT(**wrong), datamodule=data(small_root))
    unknown = {
        **tiny_policies.DIFFUSION,
        "pretrained_backbone_weights": "ResNet18_Weights.NEW",
        "use_group_norm": False,
    }
    with pytest.raises(PolicyError, match=r"torchvision has no weights named ResNet18_Weights\.NEW"):
        tiny_policies.trainer(tmp_path, 1).fit(Diffusion(**unknown), datamodule=data(small_root))

    cached = torchvision.models.resnet18(weights=None).state_dict()
    file = tmp_path / "torch/hub/checkpoints/resnet18-f37072fd.pth"
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(cached, file)
    watch = tiny_policies.Watch()
    policy = ACT(**trained)
    trainer = tiny_policies.trainer(tmp_path, 1, watch)
    trainer.fit(policy, datamodule=data(small_root))
    assert torch.equal(watch.first["model.backbone.conv1.weight"], cached["conv1.weight"])

    # A checkpoint brings the weights, so loading one needs neither cache nor network.
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    file.unlink()
    again = ACT.load_from_checkpoint(tmp_path / "a.ckpt")
    assert again.config.pretrained_backbone_weights == "ResNet18_Weights.IMAGENET1K_V1"


def test_nothing_talks_of_devices(small_root: Path, tmp_path: Path, caplog: Any, capsys: Any) -> None:
    from getiaction.policies.lerobot import Diffusion

    with caplog.at_level(logging.INFO):
        policy = Diffusion(**tiny_policies.DIFFUSION)
        tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=data(small_root))
    assert policy.config.device == "cpu"
    assert "Switching to" not in caplog.text
    assert "accelerated backend" not in caplog.text


class Rates(L.Callback):
    """The learning rate and the target network's first weight after each batch."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.updates: list[bool] = []
        self._target: torch.Tensor | None = None

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        target = pl_module.lerobot_policy.state_dict().get("model_target._reward.0.weight")
        if target is not None:
            self.updates.append(self._target is None or not torch.equal(target, self._target))
            self._target = target.clone()


def test_the_scheduler_steps_with_the_optimizer_and_ends_with_the_run(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import Diffusion

    seen = Rates()
    policy = Diffusion(learning_rate=1e-3, scheduler_warmup_steps=1, **tiny_policies.DIFFUSION)
    # 66 frames, 3 x 7 dropped: 45 samples, 12 batches, 6 optimizer steps.
    trainer = tiny_policies.trainer(tmp_path, -1, seen, max_epochs=1, accumulate_grad_batches=2)
    trainer.fit(policy, datamodule=data(small_root))
    assert trainer.global_step == 6
    # After the step of every second batch: warm-up to the full rate, then a cosine that is done when training is.
    assert seen.rates[::2][1:] == seen.rates[1::2][:-1]
    assert seen.rates[1] == pytest.approx(1e-3)
    assert seen.rates[-1] == pytest.approx(0.0, abs=1e-9)


def test_the_target_network_follows_each_optimizer_step(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import TDMPC

    seen = Rates()
    trainer = tiny_policies.trainer(tmp_path, 3, seen, accumulate_grad_batches=2)
    trainer.fit(TDMPC(learning_rate=1e-2, **tiny_policies.TDMPC), datamodule=data(small_root))
    assert seen.updates[1:] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("trainer_arguments", "preset", "expected"),
    [
        ({}, 10.0, 10.0),
        ({}, 0.0, None),
        ({"gradient_clip_val": 0.5}, 10.0, 0.5),
        ({"gradient_clip_val": 0}, 10.0, None),
    ],
)
def test_gradients_are_clipped_by_the_preset_unless_the_trainer_says_otherwise(
    small_root: Path, tmp_path: Path, trainer_arguments: dict[str, Any], preset: float, expected: float | None
) -> None:
    from getiaction.policies.lerobot import ACT

    norms = []

    class Norms(L.Callback):
        def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
            def note(*_: Any) -> None:
                gradients = [p.grad for p in pl_module.lerobot_policy.parameters() if p.grad is not None]
                norms.append(torch.nn.utils.get_total_norm(gradients).item())

            trainer.optimizers[0].register_step_post_hook(note)

    torch.manual_seed(0)
    policy = ACT(kl_weight=1000.0, **tiny_policies.ACT)
    trainer = tiny_policies.trainer(tmp_path, 3, Norms(), **trainer_arguments)
    policy.configure_for = _with_preset(policy, preset)
    trainer.fit(policy, datamodule=data(small_root))
    logged = trainer.callback_metrics["train/grad_norm"].item()
    assert logged > 10.5  # else nothing was clipped
    assert len(norms) == 3
    if expected is None:
        assert min(norms) > 10.5
    else:
        assert norms == pytest.approx([expected] * 3, rel=1e-3)


def _with_preset(policy: Any, grad_clip_norm: float) -> Any:
    """`configure_for` whose configuration has an optimizer preset with another clipping norm."""
    configure_for = policy.configure_for

    def configured(meta: Any) -> Any:
        config = configure_for(meta)
        preset = dataclasses.replace(config.get_optimizer_preset(), grad_clip_norm=grad_clip_norm)
        config.get_optimizer_preset = lambda: preset
        return config

    return configured


def test_validation_is_optional(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    trainer = tiny_policies.trainer(tmp_path, -1, max_epochs=1)
    trainer.fit(ACT(**tiny_policies.ACT), datamodule=data(small_root, train_batch_size=22))
    assert "val/loss" not in trainer.callback_metrics
    trainer = tiny_policies.trainer(tmp_path, -1, max_epochs=1)
    trainer.fit(ACT(**tiny_policies.ACT), datamodule=data(small_root, val_split=0.3, train_batch_size=22))
    assert trainer.callback_metrics["val/loss"].item() > 0


def test_a_feature_without_statistics_stops_the_run(small_root: Path, tmp_path: Path, copy_of: Any) -> None:
    import json

    from getiaction.policies.lerobot import ACT

    root = copy_of(small_root)
    stats = json.loads((root / "meta/stats.json").read_text())
    del stats["observation.state"]
    (root / "meta/stats.json").write_text(json.dumps(stats))
    with pytest.raises(PolicyError, match=r"act normalizes observation\.state"):
        tiny_policies.trainer(tmp_path, 1).fit(ACT(**tiny_policies.ACT), datamodule=data(root))


def test_a_batch_is_not_changed_by_a_step(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import TDMPC

    policy = TDMPC(**tiny_policies.TDMPC)
    module = data(small_root)
    tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=module)
    batch = next(iter(module.train_dataloader()))
    before = {key: value.clone() for key, value in batch.items() if isinstance(value, torch.Tensor)}
    with torch.no_grad():
        loss, report = policy(batch)
    assert loss.ndim == 0
    assert "consistency_loss" in report
    assert all(torch.equal(batch[key], value) for key, value in before.items())
    assert batch["observation.image"].dtype == torch.uint8
