"""Callbacks, strategies and profilers in a recipe: what each takes, and what can't stand beside what."""

from pathlib import Path

import pytest

from getiaction_cli.analysis.choices import STRATEGIES
from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.recipe import read

RIGHT = """\
model:
  class_path: getiaction.policies.lerobot.ACT
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
  {setting}
"""
CHECKPOINT = "{{class_path: lightning.pytorch.callbacks.ModelCheckpoint, init_args: {{{}}}}}".format
ACCUMULATION = "{{class_path: lightning.pytorch.callbacks.GradientAccumulationScheduler, init_args: {{{}}}}}".format
STRATEGY = "strategy: {{class_path: lightning.pytorch.strategies.{}, init_args: {{{}}}}}".format
BAR = "{{class_path: lightning.pytorch.callbacks.{}ProgressBar}}".format


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


@pytest.mark.parametrize(
    "setting",
    [
        # What these don't know themselves they give to torch's DDP, FSDP and profiler.
        STRATEGY("DDPStrategy", "find_unused_parameters: true, static_graph: true"),
        STRATEGY("DDPStrategy", 'timeout: "00:00:30:00"'),
        "profiler: {class_path: lightning.pytorch.profilers.PyTorchProfiler, init_args: {profile_memory: true}}",
        f"callbacks: [{CHECKPOINT('every_n_train_steps: 10')}, {CHECKPOINT('every_n_train_steps: 50')}]",
        f"callbacks: [{CHECKPOINT('train_time_interval: {minutes: 30}')}]",
        f"callbacks: [{ACCUMULATION('scheduling: {0: 4, 10: 1}')}]",
        "callbacks: [{class_path: lightning.pytorch.callbacks.progress.RichProgressBar}]",
        f"callbacks: [{CHECKPOINT('filename: "{epoch}-{step:06d}-{train/loss:.2f}"')}]",
        f"callbacks: [{BAR('TQDM')}, {{class_path: lightning.pytorch.callbacks.LearningRateMonitor}}]",
    ],
)
def test_is_taken(setting: str, shared: SharedInputs) -> None:
    assert verdict(read("recipe.yaml", text=RIGHT.format(setting=setting)), shared, select=("GA1",)).diagnostics == ()


@pytest.mark.parametrize(
    ("setting", "code", "path"),
    [
        (STRATEGY("DDPStrategy", "find_unused_paramters: true"), "GA110",
         "trainer.strategy.init_args.find_unused_paramters"),
        # Lightning keeps the state of each in the checkpoint, under these words.
        (f"callbacks: [{CHECKPOINT('every_n_train_steps: 10')}, {CHECKPOINT('every_n_train_steps: 10')}]",
         "GA147", "trainer.callbacks.1.class_path"),
        (f"callbacks: [{BAR('TQDM')}, {BAR('Rich')}]", "GA147", "trainer.callbacks.1.class_path"),
        (f"accumulate_grad_batches: 2\n  callbacks: [{ACCUMULATION('scheduling: {4: 2}')}]",
         "GA147", "trainer.callbacks.0.class_path"),
        (f"callbacks: [{ACCUMULATION('scheduling: {"4": 2}')}]",
         "GA147", "trainer.callbacks.0.init_args.scheduling.4"),
        (f"callbacks: [{CHECKPOINT('filename: "{epoch-{step}"')}]",
         "GA147", "trainer.callbacks.0.init_args.filename"),
        *((f"callbacks: [{CHECKPOINT(f'filename: "{pattern}"')}]", "GA147", "trainer.callbacks.0.init_args.filename")
          for pattern in ("{}", "{epoch:s}", "{train/loss:02d}", "{epoch:{step}}")),
        ("precision: 64-true\n  plugins: [{class_path: lightning.pytorch.plugins.DoublePrecision}]",
         "GA147", "trainer.plugins.0.class_path"),
        # The package exports no such class, wherever else it may be.
        ("plugins: [{class_path: lightning.pytorch.plugins.environments.SLURMEnvironment}]",
         "GA131", "trainer.plugins.0.class_path"),
        (f"callbacks: [{CHECKPOINT('train_time_interval: 30m')}]",
         "GA146", "trainer.callbacks.0.init_args.train_time_interval"),
        (f"callbacks: [{CHECKPOINT('train_time_interval: 600')}]",
         "GA120", "trainer.callbacks.0.init_args.train_time_interval"),
    ],
)  # fmt: skip
def test_is_told(setting: str, code: str, path: str, shared: SharedInputs) -> None:
    report = verdict(read("recipe.yaml", text=RIGHT.format(setting=setting)), shared, select=("GA1",))
    assert [(d.code, d.path) for d in report.diagnostics] == [(code, path)]


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        *((f"strategy: {name}", "trainer.strategy") for name in STRATEGIES if name.startswith(("fsdp", "deepspeed"))),
        ("strategy: FSDP", "trainer.strategy"),
        (STRATEGY("FSDPStrategy", "use_orig_params: true"), "trainer.strategy.class_path"),
        (STRATEGY("DeepSpeedStrategy", "stage: 2"), "trainer.strategy.class_path"),
        (STRATEGY("ModelParallelStrategy", "save_distributed_checkpoint: false"), "trainer.strategy.class_path"),
    ],
)
def test_a_policy_is_not_divided_between_processes(setting: str, path: str, shared: SharedInputs) -> None:
    report = verdict(read("recipe.yaml", text=RIGHT.format(setting=setting)), shared, select=("GA147",))
    (found,) = report.diagnostics
    assert found.path == path
    assert found.fix is not None


def test_a_transform_by_class_path_is_no_part_of_lightning(shared: SharedInputs) -> None:
    transform = "image_transforms: {class_path: os.system, init_args: {command: true}}"
    text = RIGHT.format(setting="benchmark: true").replace("trainer:", f"    {transform}\ntrainer:")
    report = verdict(read("recipe.yaml", text=text), shared, select=("GA1",))
    assert [d.code for d in report.diagnostics] == ["GA131"]
