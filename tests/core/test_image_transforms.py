"""`image_transforms` as a class of torchvision: what is built, what is refused, and what pictures are trained on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tiny_policies import ACT
from torchvision.transforms import v2

from getiaction.data.lerobot import LeRobotDataModule
from getiaction.errors import DataError
from getiaction.lerobot.image_transforms import image_transforms
from getiaction_cli.analysis.transform_arguments import complaint

HOME = "torchvision.transforms.v2"
JITTER = {"class_path": f"{HOME}.ColorJitter", "init_args": {"contrast": [0.5, 1.5]}}
NESTED = {
    "class_path": f"{HOME}.Compose",
    "init_args": {
        "transforms": [
            JITTER,
            {
                "class_path": f"{HOME}.RandomApply",
                "init_args": {
                    "p": 0.5,
                    "transforms": [
                        {
                            "class_path": f"{HOME}.RandomAffine",
                            "init_args": {"degrees": 5, "translate": [0.05, 0.05], "interpolation": "bilinear"},
                        }
                    ],
                },
            },
            {"class_path": f"{HOME}.ToDtype", "init_args": {"dtype": "float32", "scale": True}},
        ]
    },
}


def in_python() -> v2.Transform:
    affine = v2.RandomAffine(5, translate=(0.05, 0.05), interpolation=v2.InterpolationMode.BILINEAR)
    jitter = v2.ColorJitter(contrast=(0.5, 1.5))
    return v2.Compose([jitter, v2.RandomApply([affine], p=0.5), v2.ToDtype(torch.float32, scale=True)])


def batches(root: Path, transforms: Any, num_workers: int = 0) -> list[torch.Tensor]:
    data = LeRobotDataModule(
        root=root, train_batch_size=4, num_workers=num_workers, image_transforms=transforms, seed=3
    )
    data.setup()
    torch.manual_seed(7)
    loader = data.train_dataloader()
    return [batch["observation.image"] for _, batch in zip(range(2), loader, strict=False)]


def test_a_recipe_builds_what_python_builds(small_root: Path) -> None:
    for said, built in zip(batches(small_root, NESTED), batches(small_root, in_python()), strict=True):
        torch.testing.assert_close(said, built, rtol=0, atol=0)
        assert said.dtype == torch.float32 and said.min() >= 0 and said.max() <= 1


def test_validation_pictures_stay_as_they_are(small_root: Path) -> None:
    data = LeRobotDataModule(root=small_root, train_batch_size=4, num_workers=0, image_transforms=JITTER, val_split=0.3)
    data.setup()
    assert isinstance(data.train_dataset.image_transforms, v2.ColorJitter)
    assert data.val_dataset.image_transforms is None


@pytest.mark.slow
def test_workers_apply_it_too(small_root: Path) -> None:
    plain = batches(small_root, {"class_path": f"{HOME}.RandomInvert", "init_args": {"p": 1.0}})
    apart = batches(small_root, {"class_path": f"{HOME}.RandomInvert", "init_args": {"p": 1.0}}, num_workers=2)
    for one, other in zip(plain, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"class_path": "os.system", "init_args": {"command": "true"}}, "not a class that belongs here"),
        ({"class_path": f"{HOME}.functional.os.system"}, "not a class that belongs here"),
        ({"class_path": f"{HOME}.Any"}, "not a class that belongs here"),
        ({"class_path": f"{HOME}.Transform"}, "base class"),
        ({"class_path": "torch.nn.Sequential"}, "not a class that belongs here"),
        ({"class_path": f"{HOME}.ColorJitter", "init_args": {"contrst": 1}}, "no such argument"),
        ({"class_path": f"{HOME}.ColorJitter", "init_args": {"contrast": -1}}, "ColorJitter"),
        ({"class_path": f"{HOME}.ColorJitter", "init_args": [1]}, "not a mapping"),
        ({"class_path": f"{HOME}.Compose", "init_args": {"transforms": ["os.system"]}}, r"transforms\.0 must have"),
        ({"class_path": f"{HOME}.Compose", "init_args": {"transforms": [{"class_path": "os.x"}]}}, r"transforms\.0"),
        ({"class_path": f"{HOME}.ToDtype", "init_args": {"dtype": "os"}}, "must be float32 or uint8"),
        ({"class_path": f"{HOME}.Resize", "init_args": {"size": 3, "interpolation": "x"}}, "must be one of nearest"),
        ({"class_path": f"{HOME}.RandomErasing", "init_args": {"value": {"class_path": "os.system"}}}, "RandomErasing"),
    ],
)  # fmt: skip
def test_nothing_else_is_looked_up(section: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        image_transforms(section)


AFFINE = {"degrees": 3, "interpolation": "BILINEAR"}


def test_words_of_lerobots_fields_are_read_too() -> None:
    found = image_transforms({"tfs": {"a": {"type": "RandomAffine", "kwargs": AFFINE}}})
    assert found is not None
    assert found(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape == (3, 8, 8)


@pytest.mark.slow
def test_it_trains_and_resumes(small_root: Path, tmp_path: Path) -> None:
    def call(*words: str) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "getiaction_cli.main", "train", *words, "--quiet"],
            capture_output=True, text=True, timeout=300, cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    policy = {"class_path": "getiaction.policies.lerobot.ACT", "init_args": {**ACT, "n_action_steps": 4}}
    data = {"root": str(small_root), "train_batch_size": 4, "num_workers": 0, "image_transforms": NESTED}
    recipe = {
        "seed": 1,
        "model": policy,
        "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": data},
        "trainer": {"max_steps": 4, "accelerator": "cpu"},
    }
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    call("r.yaml", "--output-dir", "run", "--trainer.max_steps=2")
    call("--resume", "run", "--trainer.max_steps=4")
    recorded = yaml.safe_load((tmp_path / "run/recipe.yaml").read_text())
    assert recorded["data"]["init_args"]["image_transforms"] == NESTED
    assert (tmp_path / "run/pretrained_model/model.safetensors").is_file()


# Transform, its other arguments, and an argument with values that torchvision takes and some that it refuses.
ARGUMENTS: list[tuple[str, dict[str, Any], str, list[Any], list[Any]]] = [
    ("ColorJitter", {}, "brightness", [0, 0.5, [0.5, 1.5]], [-1, [0.5], [1.5, 0.5], [-1, 1], []]),
    ("ColorJitter", {}, "hue", [0, 0.5, [-0.5, 0.5]], [-0.5, 0.6, [-1, 1], [0.5]]),
    ("JPEG", {}, "quality", [1, 100, [50, 90]], [0, 101, [], [90, 50], [1, 2, 3]]),
    ("GaussianBlur", {"kernel_size": 3}, "sigma", [0.5, [0.5, 1.5]], [0, [1.5, 0.5], []]),
    ("ElasticTransform", {}, "alpha", [0, [1, 2]], [[], [1, 2, 3]]),
    ("RandomAffine", {}, "degrees", [0, 5, [-5, 5]], [-1, [5], [5, -5]]),
    ("RandomAffine", {"degrees": 0}, "translate", [[0.1, 0.1]], [[0.1], [0.1, 2], []]),
    ("RandomAffine", {"degrees": 0}, "scale", [[0.5, 1.5]], [[0.5], [1.5, 0.5], [0, 1]]),
    ("RandomAffine", {"degrees": 0}, "shear", [5, [-5, 5], [-5, 5, -5, 5]], [-1, [5, -5], [1, 2, 3]]),
    ("RandomAffine", {"degrees": 0}, "center", [[10, 20]], [[10], [1, 2, 3]]),
    ("RandomPerspective", {"p": 1.0}, "fill", [0, [0], [0, 1, 2]], [[0, 1], [], [0, 1, 2, 3]]),
    ("RandomPerspective", {"p": 1.0}, "distortion_scale", [0, 1], [-0.5, 1.5]),
    ("RandomErasing", {"p": 1.0}, "scale", [[0, 0], [0.1, 0.3]], [[0.3, 0.1], [0.5, 1.5], [0.5]]),
    ("RandomErasing", {"p": 1.0}, "ratio", [[0.5, 2]], [[0, 1], [2, 0.5], [0.5]]),
    ("RandomPosterize", {"p": 1.0}, "bits", [0, 8], [-1, 101]),
    ("RandomAdjustSharpness", {"p": 1.0}, "sharpness_factor", [0, 2], [-1]),
    ("RandAugment", {}, "num_ops", [0, 2], [-1]),
    ("RandAugment", {}, "magnitude", [0, 30], [31, 300]),
    ("RandAugment", {"magnitude": 0}, "num_magnitude_bins", [31], [0, -1]),
    ("Pad", {}, "padding", [1, [1], [1, 2], [1, 2, 3, 4]], [[1, 2, 3]]),
    ("RandomChoice", {"transforms": [JITTER, JITTER]}, "p", [[1, 1], [0, 2]], [[1], [], [1, 2, 3]]),
]


@pytest.mark.parametrize(
    ("name", "others", "argument", "right", "wrong"), ARGUMENTS, ids=[f"{case[0]}-{case[2]}" for case in ARGUMENTS]
)
def test_what_the_verdict_says_of_an_argument_is_what_torchvision_does(
    name: str, others: dict[str, Any], argument: str, right: list[Any], wrong: list[Any]
) -> None:
    picture = (torch.rand(3, 48, 48) * 255).to(torch.uint8)

    def is_refused(arguments: dict[str, Any]) -> bool:
        try:
            transform = image_transforms({"class_path": f"{HOME}.{name}", "init_args": arguments})
            assert transform is not None
            for _ in range(8):
                transform(picture)
        except (DataError, ValueError, RuntimeError, IndexError, TypeError):
            return True
        return False

    for value in (*right, *wrong):
        arguments = {**others, argument: value}
        assert is_refused(arguments) == bool(complaint(name, argument, arguments)) == (value in wrong), value
