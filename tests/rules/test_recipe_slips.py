"""One slip in a recipe that is right otherwise: which rule tells it, is its fix safe, and what does it make of it."""

from pathlib import Path

import pytest

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import apply_edits, read

RIGHT = """\
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
"""
PICTURES = "pusht\n    image_transforms: {{enable: true, tfs: {{light: {{type: ColorJitter, kwargs: {{{}}}}}}}}}"
LOGGERS = "lightning.pytorch.loggers"
NEVER = "not a value"


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


@pytest.mark.parametrize(
    ("right", "wrong", "code", "safe", "route", "value"),
    [
        # Hyphens and capitals can't mean another key; another letter can.
        ("horizon:", "Horizon:", "GA110", True, "model.init_args.horizon", 16),
        ("max_steps:", "max-steps:", "GA110", True, "trainer.max_steps", 100),
        ("horizon:", "horizn:", "GA110", False, "model.init_args.horizon", 16),
        # A name for the same thing, and a word that may mean two things.
        ("max_steps: 100", "precision: fp32", "GA121", True, "trainer.precision", "32-true"),
        ("max_steps: 100", "precision: FP16", "GA121", False, "trainer.precision", "16-mixed"),
        ("max_steps: 100", "accelerator: CPU", "GA121", True, "trainer.accelerator", "cpu"),
        ("max_steps: 100", "accelerator: xpu", "GA121", False, "trainer.accelerator", "auto"),
        # A name in fewer words, in another order, or of the paper behind the policy.
        ("horizon: 16", "weight_decay: 1.0e-6", "GA110", False, "model.init_args.optimizer_weight_decay", 1e-6),
        ("horizon:", "pred_horizon:", "GA110", False, "model.init_args.horizon", 16),
        ("horizon: 16", "num_diffusion_iters: 50", "GA110", False, "model.init_args.num_train_timesteps", 50),
        ("horizon:", "batch_size: 8\n    horizon:", "GA111", False, "data.init_args.train_batch_size", 8),
        ("max_steps: 100", "gradient_accumulation_steps: 2", "GA111", True, "trainer.accumulate_grad_batches", 2),
        ("max_steps: 100", "fp16: true", "GA111", False, "trainer.fp16", NEVER),
        # A class by its name alone, and a key of the trainer among those of the data.
        ("max_steps: 100", "logger: csv", "GA145", True, "trainer.logger", {"class_path": f"{LOGGERS}.CSVLogger"}),
        ("max_steps: 100", "logger: CSVLoger", "GA145", False, "trainer.logger",
         {"class_path": f"{LOGGERS}.CSVLogger"}),
        ("max_steps: 100", "logger: {class_path: csv}", "GA130", True, "trainer.logger.class_path",
         f"{LOGGERS}.CSVLogger"),
        ("pusht", "pusht\n    image_transforms: ColorJitter", "GA145", True, "data.init_args.image_transforms",
         {"class_path": "torchvision.transforms.v2.ColorJitter"}),
        ("pusht", "pusht\n    grad_clip_norm: 1.0", "GA111", False, "trainer.gradient_clip_val", 1.0),
        # A share in per cent.
        ("pusht", "pusht\n    val_split: 20%", "GA120", False, "data.init_args.val_split", 0.2),
        ("pusht", "pusht\n    val_split: 20", "GA122", False, "data.init_args.val_split", NEVER),
        ("pusht", "pusht\n    seed: -1", "GA122", False, "data.init_args.seed", NEVER),
        # A change of the pictures that torchvision refuses: factors are around 1, a hue around 0.
        ("pusht", PICTURES.format("brightness: [-0.2, 0.2]"), "GA122", False, "data.init_args.repo_id", NEVER),
        ("pusht", PICTURES.format("hue: [0.9, 1.1]"), "GA122", False, "data.init_args.repo_id", NEVER),
        ("pusht", PICTURES.format("contrast: [1.2, 0.8]"), "GA122", False, "data.init_args.repo_id", NEVER),
        ("pusht", PICTURES.format("contrast: [1.2]"), "GA122", False, "data.init_args.repo_id", NEVER),
        # LeRobot's kinds of features and ways of normalizing.
        ("horizon: 16", "normalization_mapping: {visual: MEAN_STD}", "GA110", True,
         "model.init_args.normalization_mapping.VISUAL", "MEAN_STD"),
        ("horizon: 16", "normalization_mapping: {STATE: min_max}", "GA121", True,
         "model.init_args.normalization_mapping.STATE", "MIN_MAX"),
        ("horizon: 16", "input_features: {observation.image: {type: IMAGE, shape: [3, 96, 96]}}", "GA121", False,
         "model.init_args.input_features.observation.image", NEVER),
        ("max_steps: 100", "devices: all", "GA121", False, "trainer.devices", "auto"),
        ("pusht", "pusht\n    revision: 3.0", "GA120", True, "data.init_args.revision", "3.0"),
        ("model:", "seed_everthing: 1\nmodel:", "GA111", False, "seed", 1),
        ("max_steps: 100", "seed: 1", "GA111", False, "seed", 1),
        ("lerobot/pusht", "lerobot/pusht\n    val_ratio: 0.2", "GA111", True, "data.init_args.val_split", 0.2),
        # What the original and LightningCLI write where nothing is set, or what happens anyway.
        ("pusht", "pusht\n    data_format: lerobot", "GA111", True, "data.init_args.data_format", NEVER),
        ("pusht", "pusht\n    data_format: physicalai", "GA111", False, "data.init_args.data_format", NEVER),
        ("pusht", "pusht\n    dataset: null", "GA111", True, "data.init_args.repo_id", "lerobot/pusht"),
        ("pusht", "pusht\n    download_videos: true", "GA111", True, "data.init_args.download_videos", NEVER),
        ("pusht", "pusht\n    force_cache_sync: false", "GA111", True, "data.init_args.force_cache_sync", NEVER),
        ("pusht", "pusht\n    batch_encoding_size: 1", "GA111", True, "data.init_args.batch_encoding_size", NEVER),
        ("pusht", "pusht\n    eval_gyms: null", "GA352", True, "data.init_args.eval_gyms", NEVER),
        ("horizon: 16", "dataset_stats: null", "GA111", True, "model.init_args.dataset_stats", NEVER),
        ("horizon: 16", "config: null", "GA111", True, "model.init_args.config", NEVER),
        ("model:", "weights_only: true\nmodel:", "GA111", True, "weights_only", NEVER),
        ("model:", "grad_clip_norm: 1.0\nmodel:", "GA111", False, "trainer.gradient_clip_val", 1.0),
        ("model:", "seed_everything: true\nmodel:", "GA111", True, "seed", NEVER),
        # A list as a command line has it.
        ("horizon: 16", 'down_dims: "64, 128"', "GA120", True, "model.init_args.down_dims", [64, 128]),
        ("horizon: 16", "crop_shape: 84x84", "GA120", False, "model.init_args.crop_shape", [84, 84]),
        # Lightning 1's keys held other values than those that took their place.
        ("max_steps: 100", "gpus: 0", "GA111", False, "trainer.gpus", NEVER),
        ("max_steps: 100", "amp: true", "GA111", False, "trainer.amp", NEVER),
        # A word for nothing.
        ("horizon: 16", "learning_rate: none", "GA120", True, "model.init_args.learning_rate", None),
        ("horizon: 16", "learning_rate: None", "GA108", True, "model.init_args.learning_rate", None),
        # Where a parameter of the policy is called like one of the dataset.
        ("model:", "repo_id: a/b\nmodel:", "GA112", False, "data.init_args.repo_id", NEVER),
        ("model:", "push_to_hub: true\nmodel:", "GA112", False, "model.init_args.push_to_hub", True),
        ("lerobot/pusht", "hf.co/datasets/lerobot/pusht", "GA142", True, "data.init_args.repo_id", "lerobot/pusht"),
    ],
)  # fmt: skip
def test_a_slip(right: str, wrong: str, code: str, safe: bool, route: str, value: object, shared: SharedInputs) -> None:
    recipe = read("recipe.yaml", text=RIGHT.replace(right, wrong, 1))
    told = [d for d in verdict(recipe, shared, select=("GA1", "GA352")).diagnostics if d.code == code]
    assert len(told) == 1
    fix = told[0].fix
    assert (fix is not None and fix.safe) == safe
    if fix is not None and value is not NEVER:
        assert read("recipe.yaml", text=apply_edits(recipe.text, fix.edits)).get(route, NEVER) == value


