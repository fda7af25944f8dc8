"""GA3xx: each page's Example fires its rule and nothing else, its Instead fires nothing; and cases next to the line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import odd_datasets
import pytest
import yaml
from verdict_helpers import HEALTHY, Judge, block

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import read

RULES = {code: rule for code, rule in load_rules().items() if code.startswith("GA3")}
ACT = {"chunk_size": 8, "n_action_steps": 8}
DIFFUSION = {"horizon": 16, "n_action_steps": 8}
VQBET = {"crop_shape": None, "n_vqvae_training_steps": 100}
FRONT, NUMBERS = {"type": "VISUAL", "shape": [3, 96, 96]}, {"type": "STATE", "shape": [2]}
TOP, WRIST, STATE = "observation.images.top", "observation.images.wrist", "observation.state"


def recipe(policy: str, init: dict[str, Any], repo: str = "lerobot/pusht", **data: Any) -> str:
    return yaml.safe_dump(
        {
            "model": {"class_path": f"getiaction.policies.lerobot.{policy}", "init_args": init},
            "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": {"repo_id": repo, **data}},
            "trainer": {"max_steps": 1000},
        },
        sort_keys=False,
    )


def mixture(entries: list[dict[str, Any]], **data: Any) -> str:
    said = yaml.safe_load(recipe("ACT", ACT, **data))
    del said["data"]["init_args"]["repo_id"]
    said["data"]["init_args"]["datasets"] = entries
    return yaml.safe_dump(said, sort_keys=False)


def times(first: int, last: int, fps: int = 10) -> list[float]:
    return [round(i / fps, 6) for i in range(first, last)]


@pytest.mark.parametrize("code", RULES)
def test_example_fires_this_rule_alone(code: str, judge: Judge) -> None:
    assert set(judge(block(RULES[code], "Example"))) == {code}


@pytest.mark.parametrize("code", RULES)
def test_instead_fires_nothing(code: str, judge: Judge) -> None:
    assert judge(block(RULES[code], "Instead")) == {}


DELTAS = "data.init_args.delta_timestamps"

# (recipe, code, path of the diagnostic, words of its message or label)
FOUND = [
    # The time steps of the seed's own recipes.
    (recipe("ACT", {"chunk_size": 10, "n_action_steps": 10}, "lerobot/aloha_sim_transfer_cube_human",
            delta_timestamps={"action": times(0, 10)}), "GA301", f"{DELTAS}.action", "every 5th frame"),
    (recipe("Diffusion", {"horizon": 16, "n_action_steps": 8}, delta_timestamps={"action": times(0, 16)}),
     "GA301", f"{DELTAS}.action", "1 frame too late"),
    (recipe("VQBeT", {**VQBET, "action_chunk_size": 10}, delta_timestamps={"action": times(0, 10)}),
     "GA301", f"{DELTAS}.action", "10 frames, not 16"),
    (recipe("ACT", ACT, delta_timestamps={"action": times(0, 8)[::-1]}), "GA301", f"{DELTAS}.action", "backwards"),
    (recipe("ACT", ACT, delta_timestamps={"action": []}), "GA301", f"{DELTAS}.action", "no frames"),
    (recipe("TDMPC", {"horizon": 3}, delta_timestamps={"next.reward": times(0, 2)}),
     "GA301", f"{DELTAS}.next.reward", "2 frames, not 3"),
    (recipe("ACT", ACT, delta_timestamps={STATE: [-0.1]}), "GA302", f"{DELTAS}.{STATE}", "adds a time dimension"),
    (recipe("ACT", ACT, stride=2, delta_timestamps={"action": times(0, 8)}), "GA301", f"{DELTAS}.action", "stride 2"),
    (recipe("Diffusion", {**DIFFUSION, "drop_n_last_frames": 14}, stride=2),
     "GA325", "model.init_args.drop_n_last_frames", "the last 28 frames"),
    (recipe("Diffusion", DIFFUSION, delta_timestamps={STATE: [-0.2, -0.1, 0.0]}),
     "GA302", f"{DELTAS}.{STATE}", "3 frames, not 2"),
    (recipe("ACT", ACT, delta_timestamps={"action": [i * 0.103 for i in range(8)]}),
     "GA303", f"{DELTAS}.action.4", "between two frames"),
    (recipe("ACT", ACT, delta_timestamps={"task_index": [0.0]}), "GA304", f"{DELTAS}.task_index", "which sample"),
    (recipe("ACT", ACT, delta_timestamps={"timestamp": [0.0]}), "GA304", f"{DELTAS}.timestamp", "has no effect"),
    (recipe("ACT", ACT, delta_timestamps={"timestamp": [0.0, 0.1]}),
     "GA304", f"{DELTAS}.timestamp", "which pictures belong to a sample"),
    (recipe("ACT", ACT, delta_timestamps={"timestamp": [0.1]}),
     "GA304", f"{DELTAS}.timestamp", "which pictures belong to a sample"),
    (recipe("ACT", ACT, delta_timestamps={"next.done": []}), "GA304", f"{DELTAS}.next.done", "empty list"),
    # Features.
    (recipe("ACT", {**ACT, "input_features": ["action"]}), "GA306", "model.init_args.input_features.0", "a feature"),
    (recipe("ACT", {**ACT, "input_features": {"observation.top": FRONT, STATE: NUMBERS}}),
     "GA306", "model.init_args.input_features.observation.top", "has no"),
    (recipe("ACT", {**ACT, "input_features": {"observation.image": FRONT, STATE: {**NUMBERS, "shape": [14]}}}),
     "GA306", f"model.init_args.input_features.{STATE}.shape", "[2] in the dataset, and [14] here"),
    (recipe("ACT", {**ACT, "input_features": {STATE: NUMBERS}}), "GA307", "model.init_args.input_features", "camera"),
    (recipe("ACT", {**ACT, "input_features": []}), "GA306", "model.init_args.input_features", "empty list"),
    (recipe("ACT", {**ACT, "output_features": [STATE]}), "GA306", "model.init_args.output_features.0", "predict"),
    (recipe("ACT", ACT, "made/no-camera"), "GA307", "data.init_args.repo_id", "has none"),
    # It makes up a camera of its own.
    (recipe("FastWAM", {"action_dim": 2, "proprio_dim": 2}, "made/no-camera"),
     "GA307", "data.init_args.repo_id", "has none"),
    (recipe("ACT", ACT, "made/no-state"), "GA308", "data.init_args.repo_id", "no such feature"),
    (recipe("SmolVLA", {"pretrained_path": "lerobot/smolvla_base"}, "made/unnamed-camera"),
     "GA370", "data.init_args.repo_id", "no policy sees"),
    (recipe("ACT", {**ACT, "input_features": ["front", TOP]}, "made/unnamed-camera"),
     "GA370", "model.init_args.input_features", "`front`"),
    (recipe("Evo1", {"max_views": 1}, "made/two-cameras"), "GA310", "model.init_args.max_views", "max_views"),
    (recipe("ACT", ACT, "made/episodes", stride=45), "GA326", "model.init_args.chunk_size", "at every 45th frame"),
    (recipe("TDMPC", {"horizon": 3}, "made/two-cameras"), "GA310", "data.init_args.repo_id", "takes one camera"),
    (recipe("Diffusion", {**DIFFUSION, "input_features": [TOP, WRIST, STATE]}, "made/two-sizes"),
     "GA311", "model.init_args.input_features", "64x48"),
    (recipe("Diffusion", DIFFUSION, "made/depth"), "GA313", "data.init_args.repo_id", "1 channel"),
    (recipe("MolmoAct2", {"rename_map": {"observation.images.depth": "observation.images.far"}}, "made/depth"),
     "GA313", "data.init_args.repo_id", "(a depth camera) has 1 channel"),
    # These look into the batch by themselves.
    (recipe("FastWAM", {}, "made/depth"), "GA313", "data.init_args.repo_id", "1 channel"),
    (recipe("LingBotVA", {"obs_cam_keys": [TOP, "observation.images.depth"]}, "made/depth"),
     "GA313", "model.init_args.obs_cam_keys", "1 channel"),
    (recipe("LingBotVA", {"input_features": [TOP, STATE], "obs_cam_keys": [TOP, "observation.images.depth"]},
            "made/depth"), "GA305", "model.init_args.obs_cam_keys", "observation.images.depth"),
    (recipe("VQBeT", {"n_vqvae_training_steps": 100}, "made/square"),
     "GA314", "model.init_args.crop_shape", "its default"),
    (recipe("VQBeT", {"n_vqvae_training_steps": 100}, "lerobot/aloha_sim_insertion_human"),
     "GA315", "model.init_args.crop_shape", "2.3%"),
    (recipe("VQBeT", VQBET, "made/small"), "GA316", "data.init_args.repo_id", "32x32"),
    (recipe("VLAJEPA", {"jepa_tubelet_size": 1}, "made/two-cameras"), "GA310", "data.init_args.repo_id", "learns from"),
    (recipe("SmolVLA", {"pretrained_path": "lerobot/smolvla_base"}, "made/wide-robot"),
     "GA320", "data.init_args.repo_id", "40 numbers"),
    (recipe("XVLA", {"pretrained_path": "lerobot/xvla-base", "action_mode": "joint"}),
     "GA321", "model.init_args.action_mode", "14 numbers"),
    # Statistics, episodes, samples.
    (recipe("PI05", {"pretrained_path": "lerobot/pi05_base"}, "made/no-quantiles"),
     "GA322", "data.init_args.repo_id", "q01 and q99"),
    (recipe("ACT", ACT, episodes=[3]), "GA324", "data.init_args.episodes.0", "0 to 2"),
    (recipe("ACT", ACT, exclude_episodes=[1, 3]), "GA324", "data.init_args.exclude_episodes.1", "0 to 2"),
    (recipe("ACT", ACT, exclude_episodes=[1, 1]), "GA141", "data.init_args.exclude_episodes.1", "twice"),
    (recipe("ACT", ACT, exclude_episodes=[0, 1, 2]), "GA358", "data.init_args.exclude_episodes", "every episode"),
    (recipe("ACT", ACT, episodes=[0, 2], exclude_episodes=[1, 2]),
     "GA358", "data.init_args.exclude_episodes.0", "does not list"),
    (mixture([{"repo_id": "lerobot/pusht"}, {"repo_id": "lerobot/aloha_sim_insertion_human"}]),
     "GA359", "data.init_args.datasets.1.repo_id", "lerobot/aloha_sim_insertion_human"),
    (mixture([{"repo_id": "lerobot/pusht"}, {"repo_id": "lerobot/pusht", "episodes": [2]}]),
     "GA359", "data.init_args.datasets.1.episodes", "episode 2 of lerobot/pusht is in datasets.0 as well"),
    (mixture([{"repo_id": "lerobot/pusht", "weight": 1}, {"repo_id": "made/toy"}]),
     "GA359", "data.init_args.datasets.1", "weigh all of them or none"),
    (mixture([{"repo_id": "lerobot/pusht", "rename_map": {"observation.camera": "observation.image"}}]),
     "GA359", "data.init_args.datasets.0.rename_map.observation.camera", "no `observation.camera` to rename"),
    (mixture([{"repo_id": "lerobot/pusht", "rename_map": {"observation.image": 3}}]),
     "GA120", "data.init_args.datasets.0.rename_map", "`rename_map` takes"),
    (mixture([{"repo_id": "lerobot/pusht", "episodes": [0]}, {"repo_id": "lerobot/pusht", "episodes": [1, 5]}]),
     "GA324", "data.init_args.datasets.1.episodes.1", "0 to 2"),
    (mixture([{"repo_id": "lerobot/pusht"}, {"repo_id": "nobody/nothing"}]),
     "GA359", "data.init_args.datasets.1.repo_id", "nobody/nothing"),
    (mixture([{"repo_id": "lerobot/pusht", "episode": [0]}]), "GA110", "data.init_args.datasets.0.episode", "episode"),
    (mixture([{"repo_id": "lerobot/pusht", "episodes": [0]}, {"repo_id": "lerobot/pusht", "episodes": [2]}],
             val_split=0.5), "GA328", "data.init_args.val_split", "one of 2 episodes"),
    (mixture([{"repo_id": "lerobot/pusht", "stride": 0}]), "GA359", "data.init_args.datasets.0.stride", "not 0"),
    (mixture([{"repo_id": "lerobot/pusht", "episodes": [0], "stride": 2},
              {"repo_id": "lerobot/pusht", "episodes": [2], "stride": 5}]),
     "GA360", "data.init_args.datasets.1.stride", "has 2 steps a second, lerobot/pusht has 5"),
    (recipe("Diffusion", {**DIFFUSION, "drop_n_last_frames": 28}),
     "GA325", "model.init_args.drop_n_last_frames", "1 of 3 episodes"),
    (recipe("ACT", ACT, "made/two-tasks", val_split=0.05, episodes=[0, 1, 2, 3]),
     "GA328", "data.init_args.val_split", "2 of 4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "path", "words"), FOUND, ids=lambda value: value if str(value)[:2] == "GA" else ""
)
def test_is_found_at_its_place(text: str, code: str, path: str, words: str, judge: Judge) -> None:
    found = judge(text)
    assert code in found, sorted(found)
    said = found[code]
    assert said.path == path
    assert words in said.message + said.label
    assert said.span is not None and 1 <= said.span.line <= text.count("\n")


@pytest.mark.parametrize(
    ("setting", "data", "found"),
    [
        ({"limit_val_batches": 0.01}, {"val_split": 0.4}, True),
        ({"limit_val_batches": 0.5}, {"val_split": 0.4}, False),
        ({"limit_val_batches": 0}, {"val_split": 0.4}, False),  # no validation
        ({"limit_val_batches": 0.01}, {}, False),
        ({"overfit_batches": 0.01}, {}, True),
        ({"overfit_batches": 1}, {"val_split": 0.4}, False),
    ],
)
def test_a_fraction_of_too_few_batches(
    setting: dict[str, Any], data: dict[str, Any], found: bool, judge: Judge
) -> None:
    said = yaml.safe_load(recipe("ACT", ACT, **data))
    said["trainer"] |= setting
    assert ("GA333" in judge(yaml.safe_dump(said))) == found


SMALL = {"input_features": {"observation.image": {**FRONT, "shape": [3, 64, 64]}, STATE: NUMBERS}}


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        (recipe("ACT", {**ACT, **SMALL}), False),
        (recipe("Diffusion", {**DIFFUSION, **SMALL}), True),
        (recipe("Diffusion", {**DIFFUSION, **SMALL, "crop_shape": [48, 48]}), False),
        (recipe("ACT", {**ACT, "output_features": {"action": {"type": "ACTION", "shape": [7]}}}), False),
        (recipe("ACT", {**ACT, "input_features": {"observation.image": FRONT, STATE: NUMBERS},
                        "output_features": {"action": {"type": "ACTION", "shape": [7]}}}), True),
    ],
)  # fmt: skip
def test_a_shape_that_stops_training_is_an_error(text: str, stops: bool, judge: Judge) -> None:
    assert judge(text)["GA306"].severity == (Severity.ERROR if stops else Severity.WARNING)


# Next to the line, on the right side of it: (recipe, code that must not be there).
NOT_FOUND = [
    (recipe("ACT", ACT, delta_timestamps={"action": times(0, 8)}), "GA301"),
    (recipe("ACT", {**ACT, "chunk_size": 3, "n_action_steps": 3}, "lerobot/aloha_sim_insertion_human",
            delta_timestamps={"action": [0.0, 0.02, 0.04]}), "GA303"),
    (recipe("Diffusion", DIFFUSION, delta_timestamps={"action": times(-1, 15)}), "GA301"),
    (recipe("ACT", ACT, stride=2, delta_timestamps={"action": times(0, 16)[::2]}), "GA301"),
    # LeRobot drops the time dimension of the current frame alone.
    (recipe("ACT", ACT, delta_timestamps={STATE: [0.0], "observation.image": [0.0]}), "GA302"),
    (recipe("Diffusion", DIFFUSION, delta_timestamps={STATE: [-0.1, 0.0], "observation.image": [-0.1, 0.0]}), "GA302"),
    # Seconds that are rounded to what one writes: 0.033 is one frame at 30 fps; so is 0.104 at 10.
    (recipe("ACT", ACT, delta_timestamps={"action": [round(i * 0.1005, 3) for i in range(8)]}), "GA303"),
    (recipe("ACT", {**ACT, "input_features": ["observation.image"]}), "GA308"),
    (recipe("ACT", {**ACT, "input_features": {"observation.image": FRONT, STATE: NUMBERS}}), "GA306"),
    (recipe("ACT", ACT, "made/environment"), "GA307"),
    (recipe("TDMPC", {"horizon": 3}, "made/environment"), "GA307"),
    (recipe("ACT", ACT, "made/two-sizes"), "GA311"),
    (recipe("TDMPC", {"horizon": 3, "input_features": ["observation.images.top", STATE]}, "made/square"), "GA312"),
    (recipe("LingBotVA", {"obs_cam_keys": [TOP]}, "made/depth"), "GA313"),
    (recipe("FastWAM", {"input_features": [TOP, STATE]}, "made/depth"), "GA313"),
    (recipe("VQBeT", {**VQBET, "crop_shape": [48, 48]}, "made/square"), "GA314"),
    (recipe("VQBeT", {**VQBET, "crop_shape": [84, 84]}), "GA315"),
    (recipe("Diffusion", {**DIFFUSION, "crop_shape": [33, 32]}, "made/toy"), "GA316"),
    (recipe("Diffusion", {**DIFFUSION, "crop_shape": [32, 32], "use_group_norm": True,
                          "pretrained_backbone_weights": None}, "made/toy"), "GA316"),
    (recipe("ACT", ACT, "made/no-reward"), "GA317"),
    (recipe("TDMPC", {"horizon": 3}), "GA318"),
    (recipe("VQBeT", VQBET, "made/toy"), "GA319"),
    (recipe("PI05", {"pretrained_path": "lerobot/pi05_base", "max_action_dim": 40}, "made/wide-robot"), "GA320"),
    (recipe("Evo1", {"max_state_dim": 40, "max_action_dim": 40}, "made/wide-robot"), "GA320"),
    (recipe("XVLA", {"pretrained_path": "lerobot/xvla-base", "action_mode": "auto"}), "GA321"),
    (recipe("ACT", ACT, "made/no-quantiles"), "GA322"),
    (recipe("ACT", ACT, episodes=[2]), "GA324"),
    (recipe("ACT", ACT, exclude_episodes=[2]), "GA358"),
    (recipe("ACT", ACT, episodes=[1, 2], exclude_episodes=[2]), "GA358"),
    (recipe("Diffusion", {**DIFFUSION, "drop_n_last_frames": 27}), "GA325"),
    (recipe("ACT", {"chunk_size": 30, "n_action_steps": 30}), "GA326"),
    (recipe("ACT", ACT, train_batch_size=88), "GA327"),
    (recipe("ACT", ACT, val_split=0.9, episodes=[0, 1]), "GA328"),
    (recipe("ACT", ACT, tolerance_s=0.049), "GA331"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), NOT_FOUND, ids=lambda value: value if str(value)[:2] == "GA" else "")
def test_is_not_found(text: str, code: str, judge: Judge) -> None:
    found = judge(text)
    assert code not in found, found[code].message


def test_one_cause_is_reported_once(judge: Judge) -> None:
    """The seed's list of ten actions beside a chunk of a hundred: one error, not one for each of its effects."""
    text = recipe("ACT", {}, "lerobot/aloha_sim_transfer_cube_human", delta_timestamps={"action": times(0, 10, 50)})
    errors = [code for code, said in judge(text).items() if said.severity is Severity.ERROR]
    assert errors == ["GA301"]


