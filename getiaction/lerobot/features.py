"""Features and statistics of a dataset in LeRobot's form."""

import contextlib
import copy
from collections.abc import Mapping
from typing import Any

from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
from lerobot.policies.factory import dataset_to_policy_features

__all__ = [
    "DatasetView",
    "FeatureType",
    "Features",
    "PolicyFeature",
    "Stats",
    "as_policy_features",
    "as_raw_features",
    "split_features",
    "trained_inputs",
]


Features = dict[str, PolicyFeature]


Stats = dict[str, dict[str, Any]]


class DatasetView:
    """A dataset's metadata for LeRobot's policy factory, with a selection of features and other statistics.

    Args:
        features: raw LeRobot features (dtype, shape, names) by key.
        stats: statistics by key.
        meta: the dataset's metadata, for the few policies that read more (root, fps); None without a dataset.
    """

    def __init__(self, features: Mapping[str, Any], stats: Stats | None, meta: LeRobotDatasetMetadata | None) -> None:
        self.features = dict(features)
        self.stats = stats
        self._meta = meta

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__dict__.get("_meta") is None:
            raise AttributeError(name)
        return getattr(self._meta, name)


def split_features(features: Mapping[str, PolicyFeature]) -> tuple[Features, Features]:
    """Split features into inputs and outputs of a policy: actions are outputs, all others are inputs."""
    outputs = {key: ft for key, ft in features.items() if ft.type is FeatureType.ACTION}
    return {key: ft for key, ft in features.items() if key not in outputs}, outputs


def as_policy_features(features: Mapping[str, Any]) -> Features:
    """Convert features (`PolicyFeature`, `{type, shape}` or raw ones of a dataset) to `PolicyFeature`."""
    raw = {key: ft for key, ft in features.items() if isinstance(ft, Mapping) and "dtype" in ft}
    found = dataset_to_policy_features({key: {"names": None, **ft} for key, ft in raw.items()})
    for key, ft in features.items():
        if isinstance(ft, PolicyFeature):
            found[key] = ft
        elif key not in raw:
            found[key] = PolicyFeature(type=FeatureType(ft["type"]), shape=tuple(ft["shape"]))
    return {key: found[key] for key in features if key in found}


def as_raw_features(features: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Convert features to raw ones as in a dataset; raw features are unchanged."""
    raw = {}
    for key, ft in features.items():
        if isinstance(ft, Mapping) and "dtype" in ft:
            raw[key] = dict(ft)
            continue
        feature = as_policy_features({key: ft})[key]
        visual = feature.type is FeatureType.VISUAL
        names = ["channels", "height", "width"] if visual else None
        raw[key] = {"dtype": "image" if visual else "float32", "shape": tuple(feature.shape), "names": names}
    return raw


def trained_inputs(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> Features:
    """The inputs of a policy that a dataset has, by the policy's keys, with the dataset's shapes.

    LeRobot keeps all inputs of a pretrained policy, also those that the dataset lacks. Inputs that the policy itself
    adds (a camera that is always blank) are kept here, too.
    """
    there = {rename_map.get(key, key): ft for key, ft in as_policy_features(view.features).items()}
    trained = copy.copy(config)
    trained.input_features = {key: there[key] for key in config.input_features or {} if key in there}
    # Called only to add cameras: LeRobot does not apply these checks to a pretrained policy.
    with contextlib.suppress(ValueError):
        trained.validate_features()
    return trained.input_features
