"""Which statistics a policy normalizes by, as training takes them."""

from collections.abc import Iterator

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules.dataset.statistics_spread import impossible

# The statistics that each mode uses (lerobot/processor/normalize_processor.py).
NEEDS = {
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}


def normalized(fit: Fit) -> Iterator[tuple[str, str, str]]:
    """Yield (key, type, mode) of each feature of the dataset that the policy normalizes."""
    for key, feature in {**fit.readable, **fit.writable}.items():
        mode = fit.policy.normalization.get(feature.type.value, "IDENTITY")
        if mode != "IDENTITY" and fit.reads(key):
            yield key, feature.type.value, mode


def statistics(fit: Fit, key: str) -> set[str]:
    """Return the names of the statistics of a feature that are available in training."""
    there = set((fit.dataset.stats or {}).get(key, {}))
    colour = key in fit.dataset.camera_keys and key not in fit.dataset.depth_keys
    return there | {"mean", "std"} if colour and fit.recipe.data("use_imagenet_stats", True) else there


def used(fit: Fit, finding: Finding) -> bool:
    """True if a finding about statistics concerns statistics that this policy uses for normalization."""
    return any(
        key in finding.features
        and (_spoiled(fit, key, NEEDS.get(mode, ())) if finding.statistics else fit.network_reads(key))
        for key, _, mode in normalized(fit)
    )


def _spoiled(fit: Fit, key: str, names: tuple[str, ...]) -> bool:
    """True if one of these statistics is missing, not finite, or has a wrong length or order."""
    colour = key in fit.dataset.camera_keys and key not in fit.dataset.depth_keys
    if colour and fit.recipe.data("use_imagenet_stats", True) and set(names) == {"mean", "std"}:
        return False
    entry = (fit.dataset.stats or {}).get(key, {})
    read = fit.network_reads(key)
    if not entry and not read:
        return False  # LeRobot does not normalize it
    numbers = [entry[name].reshape(-1) for name in names if name in entry]
    size = fit.dataset.features[key].size
    if len(numbers) < len(names) or any(len(n) != size for n in numbers):
        return True  # this stops training, even if the policy does not read the feature
    if not read or not all(np.isfinite(n).all() for n in numbers):
        return read
    low, high = numbers
    if names == NEEDS["MEAN_STD"]:
        return bool((high < 0).any() or impossible(entry))
    return bool((low > high).any())