def test_the_second_frame_shows_the_other_half(judge: Judge) -> None:
    said = judge(recipe("ACT", ACT, delta_timestamps={"action": times(0, 3)}))["GA301"]
    assert [(frame.path, frame.lines[0].strip().rstrip(",")) for frame in said.related] == [
        ("model.init_args.chunk_size", "chunk_size: 8"),
        ("fps", '"fps": 10'),
    ]
    assert said.fix is not None and said.fix.safe


@pytest.mark.parametrize(
    ("trainer", "first"),
    [
        ({"max_steps": 3}, 4),
        ({"max_steps": 3, "check_val_every_n_epoch": 2}, 8),
        ({"max_steps": 3, "accumulate_grad_batches": 2, "check_val_every_n_epoch": 2}, 4),
        ({"max_steps": 300, "val_check_interval": 500, "check_val_every_n_epoch": None}, 500),
        ({"max_steps": 4}, None),
        ({"max_steps": 3, "val_check_interval": 2}, None),
        ({"max_steps": 3, "limit_val_batches": 0}, None),
    ],
)
def test_a_run_without_time_for_a_validation_is_told_of_the_one_at_its_end(
    trainer: dict[str, Any], first: int | None, judge: Judge
) -> None:
    text = recipe("ACT", ACT, val_split=0.5, train_batch_size=8)
    found = judge(yaml.safe_dump({**yaml.safe_load(text), "trainer": trainer})).get("GA332")
    if first is None:
        assert found is None
    else:
        assert found is not None and found.severity is Severity.INFO
        assert f"before its first validation after {first}:" in found.message


