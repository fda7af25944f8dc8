"""Which statistics a policy normalizes by, as training takes them."""

from collections.abc import Iterator

from getiaction_cli.rules.fitting import Fit

# The numbers that each mode computes with (lerobot/processor/normalize_processor.py).
NEEDS = {
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}


def normalized(fit: Fit) -> Iterator[tuple[str, str, str]]:
    """(key, kind, mode) of each feature of the dataset that is not passed through as it is."""
    for key, feature in {**fit.readable, **fit.writable}.items():
        mode = fit.policy.normalization.get(feature.type.value, "IDENTITY")
        if mode != "IDENTITY" and fit.reads(key):
            yield key, feature.type.value, mode


def statistics(fit: Fit, key: str) -> set[str]:
    """The names of the statistics that training has of a feature."""
    there = set((fit.dataset.stats or {}).get(key, {}))
    colour = key in fit.dataset.camera_keys and key not in fit.dataset.depth_keys
    return there | {"mean", "std"} if colour and fit.recipe.data("use_imagenet_stats", True) else there
