"""Values from YAML, what LeRobot makes of them, and the words about them."""

from __future__ import annotations

import pytest

from getiaction_cli import policies
from getiaction_cli.policies import passthrough_values

TABLE = {
    "observation.image": {"dtype": "video", "shape": [96, 128, 3], "names": ["height", "width", "channel"]},
    "observation.state": {"dtype": "float32", "shape": [7], "names": None},
    "observation.environment_state": {"dtype": "float32", "shape": [4], "names": None},
    "action": {"dtype": "float32", "shape": [7], "names": None},
    "next.reward": {"dtype": "float32", "shape": [1], "names": None},
}


def test_features_are_read_as_lerobot_reads_them() -> None:
    inputs, outputs = policies.to_policy_features(TABLE)
    assert {key: (feature.type.value, feature.shape) for key, feature in inputs.items()} == {
        "observation.image": ("VISUAL", (3, 96, 128)),
        "observation.state": ("STATE", (7,)),
        "observation.environment_state": ("ENV", (4,)),
    }
    assert list(outputs) == ["action"]


@pytest.mark.parametrize("broken", [{"shape": [96, 96]}, {"names": None}, {"names": ["a"]}])
def test_a_camera_that_lerobot_cannot_read(broken: dict) -> None:
    with pytest.raises(policies.Rejected):
        policies.to_policy_features({"observation.image": TABLE["observation.image"] | broken})


def test_lists_words_and_mappings_become_what_lerobot_wants() -> None:
    config = policies.load("diffusion").configure(
        {
            "crop_shape": [84, 84],
            "normalization_mapping": {"ACTION": "MEAN_STD", "STATE": "MEAN_STD", "VISUAL": "IDENTITY"},
        }
    )
    assert config.crop_shape == (84, 84)
    assert config.normalization == {"ACTION": "MEAN_STD", "STATE": "MEAN_STD", "VISUAL": "IDENTITY"}
    smolvla = policies.load("smolvla").configure({"rtc_config": {"prefix_attention_schedule": "EXP"}})
    assert smolvla.rtc_config.prefix_attention_schedule.name == "EXP"
    assert policies.load("act").configure({"optimizer_lr": "1e-4"}).optimizer["lr"] == 1e-4


@pytest.mark.parametrize(
    ("policy", "name", "value", "message"),
    [
        ("act", "chunk_size", "ten", "chunk_size expects a whole number"),
        ("act", "chunk_size", 2.5, "chunk_size expects a whole number"),
        ("act", "chunk_size", None, "chunk_size expects a whole number"),
        ("act", "dropout", True, "dropout expects a number"),
        ("act", "use_vae", "no", "use_vae expects true or false"),
        ("diffusion", "crop_shape", [84], "crop_shape expects a list of 2 whole numbers or null"),
        ("diffusion", "down_dims", 512, "down_dims expects a list of whole numbers"),
        ("act", "vision_backbone", ["resnet18"], "vision_backbone expects a text"),
        ("act", "chunk", 3, "act has no parameter chunk"),
    ],
)
def test_wrong_types_name_the_parameter(policy: str, name: str, value: object, message: str) -> None:
    with pytest.raises(policies.Rejected) as caught:
        policies.load(policy).configure({name: value})
    assert caught.value.message == message
    assert caught.value.field == name
    assert caught.value.kind in ("type", "unknown")


def test_the_place_inside_a_value_is_named() -> None:
    with pytest.raises(policies.Rejected) as caught:
        policies.load("act").configure({"normalization_mapping": {"ACTION": "MEANSTD"}})
    assert caught.value.path == ("ACTION",)
    assert caught.value.message.startswith("normalization_mapping.ACTION expects one of MIN_MAX")


def test_what_lerobot_rewrites() -> None:
    groot = policies.load("groot").configure({"chunk_size": 50, "n_action_steps": 50, "max_state_dim": 132})
    assert groot.rewritten == {"chunk_size": (50, 40), "n_action_steps": (50, 40)}
    assert "legacy" in groot.warnings[0]
    diffusion = policies.load("diffusion").configure({"resize_shape": [96, 96], "crop_shape": [84, 84]})
    assert diffusion.rewritten == {"crop_shape": ((84, 84), None)}


def test_what_lerobot_rewrites_for_a_dataset() -> None:
    inputs, outputs = policies.to_policy_features(TABLE)
    config = policies.load("multi_task_dit").configure({"image_crop_shape": [224, 224]}, inputs, outputs)
    assert config.rewritten == {"image_crop_shape": ((224, 224), None)}
    assert config.image_crop_shape == (224, 224)  # before validate_features


def test_values_by_name() -> None:
    config = policies.load("diffusion").configure({"horizon": 16, "n_action_steps": 8})
    assert config.observation_delta_indices == [-1, 0]
    assert config.action_delta_indices == list(range(-1, 15))
    assert config.drop_n_last_frames == 7
    assert config.scheduler == {"type": "DiffuserSchedulerConfig", "name": "cosine", "num_warmup_steps": 500}


def test_allowed_values_come_from_the_source() -> None:
    assert policies.load("diffusion").fields["prediction_type"].choices == ("epsilon", "sample")
    assert policies.load("act").fields["vision_backbone"].choices == (
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
    )
    assert passthrough_values.resnet_weights()["resnet34"] == ("IMAGENET1K_V1", "DEFAULT")
    assert "squaredcos_cap_v2" in policies.load("diffusion").fields["beta_schedule"].choices
    assert "so101_bimanual" in policies.load("xvla").fields["action_mode"].choices


@pytest.mark.parametrize("name", policies.names())
def test_every_default_is_among_the_allowed_values(name: str) -> None:
    for field in policies.load(name).fields.values():
        assert not field.choices or field.default in field.choices, field


def test_help_is_lerobots_own() -> None:
    act = policies.load("act").fields
    assert act["chunk_size"].help.startswith("The size of the action prediction")
    assert act["chunk_size"].group == "timing"
    pi0 = policies.load("pi0").fields
    assert pi0["chunk_size"].help == 'Number of action steps to predict, in openpi called "action_horizon"'
    assert pi0["num_inference_steps"].help == "Number of denoising steps during inference"
    groot = policies.load("groot").fields
    assert groot["lora_rank"].group == "no longer used"
    assert groot["max_action_dim"].help == "Maximum action dimension. Shorter actions will be zero-padded."
