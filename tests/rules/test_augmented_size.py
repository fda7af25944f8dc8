"""The size of a picture after each transform that a recipe can name, against torchvision and LeRobot themselves."""

from typing import Any

import pytest

from getiaction_cli.analysis.image_transforms import (
    NOT_A_PICTURE,
    size_after,
    size_after_all,
    transform_names,
    transform_signature,
)
from getiaction_cli.recipe import read

ARGUMENTS: dict[str, Any] = {
    "bits": 4, "brightness_factor": 0.5, "degrees": 10, "kernel_size": 3, "max_size": 96, "mean": [0.5] * 3,
    "min_size": 64, "padding": 4, "quality": 50, "sharpness": 0.5, "sharpness_factor": 2.0, "size": [64, 80],
    "std": [0.2] * 3, "target_size": [64, 64], "threshold": 0.5,
}  # fmt: skip
MORE = [
    ("Resize", {"size": 60}),
    ("Resize", {"size": [60]}),
    ("Resize", {"size": 90, "max_size": 100}),
    ("Resize", {"size": None, "max_size": 70}),
    ("Pad", {"padding": [3, 5]}),
    ("Pad", {"padding": [1, 2, 3, 4]}),
    ("CenterCrop", {"size": 50}),
    ("RandomCrop", {"size": 96, "padding": 4}),
    ("RandomRotation", {"degrees": 20, "expand": True}),
]


def sizes(name: str, arguments: dict[str, Any]) -> set[tuple[int, ...]]:
    """The shapes that a transform really makes; empty where it makes no picture."""
    import torch
    from lerobot.transforms import transforms as own
    from torchvision.transforms import v2

    made = set()
    try:
        transform = (getattr(own, name, None) or getattr(v2, name))(**arguments)
        for picture in (torch.rand(3, 96, 128), (torch.rand(3, 96, 128) * 255).to(torch.uint8)):
            made |= {tuple(transform(picture).shape) for _ in range(15)}
    except Exception:
        return set()
    return made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_sizes_are_those_of_torchvision() -> None:
    wrong = {}
    for name in transform_names():
        signature = transform_signature(name)
        needed = signature.required if signature else []
        if name in ("Grayscale", "JPEG", "Normalize", "ConvertBoundingBoxFormat", "SetClampingMode"):
            continue  # the size stays; what else they do is judged by name
        arguments = {key: ARGUMENTS[key] for key in needed if key in ARGUMENTS}
        if (made := sizes(name, arguments)) != (said := said_sizes(name, arguments)) and not (said is None and made):
            wrong[name] = (made, said)
    for name, arguments in MORE:
        if (made := sizes(name, arguments)) != (said := said_sizes(name, arguments)) and not (said is None and made):
            wrong[name, str(arguments)] = (made, said)
    assert not wrong


def said_sizes(name: str, arguments: dict[str, Any]) -> set[tuple[int, ...]] | None:
    """What the verdict expects; None for sizes that differ."""
    if name in NOT_A_PICTURE:
        return set()
    size = size_after(name, arguments, (96, 128))
    return None if size is None else {(3, *size)}


@pytest.mark.parametrize(
    ("transforms", "after"),
    [
        ("enable: false, tfs: {a: {type: Resize, kwargs: {size: [64, 64]}}}", (96, 128)),
        ("tfs: {a: {type: Resize, kwargs: {size: [64, 64]}}}", (64, 64)),
        ("tfs: {a: {type: Resize, weight: 0.0, kwargs: {size: [64, 64]}}}", (96, 128)),
        ("tfs: {a: {type: Resize, kwargs: {size: [96, 128]}}, b: {type: ColorJitter}}", (96, 128)),
        ("tfs: {a: {type: Pad, kwargs: {padding: 4}}, b: {type: RandomCrop, kwargs: {size: [96, 128]}}}", (96, 128)),
        ("max_num_transforms: 1, tfs: {a: {type: Resize, kwargs: {size: 64}}, b: {type: ColorJitter}}", None),
        ("random_order: true, tfs: {a: {type: Pad, kwargs: {padding: 4}}, b: {type: CenterCrop, kwargs: {size: 96}}}",
         None),
        ("tfs: {a: {type: RandomZoomOut}}", None),
    ],
)  # fmt: skip
def test_size_after_all(transforms: str, after: tuple[int, int] | None) -> None:
    recipe = read("recipe.yaml", text=f"data: {{init_args: {{image_transforms: {{{transforms}}}}}}}\n")
    assert size_after_all(recipe, (96, 128))[0] == after
