"""GA323: what reaches an encoder after resizing and cropping, held against what it was trained on."""

import json
from pathlib import Path

import pytest
from verdict_helpers import Judge

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.MultiTaskDiT
  init_args:
    horizon: 16
    n_action_steps: 8
    {said}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: lerobot/pusht}}
trainer: {{max_steps: 1000}}
"""
LARGE = "openai/clip-vit-large-patch14-336"
CASES = [
    ({"image_crop_shape": [224, 224]}, "gets 96x96"),  # it doesn't fit, so LeRobot leaves it out
    ({"image_crop_shape": [64, 64]}, "gets 64x64"),
    ({"image_resize_shape": [256, 256], "image_crop_shape": [224, 224]}, ""),
    ({"image_resize_shape": [256, 256], "image_crop_shape": None}, "gets 256x256"),
    ({"image_resize_shape": [336, 336], "image_crop_shape": None, "vision_encoder_name": LARGE}, ""),
    ({"image_resize_shape": [224, 224], "vision_encoder_name": LARGE}, "gets 224x224"),
    ({"image_resize_shape": [99, 99], "vision_encoder_name": "someone/clip"}, ""),  # nobody knows what it takes
]


def recipe(**said: object) -> str:
    return RECIPE.format(said="\n    ".join(f"{name}: {json.dumps(value)}" for name, value in said.items()))


@pytest.mark.parametrize(("said", "message"), CASES)
def test_what_reaches_clip(said: dict[str, object], message: str, judge: Judge) -> None:
    found = judge(recipe(**said))
    assert message in found["GA323"].message if message else "GA323" not in found


def test_an_encoder_in_a_folder_says_itself_what_it_takes(tmp_path: Path, judge: Judge) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"vision_config": {"image_size": 96}}))
    assert "GA323" not in judge(recipe(vision_encoder_name=str(folder), image_crop_shape=None))
    found = judge(recipe(vision_encoder_name=str(folder), image_crop_shape=[48, 48]))
    assert "takes pictures of 96x96" in found["GA323"].message
