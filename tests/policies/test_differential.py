"""The light reading against the real import: for every policy and for generated parameters, they must agree.

On acceptance, on the message, on every default and resulting value, on the time steps, on the presets, and on what
`validate_features` says and changes. One process imports LeRobot once and answers all probes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import types
import typing
from pathlib import Path
from typing import Any

import lerobot_process
import pytest

from getiaction_cli import policies
from getiaction_cli.policies.catalog import light_lerobot

SEED = 20261122
# EO1 asks the network for this one; what it holds is not LeRobot's configuration.
ALWAYS: dict[str, dict[str, Any]] = {"eo1": {"vlm_config": {"text_config": {}}}}


def ask(probes: list[dict[str, Any]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(Path(lerobot_process.__file__))],
        input=json.dumps(probes),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def candidates(hint: Any, default: Any) -> list[Any]:
    """Values that a careless hand might write for a parameter of this type."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return [None, *(value for kind in inner for value in candidates(kind, default))]
    if hint is bool:
        return [not default, "true", "yes", 3]
    if hint is int:
        base = default if isinstance(default, int) else 4
        return [0, -1, 1, base + 1, base * 2, 50, "7", "seven", 2.5, [1]]
    if hint is float:
        return [0.0, -1.0, 0.5, 2, "1e-4", "fast", [0.1]]
    if hint is str:
        return ["foo", "", "resnet50", "n1.5", "float32", 12, ["a"]]
    if typing.get_origin(hint) is tuple or hint is tuple:
        return [[1, 2], [224, 224], [16, 32, 64], [0, 0], [64], 5]
    if typing.get_origin(hint) is list:
        return [[], ["a"], [1, 2], "a"]
    if typing.get_origin(hint) is dict or hint is dict:
        return [{}, {"STATE": "MIN_MAX", "ACTION": "MEAN_STD", "VISUAL": "IDENTITY"}, {"STATE": "FOO"}, [1]]
    if hasattr(hint, "__dataclass_fields__"):
        return [{}, {"enabled": False}, {"max_guidance_weight": -1.0}, {"nonsense": 1}]
    return ["foo"]


def generate(name: str) -> list[dict[str, Any]]:
    """One parameter changed at a time, then a few at once, each on one of the small feature sets."""
    rng = random.Random(f"{SEED} {name}")
    policy = policies.load(name)
    choices: list[tuple[str, Any]] = []
    for field in policy.fields.values():
        if field.name in policies.NOT_PARAMETERS or field.name == "device":
            continue
        values = [*field.choices, *candidates(field.hint, field.default)]
        if field.name != "vlm_config":  # null makes EO1 ask the network
            choices += [(field.name, value) for value in values]
    sets = [{}] + [{key: value} for key, value in choices]
    sets += [dict(rng.sample(choices, rng.randint(2, 4))) for _ in range(60)]
    return [
        {
            "policy": name,
            "params": {**ALWAYS.get(name, {}), **params},
            "features": rng.choice(list(lerobot_process.FEATURES)),
        }
        for params in sets
    ]


def light(probe: dict[str, Any]) -> dict[str, Any]:
    policy = policies.load(probe["policy"])
    try:
        config = policy.configure(probe["params"])
    except policies.Rejected as rejected:
        return {"refused": rejected.kind, "message": rejected.message}
    found = {"values": lerobot_process.values(config.values), **lerobot_process.report(config.values)}
    types_of = light_lerobot().module("lerobot.configs.types")
    features = {
        key: types_of.PolicyFeature(types_of.FeatureType[kind], shape)
        for key, (kind, shape) in lerobot_process.FEATURES[probe["features"]].items()
    }
    config.values.output_features = {key: feature for key, feature in features.items() if feature.type.name == "ACTION"}
    config.values.input_features = {key: feature for key, feature in features.items() if feature.type.name != "ACTION"}
    found["features"] = config.validate_features()
    found["after"] = lerobot_process.values(config.after)
    return json.loads(json.dumps(found, default=str))


def _stricter(probe: dict[str, Any]) -> bool:
    """The light reading is stricter on purpose: null or true for a number, a number for a text, a text for a list."""
    return any(value is None or isinstance(value, (bool, str, list)) for value in probe["params"].values())


def differences(probes: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[str]:
    found = []
    for probe, expected in zip(probes, answers, strict=True):
        got = light(probe)
        if got == expected:
            continue
        if got.get("refused") == "type" and (expected.get("refused") or _stricter(probe)):
            continue
        if got.get("refused") == "value" and expected.get("refused") == "type":
            continue  # a nested configuration refuses its values while it is being read
        keys = [key for key in {*got, *expected} if got.get(key) != expected.get(key)]
        shown = {key: (got.get(key), expected.get(key)) for key in keys}
        found.append(f"{probe['policy']} {probe['params']} {probe['features']}: {str(shown)[:600]}")
    return found


def test_a_sample_agrees() -> None:
    probes = []
    for name in policies.names():
        generated = generate(name)
        probes += [generated[0], *random.Random(f"{SEED} sample {name}").sample(generated[1:], 25)]
    said = ask(probes)
    assert said["known"] == sorted(policies.names())
    assert differences(probes, said["answers"]) == []


@pytest.mark.slow
def test_all_agree() -> None:
    probes = [probe for name in policies.names() for probe in generate(name)]
    found = differences(probes, ask(probes)["answers"])
    assert len(probes) > 4000
    assert found == [], f"{len(found)} of {len(probes)}"
