"""The verdict on `peft`: methods, ranks and beginnings, from the source of PEFT and LeRobot."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from getiaction_cli.analysis import peft_source

Judge = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ({"method_type": "LOHAA"}, "method_type", "PEFT has no method `LOHAA`"),
        ({"method_type": "IA3"}, "method_type", "can't set up PEFT's method `IA3`"),
        ({"method_type": "prompt_tuning"}, "method_type", "can't set up PEFT's method `prompt_tuning`"),
        ({"method_type": "VERA", "init_type": "gaussian"}, "init_type", "no `init_type` for VERA"),
        ({"init_type": "bat"}, "init_type", "LORA can't begin with the `init_type` bat"),
        ({"r": 0}, "r", "whole number of at least 1"),
        ({"r": 64}, "r", "scaled by 0.12"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_peft_cannot_do_is_found(section: dict[str, Any], key: str, words: str, judge: Judge) -> None:
    found = judge(recipe(section))
    assert found["GA256"].path == f"model.init_args.peft.{key}"
    assert words in found["GA256"].message


@pytest.mark.parametrize(
    "section",
    [{"r": 8}, {"method_type": "miss", "init_type": "bat"}, {"init_type": "pissa_niter_16"}, {"method_type": "LOKR"}],
    ids=lambda section: "-".join(section),
)
def test_what_peft_can_do_is_not(section: dict[str, Any], judge: Judge) -> None:
    assert "GA256" not in judge(recipe(section))


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["linear1", "self_attn"], ""),
        (["norm1"], "`model.encoder.layers.0.norm1`, which is not one that has a matrix"),
        (["linear1", "encoder"], "`model.encoder`, which is a module of several layers"),
        (r".*layers\.0\.(linear1|norm1)", "`model.encoder.layers.0.norm1`"),
        ("(([a-z_.0-9]+)+)+!", "matching it takes more than a second"),
    ],
    ids=str,
)
def test_lora_adapts_layers_that_have_a_matrix(targets: Any, words: str, judge: Judge) -> None:
    section = {"pretrained_path": "me/act-pusht", "peft": {"r": 4, "target_modules": targets}}
    said = {
        **yaml.safe_load(recipe({})),
        "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": section},
    }
    found = judge(yaml.safe_dump(said)).get("GA257")
    assert bool(found) == bool(words)
    assert found is None or words in found.message


@pytest.mark.parametrize(
    ("method", "refused"), [("LORA", False), ("LOHA", False), ("HRA", False), ("MISS", True), ("VERA", True)]
)
def test_only_some_methods_adapt_convolutions(method: str, refused: bool) -> None:
    import peft
    from torch import nn

    model = nn.Sequential(nn.Conv2d(4, 8, 3))
    config = peft.PEFT_TYPE_TO_CONFIG_MAPPING[method](r=2, target_modules=["0"])
    try:
        peft.get_peft_model(model, config)
    except (TypeError, ValueError):
        assert refused
    else:
        assert not refused
    assert peft_source.adapts(method, "Conv2d") == (not refused)


def test_an_adapter_is_scaled_by_more_than_nothing(judge: Judge) -> None:
    assert judge(recipe({"lora_alpha": 0}))["GA122"].path == "model.init_args.peft.lora_alpha"


def recipe(section: dict[str, Any]) -> str:
    model = {"pretrained_path": "lerobot/smolvla_base", "peft": section}
    return yaml.safe_dump(
        {
            "model": {"class_path": "getiaction.policies.lerobot.SmolVLA", "init_args": model},
            "data": {
                "class_path": "getiaction.data.lerobot.LeRobotDataModule",
                "init_args": {"repo_id": "lerobot/pusht"},
            },
            "trainer": {"max_steps": 1000},
        }
    )
