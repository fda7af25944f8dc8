"""The section `evaluation`: how it is read, what the rules say of it, and that LeRobot would say the same."""

from pathlib import Path
from typing import Any

import odd_datasets
import pytest
from session_cache import once
from verdict_helpers import block

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Diagnostic
from getiaction_cli.environments import environments
from getiaction_cli.policies import Rejected
from getiaction_cli.recipe import apply_edits, read

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {{chunk_size: 8, n_action_steps: 8, pretrained_backbone_weights: null{model}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: {repo_id}{data}}}
trainer:
  max_steps: 1000
{more}"""


def recipe(more: str = "", *, repo_id: str = "lerobot/pusht", model: str = "", data: str = "") -> str:
    return RECIPE.format(more=more, repo_id=repo_id, model=model, data=data)


def evaluation(env: str, more: str = "") -> str:
    return f"evaluation:\n  env: {{{env}}}\n{more}"


def found(text: str) -> dict[str, Diagnostic]:
    """What is reported, without the weights that this machine has not downloaded."""
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True), ignore=("GA507",))
    return {d.code: d for d in report.diagnostics}


def fixed(text: str, code: str) -> Any:
    """The recipe as plain values after the fix of one diagnostic."""
    fix = found(text)[code].fix
    assert fix is not None
    return read("recipe.yaml", text=apply_edits(text, fix.edits)).plain()


@pytest.fixture(autouse=True)
def _datasets(lerobot_home: Path) -> None:
    """`lerobot/pusht` and the simulated ALOHA sets are in LeRobot's home."""


WRONG = [
    (evaluation("type: pusht, obs_type: environment_state_agent_pos"), "GA346", "evaluation.env.obs_type"),
    (evaluation("type: metaworld"), "GA347", "evaluation.env.type"),
    (evaluation("type: pusht, fps: 30"), "GA349", "evaluation.env.fps"),
    (evaluation("type: libero, fps: 0"), "GA351", "evaluation.env"),
    (evaluation("type: isaaclab_arena"), "GA522", "evaluation.env.type"),
    (evaluation("type: gym_manipulator"), "GA522", "evaluation.env.type"),
    (evaluation("type: pusht, task: PushT-v1"), "GA523", "evaluation.env.task"),
    (evaluation("type: pushed"), "GA121", "evaluation.env.type"),
    (evaluation("type: pusht, obs_type: pixel"), "GA121", "evaluation.env.obs_type"),
    (evaluation("type: pusht, episode_length: long"), "GA120", "evaluation.env.episode_length"),
    (evaluation("type: pusht, hub_path: me/env"), "GA110", "evaluation.env.hub_path"),
    (evaluation("task: PushT-v0"), "GA114", "evaluation.env.type"),
    (evaluation("type: pusht", "  episodes: 0\n"), "GA122", "evaluation.episodes"),
    (evaluation("type: pusht", "  epsodes: 3\n"), "GA110", "evaluation.epsodes"),
    ("evaluation:\n  episodes: 3\n", "GA114", "evaluation.env"),
]


@pytest.mark.parametrize(("more", "code", "place"), WRONG)
def test_what_is_wrong_with_an_evaluation(more: str, code: str, place: str) -> None:
    diagnostics = found(recipe(more))
    assert {c for c in diagnostics if c != "GA521"} == {code}
    assert diagnostics[code].path == place


@pytest.mark.parametrize("more", [evaluation("type: pusht"), "evaluation: null\n", ""])
def test_nothing_is_wrong_with_a_sound_evaluation(more: str) -> None:
    assert found(recipe(more)) == {}


def test_the_observation_type_that_fits_is_offered() -> None:
    text = recipe(evaluation("type: pusht, obs_type: environment_state_agent_pos"))
    assert fixed(text, "GA346")["evaluation"]["env"] == {"type": "pusht", "obs_type": "pixels_agent_pos"}


def test_pictures_of_another_size() -> None:
    once("lerobot/made/aloha", odd_datasets.BUILDERS["aloha"])
    page = load_rules()["GA348"]
    assert set(found(block(page, "Example"))) == {"GA348"}
    assert found(block(page, "Instead")) == {}


def test_a_renamed_camera_is_the_policys_own() -> None:
    renamed = recipe(evaluation("type: pusht"), model=", rename_map: {observation.image: observation.images.top}")
    assert "GA346" not in found(renamed)


MONITORS = [
    ("monitor: eval/success_rate", True, set()),
    ("monitor: eval/success_rate, mode: max", True, set()),
    ("monitor: eval/success_rate, mode: min", True, {"GA350"}),
    ("monitor: eval/success_rate", False, {"GA336"}),
    ("monitor: success_rate", True, {"GA336"}),
]


@pytest.mark.parametrize(("arguments", "evaluates", "codes"), MONITORS)
def test_a_checkpoint_by_success(arguments: str, evaluates: bool, codes: set[str]) -> None:
    callbacks = (
        "  callbacks:\n    - class_path: lightning.pytorch.callbacks.ModelCheckpoint\n"
        f"      init_args: {{{arguments}}}\n"
    )
    assert set(found(recipe(callbacks + (evaluation("type: pusht") if evaluates else "")))) == codes


