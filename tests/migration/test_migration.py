"""What becomes of each key of another trainer's configuration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migration_helpers import check_complete, migrated, outcomes

from getiaction_cli.analysis.migration import Kind, Source, migrate
from getiaction_cli.analysis.training_command import is_command, parse, split, with_arguments
from getiaction_cli.recipe import read
from getiaction_cli.recipe.writing import write

LEROBOT = """\
seed: 7
steps: 100
batch_size: 4
policy: {type: act, chunk_size: 10, n_action_steps: 10, push_to_hub: false}
dataset: {repo_id: getiaction/pusht-demo, eval_split: 0.1}
"""


def lerobot(text: str = "", *, policy: str = "", dataset: str = "") -> str:
    """A configuration of lerobot-train with more at its end, in its policy and in its dataset."""
    whole = LEROBOT.replace("push_to_hub: false", f"push_to_hub: false{policy}")
    return whole.replace("eval_split: 0.1", f"eval_split: 0.1{dataset}") + text


def lightning(text: str = "", *, model: str = "", data: str = "", trainer: str = "") -> str:
    """A recipe of the original project."""
    return f"""\
model: {{class_path: getiaction.policies.lerobot.ACT, init_args: {{chunk_size: 10, n_action_steps: 10{model}}}}}
data: {{class_path: getiaction.data.lerobot.LeRobotDataModule, init_args: {{repo_id: getiaction/pusht-demo{data}}}}}
trainer: {{max_steps: 2{trainer}}}
{text}"""


def at(recipe: dict[str, Any], route: str) -> Any:
    value: Any = recipe
    for key in route.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


# -- lerobot-train -----------------------------------------------------------------------------------------------------


def test_a_configuration_of_lerobot_train_becomes_a_recipe_that_states_its_defaults() -> None:
    migration = migrated(LEROBOT)
    assert migration.source is Source.LEROBOT
    assert migration.lost == ()
    assert migration.recipe == {
        "seed": 7,
        "model": {
            "class_path": "getiaction.policies.lerobot.ACT",
            "init_args": {"chunk_size": 10, "n_action_steps": 10},
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "getiaction/pusht-demo", "val_split": 0.1, "train_batch_size": 4},
        },
        "trainer": {"num_sanity_val_steps": 0, "max_steps": 100, "devices": 1, "log_every_n_steps": 200},
    }


# (what is in the source, its key, the route in the recipe, the value there)
CARRIED = [
    (lerobot("eval_steps: 50"), "eval_steps", "trainer.val_check_interval", 50),
    (lerobot("max_eval_samples: 10"), "max_eval_samples", "trainer.limit_val_batches", 3),
    (lerobot("save_freq: 50"), "save_freq", "trainer.callbacks.0.init_args.every_n_train_steps", 50),
    (lerobot("save_checkpoint: false"), "save_checkpoint", "trainer.enable_checkpointing", False),
    (lerobot("cudnn_deterministic: true"), "cudnn_deterministic", "trainer.deterministic", "warn"),
    (lerobot("output_dir: outputs/new"), "output_dir", "output_dir", "outputs/new"),
    (lerobot(policy=", device: cpu"), "policy.device", "trainer.accelerator", "cpu"),
    (lerobot(policy=", use_amp: true"), "policy.use_amp", "trainer.precision", "16-mixed"),
    (lerobot(policy=", use_amp: true, device: cpu"), "policy.use_amp", "trainer.precision", "bf16-mixed"),
    (lerobot(dataset=", video_backend: pyav"), "dataset.video_backend", "data.init_args.video_backend", "pyav"),
    (lerobot(dataset=", episodes: [0, 1]"), "dataset.episodes", "data.init_args.episodes", [0, 1]),
    (lerobot(dataset=", exclude_episodes: [3]"), "dataset.exclude_episodes", "data.init_args.exclude_episodes", [3]),
    (
        lerobot(dataset=", image_transforms: {enable: true, max_num_transforms: 2}"),
        "dataset.image_transforms",
        "data.init_args.image_transforms",
        {"enable": True, "max_num_transforms": 2},
    ),
    (
        lerobot("wandb: {enable: true, project: mine, mode: offline}"),
        "wandb.project",
        "trainer.logger.init_args",
        {"project": "mine", "mode": "offline"},
    ),
    (lerobot("wandb: {enable: true}"), "wandb.enable", "trainer.logger.init_args.project", "lerobot"),
    (lerobot("peft: {r: 8}", policy=", pretrained_path: some/base"), "peft.r", "model.init_args.peft.r", 8),
    (
        lerobot(policy=", pretrained_path: some/base, pretrained_revision: v1"),
        "policy.pretrained_revision",
        "model.init_args.pretrained_revision",
        "v1",
    ),
    (
        lerobot("env: {type: pusht}\neval: {n_episodes: 3, batch_size: 0}\nenv_eval_freq: 50"),
        "env_eval_freq",
        "evaluation",
        {"env": {"type": "pusht"}, "episodes": 3, "every_n_steps": 50, "seed": 7},
    ),
    (lerobot("env: {type: pusht}"), "env.type", "evaluation.every_n_steps", 20_000),
    (
        lerobot(
            "use_policy_training_preset: false\n"
            "optimizer: {type: adamw, lr: 0.01, weight_decay: 0.1, grad_clip_norm: 1}"
        ),
        "optimizer.lr",
        "model.init_args",
        {"chunk_size": 10, "n_action_steps": 10, "learning_rate": 0.01, "optimizer_weight_decay": 0.1},
    ),
]


@pytest.mark.parametrize(("source", "key", "route", "value"), CARRIED, ids=[case[1] for case in CARRIED])
def test_what_has_a_counterpart_is_carried_over(source: str, key: str, route: str, value: Any) -> None:
    migration = migrated(source)
    assert outcomes(migration)[key].kind is Kind.CARRIED
    assert at(migration.recipe, route) == value


LOST = [
    ("sample_weighting", lerobot("sample_weighting: {type: rabc}")),
    ("save_checkpoint_to_hub", lerobot("save_checkpoint_to_hub: true")),
    ("job", lerobot("job: {target: a10g-large}")),
    ("resume", lerobot("resume: true")),
    ("use_policy_training_preset", lerobot("use_policy_training_preset: false")),
    ("optimizer", lerobot("use_policy_training_preset: false\noptimizer: {type: sgd, lr: 0.1}")),
    ("dataset.streaming", lerobot(dataset=", streaming: true")),
    ("dataset.repo_type", lerobot(dataset=", repo_type: bucket")),
    ("dataset.depth_output_unit", lerobot(dataset=", depth_output_unit: m")),
    ("policy.repo_id", LEROBOT.replace("push_to_hub: false", "repo_id: act")),
    ("policy.push_to_hub", LEROBOT.replace("push_to_hub: false", "push_to_hub: true")),
    ("policy.horizon", lerobot(policy=", horizon: 16")),
    ("policy.type", LEROBOT.replace("type: act", "type: sac")),
    ("policy.path", LEROBOT.replace("type: act", "path: nobody/nothing")),
    ("env.type", lerobot("env: {type: nowhere}")),
    ("eval.recording", lerobot("env: {type: pusht}\neval: {recording: true}")),
    ("stepz", lerobot("stepz: 10")),
]


@pytest.mark.parametrize(("key", "source"), LOST, ids=[case[0] for case in LOST])
def test_what_has_no_counterpart_is_said_with_what_to_do_instead(key: str, source: str) -> None:
    lost = [outcome.key for outcome in migrated(source).lost]
    assert key in lost or key.partition(".")[0] in lost


def test_a_fine_tuning_keeps_every_parameter_of_its_source() -> None:
    """What the checkpoint says otherwise is not the default."""
    from getiaction_cli import policies

    whole = {name: field.default for name, field in policies.load("act").fields.items()}
    source = {"policy": {**whole, "type": "act", "pretrained_path": "some/base"}, "dataset": {"repo_id": "a/b"}}
    assert at(migrated(source).recipe, "model.init_args.chunk_size") == 100
    fresh = {**source, "policy": {**source["policy"], "pretrained_path": None}}
    assert "init_args" not in migrated(fresh).recipe["model"]


def test_an_output_folder_that_exists_is_left_alone(tmp_path: Any) -> None:
    (tmp_path / "checkpoints").mkdir()
    migration = migrated(lerobot(f"output_dir: {tmp_path}"))
    assert "output_dir" not in migration.recipe
    assert outcomes(migration)["output_dir"].kind is Kind.NOTHING


# -- LightningCLI ------------------------------------------------------------------------------------------------------


def test_a_saved_configuration_of_lightningcli_loses_its_nulls_and_defaults() -> None:
    from getiaction_cli.recipe.signatures import read_signature

    signature = read_signature("lightning.Trainer")
    assert signature
    trainer = {name: parameter.default for name, parameter in signature.parameters.items()} | {"max_steps": 2}
    migration = migrated(
        {
            "seed_everything": True,
            "model": {
                "class_path": "getiaction.policies.lerobot.ACT",
                "init_args": {"chunk_size": 10, "n_action_steps": 10, "pretrained_backbone_weights": None},
            },
            "data": {
                "class_path": "getiaction.data.lerobot.LeRobotDataModule",
                "init_args": {"repo_id": "a/b", "dataset": None, "root": None, "download_videos": True},
            },
            "trainer": trainer,
            "ckpt_path": None,
        }
    )
    assert migration.source is Source.LIGHTNING
    assert migration.lost == ()
    assert migration.recipe["trainer"] == {"max_steps": 2}
    assert migration.recipe["data"]["init_args"] == {"repo_id": "a/b"}
    # Null is not its default: it asks for random weights.
    assert migration.recipe["model"]["init_args"]["pretrained_backbone_weights"] is None


KEPT = [
    (lightning("seed_everything: 3"), "seed", 3),
    (lightning("seed_everything: false"), "trainer.max_steps", 2),
    (lightning(data=", batch_size: 4"), "data.init_args.train_batch_size", 4),
    (lightning(trainer=", grad_clip_norm: 1.0"), "trainer.gradient_clip_val", 1.0),
    (lightning(trainer=", logger: csv"), "trainer.logger.class_path", "lightning.pytorch.loggers.CSVLogger"),
    (
        lightning(data=", eval_gyms: {class_path: getiaction.gyms.PushTGym}, num_rollouts_eval: 2"),
        "evaluation",
        {"env": {"type": "pusht"}, "episodes": 2},
    ),
    (
        lightning("optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.1}}", model=", learning_rate: 0.2"),
        "model.init_args.learning_rate",
        0.1,
    ),
    (
        "model: physicalai.policies.ACT\n"
        "data: {class_path: physicalai.data.LeRobotDataModule, init_args: {repo_id: a/b}}",
        "model.class_path",
        "getiaction.policies.lerobot.ACT",
    ),
    (
        "fit: {model: getiaction.policies.lerobot.ACT, data: {init_args: {repo_id: a/b}}}",
        "data.init_args.repo_id",
        "a/b",
    ),
    (
        lightning(trainer=", callbacks: [{class_path: pytorch_lightning.callbacks.LearningRateMonitor}]"),
        "trainer.callbacks.0.class_path",
        "lightning.pytorch.callbacks.LearningRateMonitor",
    ),
]


@pytest.mark.parametrize(("source", "route", "value"), KEPT, ids=[str(number) for number in range(len(KEPT))])
def test_what_lightningcli_and_the_original_write_is_kept(source: str, route: str, value: Any) -> None:
    migration = migrated(source)
    assert migration.lost == ()
    assert at(migration.recipe, route) == value


LOST_OF_LIGHTNING = [
    ("ckpt_path", lightning("ckpt_path: last.ckpt")),
    ("lr_scheduler", lightning("lr_scheduler: {class_path: torch.optim.lr_scheduler.CosineAnnealingLR}")),
    ("trainer.logger", lightning(trainer=", logger: {class_path: trackio.Logger}")),
    ("data.init_args.eval_gyms", lightning(data=", eval_gyms: {class_path: my.OwnGym}")),
    ("model.init_args.horizon", lightning(model=", horizon: 16")),
    ("data.init_args.batch_size", lightning(data=", batch_size: 4, train_batch_size: 8")),
    ("model.class_path", lightning().replace("lerobot.ACT", "lerobot.SAC")),
]


@pytest.mark.parametrize(("key", "source"), LOST_OF_LIGHTNING, ids=[case[0] for case in LOST_OF_LIGHTNING])
def test_what_a_recipe_cannot_express_of_lightningcli_is_said(key: str, source: str) -> None:
    assert key in [outcome.key for outcome in migrated(source).lost]


# Every argument of the original project's classes that a recipe does not have, with a value as it was used.
ORIGINAL = {
    "data.init_args": {
        "dataset": "a/b", "train_dataset": "a/b", "val_dataset": "a/b", "data_format": "lerobot",
        "download_videos": True, "force_cache_sync": False, "batch_encoding_size": 1, "eval_gyms": None,
        "num_rollouts_eval": 2, "max_episode_steps": 10, "val_gyms": [], "test_gyms": [], "num_rollouts_test": 1,
    },
    "model.init_args": {
        "dataset_stats": None, "config": None, "stats": {"action": 1}, "weights_only": True, "grad_clip_norm": 1.0,
        "features": {"action": 1},
    },
}  # fmt: skip


@pytest.mark.parametrize(("section", "name"), [(section, name) for section, each in ORIGINAL.items() for name in each])
def test_every_argument_of_the_original_classes_has_an_outcome(section: str, name: str) -> None:
    source: Any = read("r.yaml", text=lightning()).plain()
    at(source, section)[name] = ORIGINAL[section][name]
    migrated(source)


# -- any text ----------------------------------------------------------------------------------------------------------

_KEYS = """
    policy dataset model data trainer type path repo_id class_path init_args steps seed env eval wandb enable logger
    callbacks optimizer lr peft evaluation config_kwargs fit batch_size rename_map a.b