def test_a_pretrained_policy_that_pads_is_told_what_differs(judge: Judge, tmp_path: Path) -> None:
    """SmolVLA trains with fewer cameras and another state: said, and no error."""
    visual = {"type": "VISUAL", "shape": [3, 256, 256]}
    inputs = {"observation.image": visual, "observation.image2": visual, STATE: {"type": "STATE", "shape": [6]}}
    outputs = {"action": {"type": "ACTION", "shape": [2]}}
    config = {"type": "smolvla", "input_features": inputs, "output_features": outputs}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    found = judge(recipe("SmolVLA", {"pretrained_path": str(tmp_path)}))
    assert found["GA342"].message.endswith("`observation.image2` will be blank")
    assert "was trained with 6 numbers of `observation.state`, and lerobot/pusht has 2; " in found["GA343"].message
    assert (found["GA342"].severity, found["GA343"].severity) == (Severity.INFO, Severity.INFO)


@pytest.mark.parametrize(
    ("trainer", "code"),
    [
        ({"check_val_every_n_epoch": None, "val_check_interval": 0.5}, "GA332"),
        ({"check_val_every_n_epoch": None, "val_check_interval": 1.0}, "GA332"),
        ({"check_val_every_n_epoch": None}, ""),
        ({"accumulate_grad_batches": 12}, "GA371"),
        ({"accumulate_grad_batches": 11}, ""),
    ],
)
def test_batches_are_counted(trainer: dict[str, Any], code: str, judge: Judge) -> None:
    """An epoch of `lerobot/pusht` in small has 11 batches of 8."""
    said = yaml.safe_load(recipe("ACT", ACT, train_batch_size=8))
    assert set(judge(yaml.safe_dump({**said, "trainer": {"max_steps": 1000, **trainer}}))) == (
        {code} if code else set()
    )


