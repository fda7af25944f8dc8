"""One cause is told once, whatever follows from it."""

from pathlib import Path

import pytest

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.recipe import read

RIGHT = """\
model:
  class_path: getiaction.policies.lerobot.{policy}
  init_args:
    pretrained_backbone_weights: null
    {parameter}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: {dataset}
    {option}
trainer:
  max_steps: 1000
  {setting}
"""


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parameter": "chunk_size: 0"}, "GA215"),
        ({"parameter": "use_amp: maybe"}, "GA120"),
        ({"parameter": "dropout: .inf"}, "GA122"),
        ({"parameter": "rename_map: [1]"}, "GA120"),
        ({"parameter": "input_features: [1]"}, "GA120"),
        ({"parameter": "output_features: 3"}, "GA120"),
        ({"parameter": "n_obs_steps: 0"}, "GA215"),
        ({"option": "val_split: 1.5"}, "GA122"),
        ({"option": "tolerance_s: true"}, "GA120"),
        ({"option": "delta_timestamps: {a: 1}"}, "GA120"),
        ({"setting": "accelerator: GPU"}, "GA121"),
        ({"setting": "accelerator: xpu"}, "GA121"),
        ({"setting": "callbacks: [{monitor: loss}]"}, "GA114"),
        ({"setting": "logger: {class_path: lightning.pytorch.callbacks.EarlyStopping}"}, "GA131"),
        ({"policy": "Diffusion", "parameter": "crop_shape: [-1, -1]"}, "GA215"),
        ({"policy": "Diffusion", "parameter": "optimizer_betas: [.nan, 0.9]"}, "GA122"),
    ],
    ids=lambda item: next(reversed(item.values())) if isinstance(item, dict) else item,
)
def test_a_wrong_value_is_told_once(change: dict[str, str], code: str, shared: SharedInputs) -> None:
    words = {"policy": "ACT", "dataset": "lerobot/pusht", "parameter": "", "option": "", "setting": ""} | change
    report = verdict(read("recipe.yaml", text=RIGHT.format(**words)), shared, ignore=("GA326",))
    assert [d.code for d in report.diagnostics if d.severity != "info"] == [code]


def test_a_list_is_called_by_its_name(shared: SharedInputs) -> None:
    text = RIGHT.format(
        policy="Diffusion", dataset="lerobot/pusht", parameter="optimizer_betas: [.nan, 0.9]", option="", setting=""
    )
    (told,) = verdict(read("recipe.yaml", text=text), shared, select=("GA1", "GA2")).diagnostics
    assert told.message.startswith("`optimizer_betas` is .nan")
