"""Convert a dataset's features to those of a policy with LeRobot's own functions."""

from __future__ import annotations

from typing import Any

from getiaction_cli.policies.catalog import light_lerobot
from getiaction_cli.policies.config import Rejected


def to_policy_features(features: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Convert a dataset's features, and split them into inputs and outputs of a policy.

    Args:
        features: key → {"dtype", "shape", "names"}, as in `meta/info.json`.

    Returns:
        (inputs, outputs): key → feature with `.type` (`.type.value` is "VISUAL", "STATE", "ENV" or "ACTION") and
        `.shape` (cameras channel first).

    Raises:
        Rejected: LeRobot can't convert a feature (a camera whose shape does not have three numbers, or without names).
    """
    convert = light_lerobot().module("lerobot.utils.feature_utils").dataset_to_policy_features
    try:
        plain = {key: {"names": None, **feature, "shape": tuple(feature["shape"])} for key, feature in features.items()}
        found = convert(plain)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise Rejected(str(error), error=type(error).__name__) from error
    outputs = {key: feature for key, feature in found.items() if feature.type.value == "ACTION"}
    return {key: feature for key, feature in found.items() if key not in outputs}, outputs


def feature_kinds() -> tuple[str, ...]:
    """LeRobot's types of features: "STATE", "VISUAL", …"""
    return tuple(light_lerobot().module("lerobot.configs.types").FeatureType.__members__)


def normalization_modes() -> tuple[str, ...]:
    """LeRobot's normalization modes: "MIN_MAX", "MEAN_STD", …"""
    return tuple(light_lerobot().module("lerobot.configs.types").NormalizationMode.__members__)