@pytest.mark.parametrize(
    ("pattern", "fixed"),
    [
        ("{epoch}-{val_loss:.2f}", "{epoch}-{train/loss:.2f}"),
        ("{step}-{train/loss:.2f}", ""),
        ("{step}-{train/grad_norm:.2f}", ""),
    ],
)
def test_a_checkpoint_is_named_by_metrics_that_exist(pattern: str, fixed: str, judge: Judge) -> None:
    callback = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": {"filename": pattern}}
    said = yaml.safe_load(recipe("ACT", ACT))
    found = judge(yaml.safe_dump({**said, "trainer": {"max_steps": 1000, "callbacks": [callback]}}))
    assert set(found) == ({"GA336"} if fixed else set())
    assert not fixed or (found["GA336"].fix is not None and found["GA336"].fix.edits[0].text.strip("'\"") == fixed)


@pytest.mark.parametrize(
    ("lacking", "code", "words"),
    [
        ("", "", ""),
        ("policy_preprocessor.json", "GA251", "has no `policy_preprocessor.json`"),
        ("numbers.safetensors", "GA251", "has no `numbers.safetensors`"),
        ("model.safetensors", "GA340", "has no model.safetensors"),
        ("the end of model.safetensors", "GA340", "is truncated"),
    ],
)
def test_each_file_of_a_checkpoint_is_looked_for(
    lacking: str, code: str, words: str, judge: Judge, checkpoint: Path, tmp_path: Path
) -> None:
    step = {"registry_name": "normalizer_processor", "config": {}, "state_file": "numbers.safetensors"}
    weights = json.dumps({"some": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    whole = len(weights).to_bytes(8, "little") + weights + bytes(8)
    files = {
        "config.json": (checkpoint / "config.json").read_bytes(),
        "policy_preprocessor.json": json.dumps({"name": "before", "steps": [step]}).encode(),
        "policy_postprocessor.json": b'{"name": "after", "steps": []}',
        "numbers.safetensors": whole,
        "model.safetensors": whole[:-4] if lacking.startswith("the end") else whole,
    }
    for name in files.keys() - {lacking}:
        (tmp_path / name).write_bytes(files[name])
    found = judge(recipe("ACT", {"pretrained_path": str(tmp_path)}))
    errors = {told.code: told for told in found.values() if told.severity is Severity.ERROR}
    assert set(errors) == ({code} if code else set())
    assert not code or words in errors[code].message


def test_a_dataset_that_is_named_often_is_told_once_for_each_entry(judge: Judge) -> None:
    text = mixture([{"repo_id": "lerobot/pusht"}] * 40)
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=HEALTHY), select=("GA359",))
    assert [d.message for d in report.diagnostics] == ["episode 0 of lerobot/pusht is in datasets.0 as well"] * 39


def test_a_checkpoint_that_is_partly_downloaded(judge: Judge, checkpoint: Path) -> None:
    """Offline, what is not in the cache is an error; otherwise training downloads it."""
    folder = odd_datasets.checkpoint(checkpoint.parents[2], "me/act-partly")
    (folder / "model.safetensors").unlink()
    text = recipe("ACT", {"pretrained_path": "me/act-partly"})
    found = judge(text, replace(HEALTHY, env={"HF_HUB_OFFLINE": "1"}, hub=("me/act-partly",)))
    assert found["GA251"].message.startswith("`model.safetensors` of `me/act-partly` is not cached")
    assert "GA251" not in judge(text)


def test_a_checkpoint_that_is_not_downloaded_is_not_judged(lerobot_home: Path) -> None:
    text = recipe("ACT", {**ACT, "pretrained_path": "nobody/act-nowhere"})
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=HEALTHY))
    reasons = {entry.rule: entry.reason for entry in report.not_run}
    assert {"GA250", "GA340", "GA341", "GA342", "GA343"} <= reasons.keys()
    assert set(reasons.values()) == {
        "nobody/act-nowhere is not downloaded; training checks it before it loads the weights"
    }