@pytest.mark.parametrize("slip", ["horizon: ${HORIZON}", "pretrained_backbone_weights: $WEIGHTS"])
def test_a_variable_is_told_once(slip: str, shared: SharedInputs) -> None:
    recipe = read("recipe.yaml", text=RIGHT.replace("horizon: 16", slip))
    assert [d.code for d in verdict(recipe, shared, select=("GA1",)).diagnostics] == ["GA109"]


@pytest.mark.parametrize(
    ("right", "written", "code", "severity"),
    [
        # Lightning takes these for true, false and the default; torch and a run's checkpoints do not.
        ("max_steps: 100", "enable_progress_bar: 0", "GA120", Severity.WARNING),
        ("max_steps: 100", "enable_checkpointing: 0", "GA120", Severity.ERROR),
        ("max_steps: 100", "sync_batchnorm: null", "GA115", Severity.WARNING),
        ("max_steps: 100", "detect_anomaly: null", "GA115", Severity.ERROR),
        # A number that is counted with is no truth value, except where LeRobot itself writes one.
        ("horizon: 16", "n_groups: false", "GA120", Severity.ERROR),
        ("horizon: 16", "spatial_softmax_num_keypoints: true", "GA120", Severity.ERROR),
    ],
)
def test_true_false_and_nothing_where_they_do_not_belong(
    right: str, written: str, code: str, severity: Severity, shared: SharedInputs
) -> None:
    recipe = read("recipe.yaml", text=RIGHT.replace(right, written))
    (told,) = verdict(recipe, shared, select=("GA1",)).diagnostics
    assert (told.code, told.severity) == (code, severity)


