"""Random changes of the training pictures: the sections below `image_transforms.tfs`, as LeRobot reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.signatures import Signature, provided, read_signature

ROUTE = "data.init_args.image_transforms"
# LeRobot's own are looked for first.
_OWN, _TORCHVISION = "lerobot.transforms.transforms", "torchvision.transforms.v2"
_NOT_TRANSFORMS = ("ImageTransforms", "ImageTransformsConfig", "ImageTransformConfig", "RandomSubsetApply", "Transform",
                   "AutoAugmentPolicy", "InterpolationMode", "Any", "Callable", "Sequence")  # fmt: skip


@cache
def transform_names() -> tuple[str, ...]:
    """The classes that a transform's `type` can name; empty where their source can't be read."""
    own, others = provided(_OWN), provided(_TORCHVISION)
    return tuple(sorted({*own, *others} - {*_NOT_TRANSFORMS})) if own and others else ()


def transform_signature(name: str) -> Signature | None:
    """What a transform takes."""
    return read_signature(f"{_OWN}.{name}") or read_signature(f"{_TORCHVISION}.{name}")


def transform_routes(recipe: Recipe) -> Iterator[str]:
    """The transforms of a recipe that are written as sections."""
    for name in recipe.keys(f"{ROUTE}.tfs"):
        if isinstance(recipe.get(f"{ROUTE}.tfs.{name}"), dict):
            yield f"{ROUTE}.tfs.{name}"


def is_built(recipe: Recipe, route: str) -> bool:
    """True when LeRobot makes this transform: one of no weight is passed over, and so are all when none is wanted."""
    weight = recipe.get(f"{route}.weight", 1.0)
    return recipe.get(f"{ROUTE}.enable") is not False and (not isinstance(weight, int | float) or weight > 0)
