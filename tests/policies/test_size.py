"""The arithmetic of getiaction_cli.policies.size against the models that LeRobot builds."""

from typing import Any

import pytest

from getiaction_cli.policies import load, to_policy_features
from getiaction_cli.policies.size import parameters

pytestmark = pytest.mark.slow

NO_WEIGHTS: dict[str, Any] = {"pretrained_backbone_weights": None}
SMALL_DIFFUSION: dict[str, Any] = {
    **NO_WEIGHTS,
    "down_dims": [16, 32],
    "n_groups": 4,
    "horizon": 8,
    "n_action_steps": 4,
}
CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("act", NO_WEIGHTS, (96, 96)),
    ("act", {**NO_WEIGHTS, "use_vae": False, "pre_norm": True, "n_decoder_layers": 3}, (48, 64)),
    ("act", {**NO_WEIGHTS, "vision_backbone": "resnet50", "chunk_size": 10, "n_action_steps": 10}, ()),
    ("diffusion", {**SMALL_DIFFUSION, "use_film_scale_modulation": False, "n_obs_steps": 3}, (96, 96)),
    ("diffusion", SMALL_DIFFUSION, ()),
    ("vqbet", NO_WEIGHTS, (96, 96)),
    ("vqbet", {**NO_WEIGHTS, "sequentially_select": True, "gpt_n_layer": 2}, (96, 96)),
    ("tdmpc", {}, (96, 96)),
    ("tdmpc", {"q_ensemble_size": 3, "latent_dim": 12}, ()),
]


def table(size: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    features: dict[str, dict[str, Any]] = {
        "observation.state": {"dtype": "float32", "shape": (4,), "names": None},
        "action": {"dtype": "float32", "shape": (3,), "names": None},
    }
    if size:
        names = ["height", "width", "channels"]
        return {"observation.image": {"dtype": "video", "shape": (*size, 3), "names": names}, **features}
    return {"observation.environment_state": {"dtype": "float32", "shape": (5,), "names": None}, **features}


@pytest.mark.parametrize(("name", "params", "size"), CASES)
def test_parameters_are_counted_as_the_model_has_them(name: str, params: dict[str, Any], size: tuple[int, ...]) -> None:
    from lerobot.policies.factory import get_policy_class, make_policy_config
    from lerobot.utils.feature_utils import dataset_to_policy_features

    inputs, outputs = to_policy_features(table(size))
    counted = parameters(load(name).configure(params, inputs, outputs))

    features = dataset_to_policy_features(table(size))
    config = make_policy_config(name, device="cpu", push_to_hub=False, **params)
    config.output_features = {"action": features.pop("action")}
    config.input_features = features
    model = get_policy_class(name)(config)
    assert counted == pytest.approx(sum(p.numel() for p in model.parameters()), rel=2e-3)


def test_a_network_for_a_shape_that_cannot_be_is_not_counted() -> None:
    shapes = {"observation.image": [3, 96, 96], "observation.state": [4.388899255034951e303], "action": [2]}
    table = {key: {"dtype": "float32", "shape": shape, "names": None} for key, shape in shapes.items()}
    table["observation.image"] |= {"dtype": "video", "names": ["channels", "height", "width"]}
    assert parameters(load("act").configure({}, *to_policy_features(table))) is None
    table["observation.state"]["shape"] = [2]
    assert parameters(load("act").configure({}, *to_policy_features(table))) is not None