def test_a_truth_value_that_lerobot_calls_a_number_is_taken(shared: SharedInputs) -> None:
    text = RIGHT.replace("Diffusion", "ACT").replace("horizon: 16", "replace_final_stride_with_dilation: false")
    assert verdict(read("recipe.yaml", text=text), shared, select=("GA1",)).diagnostics == ()


def test_none_is_null_for_every_rule(shared: SharedInputs) -> None:
    """As text it would be the name of weights that don't exist, and the fix would name others."""
    recipe = read("recipe.yaml", text=RIGHT.replace("horizon: 16", "pretrained_backbone_weights: None"))
    assert [d.code for d in verdict(recipe, shared, select=("GA1", "GA2")).diagnostics] == ["GA108"]


@pytest.mark.parametrize(
    ("right", "wrong", "help"),
    [
        ("Diffusion", "SAC", "lerobot.rl.learner"),
        ("max_steps: 100", "logger: {class_path: trackio.Logger}", "CSVLogger, "),
    ],
)
def test_a_class_of_elsewhere_is_told_what_there_is(right: str, wrong: str, help: str, shared: SharedInputs) -> None:
    recipe = read("recipe.yaml", text=RIGHT.replace(right, wrong, 1))
    told = next(d for d in verdict(recipe, shared, select=("GA1",)).diagnostics if d.code == "GA131")
    assert help in told.help


def test_checkpoints_may_be_off_but_for_a_callback_that_writes_them(shared: SharedInputs) -> None:
    off = RIGHT.replace("max_steps: 100", "max_steps: 100\n  enable_checkpointing: false")
    assert verdict(read("recipe.yaml", text=off), shared, select=("GA1",)).diagnostics == ()
    callback = "\n  callbacks: [{class_path: lightning.pytorch.callbacks.ModelCheckpoint}]"
    both = off.replace("enable_checkpointing: false", f"enable_checkpointing: false{callback}")
    (told,) = verdict(read("recipe.yaml", text=both), shared, select=("GA1",)).diagnostics
    assert (told.code, told.path) == ("GA147", "trainer.callbacks.0.class_path")


def test_what_the_user_wrote_is_not_changed_by_a_safe_fix(shared: SharedInputs) -> None:
    for written, safe in (("chunk_size: 10", True), ("chunk_size: 10\n    n_action_steps: 20", False)):
        text = RIGHT.replace("Diffusion", "ACT").replace("horizon: 16", written)
        (told,) = verdict(read("recipe.yaml", text=text), shared, select=("GA201",)).diagnostics
        assert told.fix is not None and told.fix.safe == safe


@pytest.mark.parametrize(
    ("word", "class_path"),
    [
        ("act", "getiaction.policies.lerobot.ACT"),
        ("VQBeT", "getiaction.policies.lerobot.VQBeT"),
        ("getiaction.policies.lerobot.ACT", "getiaction.policies.lerobot.ACT"),
        ("SAC", None),
    ],
)
def test_a_policy_by_its_name_alone(shared: SharedInputs, word: str, class_path: str | None) -> None:
    recipe = read("r.yaml", text=f"model: {word}\n{RIGHT[RIGHT.index('data:') :]}")
    (found,) = [d for d in verdict(recipe, shared).diagnostics if d.severity is Severity.ERROR]
    assert (found.code, found.path) == ("GA145", "model")
    if class_path is None:
        assert found.fix is None and "reinforcement learning" in found.message and "lerobot.rl.learner" in found.help
    else:
        assert found.fix is not None and found.fix.safe
        assert read("r.yaml", text=apply_edits(recipe.text, found.fix.edits)).class_path == class_path
