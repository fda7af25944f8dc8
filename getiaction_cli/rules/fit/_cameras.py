"""Cameras that a policy looks for in the batch regardless of its input features."""

from typing import Any

from getiaction_cli.analysis.recipe_on_dataset import Fit


def in_batch(fit: Fit) -> dict[str, Any]:
    """Return key in the batch → image shape (channels first) for every camera.

    Cameras that the recipe's input features leave out are not in the batch.
    """
    return {
        fit.renames.get(key, key): feature
        for key, feature in fit.readable.items()
        if feature.type.value == "VISUAL" and (fit.inputs is None or key in fit.inputs)
    }


def seen(fit: Fit) -> dict[str, Any]:
    """Return the cameras that the policy reads."""
    if fit.facts.camera_prefix:
        return {key: feature for key, feature in in_batch(fit).items() if key.startswith(fit.facts.camera_prefix)}
    if named := fit.policy.get(fit.facts.camera_names):
        return {key: feature for key, feature in in_batch(fit).items() if key in named}
    return dict(fit.policy.image_features)