def test_early_stopping_waits_for_the_first_rollouts() -> None:
    stopping = (
        "  callbacks:\n    - class_path: lightning.pytorch.callbacks.EarlyStopping\n"
        "      init_args: {monitor: eval/success_rate}\n"
    )
    text = recipe(stopping + evaluation("type: pusht"))
    assert set(found(text)) == {"GA336"}
    assert fixed(text, "GA336")["trainer"]["callbacks"][0]["init_args"]["strict"] is False


FOREIGN = [
    (
        recipe("env: {type: pusht, episode_length: 100}\neval: {n_episodes: 20, batch_size: 0}\nenv_eval_freq: 500\n"),
        {"env": {"type": "pusht", "episode_length": 100}, "episodes": 20, "every_n_steps": 500},
    ),
    (
        recipe(
            data=", eval_gyms: {class_path: physicalai.gyms.PushTGym, init_args: {max_episode_steps: 50}}"
            ", num_rollouts_eval: 2"
        ),
        {"env": {"type": "pusht", "episode_length": 50}, "episodes": 2},
    ),
    (recipe(data=", val_gyms: [PushTGym], num_rollouts: 4"), {"env": {"type": "pusht"}, "episodes": 4}),
]


@pytest.mark.parametrize(("text", "section"), FOREIGN)
def test_another_trainers_rollouts_are_rewritten(text: str, section: dict[str, Any]) -> None:
    assert set(found(text)) == {"GA352"}
    rewritten = fixed(text, "GA352")
    assert rewritten["evaluation"] == section
    assert set(rewritten) == {"model", "data", "trainer", "evaluation"}
    assert set(rewritten["data"]["init_args"]) == {"repo_id"}


def test_a_fix_never_loses_an_argument() -> None:
    gym = ", eval_gyms: {class_path: my.PushTGym, init_args: {shape_reward: true}}"
    assert found(recipe(data=gym))["GA352"].fix is None


def test_a_lerobot_configuration_keeps_its_rollouts() -> None:
    text = """\
policy: {type: act, chunk_size: 8, n_action_steps: 8}
dataset: {repo_id: lerobot/pusht}
env: {type: pusht}
eval: {n_episodes: 10, batch_size: 5}
env_eval_freq: 100
"""
    rewritten = fixed(text, "GA116")
    assert rewritten["evaluation"] == {
        "env": {"type": "pusht"},
        "episodes": 10,
        "batch_size": 5,
        "every_n_steps": 100,
    }
    assert not {"env", "eval", "env_eval_freq"} & set(rewritten)


@pytest.mark.slow
def test_the_light_reading_is_lerobots_own() -> None:
    """Every environment type: its fields, defaults, refusals, and what it declares to a policy."""
    from dataclasses import fields

    from lerobot.envs import EnvConfig

    assert set(environments()) == set(EnvConfig.get_known_choices())
    probes: list[dict[str, Any]] = [
        {}, {"obs_type": "pixels"}, {"obs_type": "nothing"}, {"obs_type": "environment_state_agent_pos"},
        {"fps": 0}, {"fps": 25}, {"episode_length": 7}, {"observation_height": 64}, {"camera_name": ""},
        {"action_mode": "ee"}, {"action_space": "ee_pose"}, {"hard_reset": False, "init_states": False},
    ]  # fmt: skip
    for name, environment in environments().items():
        real = EnvConfig.get_choice_class(name)
        assert set(environment.fields) == {f.name for f in fields(real)} - {"features", "features_map"}
        for probe in probes:
            values = {key: value for key, value in probe.items() if key in environment.fields}
            try:
                theirs: Any = real(**values)
            except ValueError as refused:
                with pytest.raises(Rejected, match=str(refused)[:20].replace("(", ".")):
                    environment.configure(values)
                continue
            ours = environment.configure(values)
            assert ours.features_map == theirs.features_map
            assert {k: (f.type.value, f.shape) for k, f in ours.features.items()} == {
                k: (f.type.value, f.shape) for k, f in theirs.features.items()
            }


def test_keypoints_that_no_mapping_normalizes(lerobot_home: Path) -> None:
    """LeRobot's ACT normalizes no environment state by itself: pixels up to 512 would stand beside numbers around 1."""
    text = recipe(repo_id="getiaction/pusht-keypoints-demo")
    assert set(found(text)) == {"GA246"}
    mapping = fixed(text, "GA246")["model"]["init_args"]["normalization_mapping"]
    assert mapping == {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD", "ENV": "MEAN_STD"}
    meant = ", normalization_mapping: {STATE: MEAN_STD, ACTION: MEAN_STD, ENV: IDENTITY}"
    assert found(recipe(repo_id="getiaction/pusht-keypoints-demo", model=meant)) == {}
