"""Answers with the real LeRobot what the light reading answers without it. A process: one JSON document in, one out.

In: [{"policy", "params", "features": name}]. Out: one answer per probe, see `answer`.
"""

from __future__ import annotations

import json
import logging
import sys
import typing
import warnings
from typing import Any

# Key → (kind, shape): what `dataset_to_policy_features` would make of small datasets.
FEATURES: dict[str, dict[str, tuple[str, tuple[int, ...]]]] = {
    "usual": {
        "observation.image": ("VISUAL", (3, 96, 96)),
        "observation.state": ("STATE", (2,)),
        "action": ("ACTION", (2,)),
    },
    "two cameras": {
        "observation.images.top": ("VISUAL", (3, 48, 64)),
        "observation.images.wrist": ("VISUAL", (3, 96, 96)),
        "observation.state": ("STATE", (7,)),
        "action": ("ACTION", (7,)),
    },
    "no camera": {"observation.state": ("STATE", (40,)), "action": ("ACTION", (40,))},
    "environment": {"observation.environment_state": ("ENV", (5,)), "action": ("ACTION", (7,))},
}


def plain(value: Any) -> Any:
    """A value as JSON holds it, the same for both worlds."""
    import dataclasses
    import enum
    from pathlib import Path

    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value) if isinstance(value, Path) else value


def _preset(build: Any) -> Any:
    try:
        preset = build()
    except Exception as error:
        return str(error)
    return None if preset is None else [type(preset).__name__, plain(vars(preset))]


def report(config: Any) -> dict[str, Any]:
    """What a configuration object says of itself, in either world."""
    found: dict[str, Any] = {}
    for name in ("observation_delta_indices", "action_delta_indices", "reward_delta_indices", "drop_n_last_frames"):
        try:
            found[name] = getattr(config, name, None)
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    found["optimizer"] = _preset(config.get_optimizer_preset)
    found["scheduler"] = _preset(config.get_scheduler_preset)
    return found


def values(config: Any) -> dict[str, Any]:
    """The values of a configuration, without what depends on the machine."""
    shown = plain(config)
    for name in ("device", "use_amp"):
        shown.pop(name, None)
    return shown


def main() -> None:
    """Answer all probes."""
    warnings.filterwarnings("ignore")
    import lerobot.policies  # noqa: F401 - registers the policies
    from draccus.parsers.decoding import get_decoding_fn
    from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig

    logging.disable(logging.CRITICAL)

    def answer(probe: dict[str, Any]) -> dict[str, Any]:
        cls = PreTrainedConfig.get_choice_class(probe["policy"])
        hints = typing.get_type_hints(cls)
        try:
            given = {name: get_decoding_fn(hints[name])(value, (name,)) for name, value in probe["params"].items()}
        except Exception as error:
            return {"refused": "type", "message": str(error)}
        try:
            config = cls(**given)
        except Exception as error:
            known = isinstance(error, (ValueError, NotImplementedError))
            return {"refused": "value", "message": str(error) if known else f"{type(error).__name__}: {error}"}
        found = {"values": values(config), **report(config)}
        features = {
            key: PolicyFeature(FeatureType[kind], shape) for key, (kind, shape) in FEATURES[probe["features"]].items()
        }
        config.output_features = {key: feature for key, feature in features.items() if feature.type.name == "ACTION"}
        config.input_features = {key: feature for key, feature in features.items() if feature.type.name != "ACTION"}
        try:
            config.validate_features()
            found["features"] = None
        except Exception as error:
            known = isinstance(error, (ValueError, NotImplementedError))
            found["features"] = str(error) if known else f"{type(error).__name__}: {error}"
        found["after"] = values(config)
        return found

    out = {
        "known": sorted(PreTrainedConfig.get_known_choices()),
        "answers": [answer(probe) for probe in json.load(sys.stdin)],
    }
    json.dump(out, sys.stdout, default=str)


if __name__ == "__main__":
    main()