"""
_WORDS = st.sampled_from(_KEYS.split())
_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 300), st.sampled_from(["act", "pusht", "", "a/b", "x: y", "#"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_WORDS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(_WORDS, _VALUES, max_size=6))
def test_no_configuration_loses_a_key_or_stops_the_migration(values: dict[str, Any]) -> None:
    recipe = read("r.yaml", text=write({"policy": {"type": "act"}, **values}))
    migration = migrate(recipe)
    if migration is not None:
        check_complete(recipe.plain(), migration)


# -- commands ----------------------------------------------------------------------------------------------------------

ARGUMENTS = (("policy.type", "act"), ("dataset.repo_id", "a/b"))
WORDS = "--policy.type=act --dataset.repo_id a/b"
COMMANDS = [
    (f"lerobot-train {WORDS}", ()),
    (f"$ lerobot-train {WORDS} > log.txt 2>&1 &", ()),
    (f"python -m lerobot.scripts.lerobot_train {WORDS}", ()),
    (f"python src/lerobot/scripts/lerobot_train.py {WORDS}", ()),
    (f"python lerobot/scripts/train.py \\\n  {WORDS}", ()),
    (f"uv run lerobot-train {WORDS}", ()),
    (f"#!/bin/bash\n# lerobot-train --policy.type=no\ncd x\n\nlerobot-train \\\n {WORDS}\necho done", ()),
    (
        "CUDA_VISIBLE_DEVICES=0 accelerate launch --num_processes=2 --mixed_precision bf16 "
        f"$(which lerobot-train) {WORDS}",
        (
            ("environment.CUDA_VISIBLE_DEVICES", '"0"'),
            ("launch.num_processes", "2"),
            ("launch.mixed_precision", "bf16"),
        ),
    ),
    (f"torchrun --nproc-per-node 4 -m lerobot.scripts.lerobot_train {WORDS}", (("launch.nproc_per_node", "4"),)),
]


@pytest.mark.parametrize(("command", "more"), COMMANDS, ids=[str(number) for number in range(len(COMMANDS))])
def test_a_pasted_command_is_read(command: str, more: tuple[tuple[str, str], ...]) -> None:
    words = split(command)
    assert is_command(words)
    found = parse(words)
    assert found is not None and found.lerobot
    assert found.overrides == (*more, *ARGUMENTS)


def test_a_command_of_accelerate_keeps_its_processes_and_precision() -> None:
    found = parse(split(COMMANDS[7][0]))
    assert found is not None
    migration = migrate(with_arguments(read("command", text="{}"), found.overrides))
    assert migration is not None and migration.lost == ()
    assert migration.recipe["trainer"]["devices"] == 2
    assert migration.recipe["trainer"]["precision"] == "bf16-mixed"


def test_a_command_with_a_deep_key_is_read_as_a_deep_configuration() -> None:
    found = parse(split(f"lerobot-train --policy.type=act --{'a.' * 5_000}b=1"))
    assert found is not None
    [(code, finding)] = with_arguments(read("command", text="{}"), found.overrides).findings
    assert code == "GA103" and "levels deep" in finding.message


def test_an_unfinished_quote_is_an_error() -> None:
    with pytest.raises(ValueError, match="quot"):
        split("lerobot-train --policy.type='act")


def test_keys_of_rollouts_that_a_recipe_lacks_are_listed_as_lost() -> None:
    rollouts = {"env": {"type": "pusht", "wind": 3}, "eval": {"n_episodes": 5, "recording": True}, "env_eval_freq": 10}
    of_lerobot = outcomes(migrated({"policy": {"type": "act"}, "dataset": {"repo_id": "lerobot/pusht"}, **rollouts}))
    section = {"class_path": "physicalai.policies.lerobot.ACT"}
    data = {"class_path": "physicalai.data.lerobot.LeRobotDataModule", "init_args": {"repo_id": "lerobot/pusht"}}
    of_lightning = outcomes(migrated({"model": section, "data": data, **rollouts}))
    for found in (of_lerobot, of_lightning):
        assert found["env.wind"].kind is Kind.LOST
        assert found["eval.recording"].kind is Kind.LOST


UPLOAD = "repo_id: me/act, private: true, tags: [a], license: mit"


@pytest.mark.parametrize("said", ["push_to_hub: true, ", ""], ids=["asked for", "by default"])
def test_an_upload_is_carried_over(said: str) -> None:
    arguments = migrated(LEROBOT.replace("push_to_hub: false", said + UPLOAD)).recipe["model"]["init_args"]
    upload = {"push_to_hub": True, "repo_id": "me/act", "private": True, "tags": ["a"], "license": "mit"}
    assert {key: arguments[key] for key in upload} == upload


def test_a_recipe_uploads_nothing_where_lerobot_would_not() -> None:
    migration = migrated(LEROBOT.replace("push_to_hub: false", f"push_to_hub: false, {UPLOAD}"))
    assert migration.lost == ()
    assert not {"push_to_hub", "repo_id", "private"} & set(migration.recipe["model"]["init_args"])
