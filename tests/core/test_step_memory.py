"""What a training step needs: measured without memory, kept, and turned into the largest batch that fits."""

import sys
from pathlib import Path

import pytest

from getiaction.spec import memory
from getiaction.spec.memory import Need, Setting
from getiaction.train.screen import Screen

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

MB = 1_000_000
NEED = Need(
    parameters=100,
    trained=50,
    weights=400 * MB,
    gradients=200 * MB,
    largest_tensor=10 * MB,
    optimizer=400 * MB,
    average=0,
    moments=((150.0 * MB, 1.0 * MB), (10.0 * MB, 20.0 * MB)),
    flops=1e9,
    operations=1000,
)
ON_CPU = Setting(gpu=False)
DEMO = Path(__file__).parents[2] / "getiaction/data/demo/pusht-keypoints-demo"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GETIACTION_CACHE", str(tmp_path))
    return tmp_path / "memory"


@pytest.mark.parametrize(
    ("batch", "setting", "megabytes"),
    [
        (1, ON_CPU, 800 + 200 + 20),  # the optimizer's step: weights, two numbers of Adam, gradients, two temporary
        (20, ON_CPU, 800 + 410),  # the forward and backward pass
        (20, Setting(gpu=False, accumulated=True), 800 + 410 + 200),
        (20, Setting(gpu=False, processes=2), 800 + 410 + 200),
    ],
)
def test_the_peak_is_the_largest_moment(batch: int, setting: Setting, megabytes: int) -> None:
    assert NEED.peak(batch, setting) == megabytes * MB


def test_a_gpu_steps_all_parameters_at_once() -> None:
    assert NEED.peak(1, Setting()) == (800 + 2 * 200) * MB + memory.WORKSPACE


@pytest.mark.parametrize("setting", [ON_CPU, Setting(), Setting(accumulated=True, processes=4)])
@pytest.mark.parametrize("megabytes", [900, 1500, 4000])
def test_the_largest_batch_fits_and_one_more_does_not(megabytes: int, setting: Setting) -> None:
    largest = NEED.largest(megabytes * MB, setting)
    assert largest == 0 or NEED.peak(largest, setting) <= megabytes * MB
    assert NEED.peak(largest + 1, setting) > megabytes * MB


def test_auto_takes_a_power_of_two_that_leaves_sixteen_batches_an_epoch() -> None:
    assert memory.auto_batch_size(100, samples=100_000) == 64
    assert memory.auto_batch_size(10_000, samples=3200) == 128
    assert memory.auto_batch_size(10**6, samples=10**9) == memory.MAX_BATCH_SIZE
    assert memory.auto_batch_size(5, samples=3) == 1


def test_a_measurement_is_kept(cache: Path) -> None:
    memory.store("a", NEED)
    assert memory.load("a") == NEED
    assert [file.name for file in cache.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"moments": []}', "null"],
    ids=["empty", "cut off", "list", "no fields", "null"],
)
def test_a_damaged_measurement_is_ignored(cache: Path, text: str) -> None:
    memory.store("a", NEED)
    (cache / "a.json").write_text(text)
    assert memory.load("a") is None


@pytest.mark.parametrize(
    "change",
    [
        ('"trained": 50', '"trained": NaN'),
        ("400000000", "-1"),
        ("[150000000.0", '["x"'),
        ("[150000000.0", "[1" + "0" * 400),
        ('"trained": 50', '"trained": 1' + "0" * 400),
        ('"operations": 1000', '"operations": 1e300'),
    ],
)
def test_a_measurement_of_impossible_numbers_is_ignored(cache: Path, change: tuple[str, str]) -> None:
    memory.store("a", NEED)
    file = cache / "a.json"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    assert memory.load("a") is None


def test_the_name_depends_on_what_changes_the_need() -> None:
    features = {"action": {"dtype": "float32", "shape": [2]}}
    recipe = {"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 8, "learning_rate": 1e-4}}}
    name = memory.cache_key(recipe, features, 10)
    assert name == memory.cache_key({**recipe, "data": {"init_args": {"train_batch_size": 99}}}, features, 10.0)
    assert name == memory.cache_key({"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 8}}}, features, 10)
    assert name != memory.cache_key({"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 9}}}, features, 10)
    assert name != memory.cache_key({**recipe, "trainer": {"precision": "bf16-mixed"}}, features, 10)
    assert name != memory.cache_key(recipe, {"action": {"dtype": "float32", "shape": [3]}}, 10)


def test_only_moments_that_can_be_the_peak_are_kept() -> None:
    from getiaction.train.memory import envelope

    #      constant 5, slope 0     constant 0, slope 1    never the highest
    lines = ([5, 2, 1], [5, 3, 1])
    assert envelope(*lines) == ((5.0, 0.0), (0.0, 1.0))
    assert envelope([2], [3], each=4) == ((0.0, 5.0),)
    assert envelope([1, 8], [2, 9, 3]) == ((6.0, 1.0),)  # not the same operations: the peaks alone


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["act, ema", "vqbet", "diffusion, wide, gradient checkpointing", "smolvla", "smolvla, adapters"]
)
def test_the_prediction_is_within_a_tenth_of_what_the_allocator_counts(name: str, tmp_path: Path, cache: Path) -> None:
    import step_memory

    for batch, predicted, real in step_memory.compare(name, tmp_path):
        assert predicted == pytest.approx(real, rel=0.1, abs=250_000), f"batch {batch}"


def test_a_smaller_batch_divides_the_step() -> None:
    # 800 MB held, 200 MB of gradients kept: 500 MB are left, for (500 - 10) / 20 samples
    assert NEED.largest(1500 * MB, Setting(gpu=False, accumulated=True)) == 24
    assert NEED.divisor(64, 1500 * MB, ON_CPU) == 16
    assert NEED.divisor(7, 1500 * MB, ON_CPU) == 7
    assert NEED.divisor(64, 900 * MB, ON_CPU) == 0


def _recipe(**trainer: object) -> dict[str, object]:
    model = {"chunk_size": 4, "n_action_steps": 4, "dim_model": 16, "n_heads": 2, "dim_feedforward": 16}
    return {
        "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": {**model, "use_vae": False}},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "getiaction/pusht-keypoints-demo", "train_batch_size": "auto", "val_split": 0.98},
        },
        "trainer": {"max_steps": 1, "accelerator": "cpu", **trainer},
    }


@pytest.mark.slow
def test_auto_is_tried_and_written_into_the_recipe_that_a_resumed_run_reads(tmp_path: Path, cache: Path) -> None:
    import yaml

    from getiaction.train.run import train

    recipe = _recipe()
    text = yaml.safe_dump(recipe).replace("train_batch_size: auto", "train_batch_size: auto  # as many as fit")
    train(recipe, recipe_name="auto", recipe_text=text, output_dir=tmp_path / "run", quiet=True)
    kept = (tmp_path / "run/recipe.yaml").read_text()
    number = yaml.safe_load(kept)["data"]["init_args"]["train_batch_size"]
    assert number == 16  # 287 samples: 18 batches an epoch
    assert f"train_batch_size: {number}  # as many as fit" in kept
    (tmp_path / "run/recipe.yaml").write_text(kept.replace(f"train_batch_size: {number}", "train_batch_size: 4"))
    train(_recipe(max_steps=2), recipe_name="auto", recipe_text=text, resume=tmp_path / "run", quiet=True)
    assert "train_batch_size: 4" in (tmp_path / "run/recipe.yaml").read_text()


def test_several_processes_are_counted_as_the_launcher_and_the_recipe_say(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`devices` is a number, a text or a list, and `num_nodes` multiplies; a trial before it has one process."""
    from getiaction.errors import TrainingError
    from getiaction.train import batch_size

    seen: list[Setting] = []

    class Asked(Need):
        def largest(self, room: int, setting: Setting) -> int:
            seen.append(setting)
            return 0

    need = Asked(**{name: getattr(NEED, name) for name in NEED.__dataclass_fields__})
    monkeypatch.setattr(batch_size, "need_of", lambda recipe: need)
    # A script of a SLURM job of four tasks that srun has not started.
    job = {"SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "train", "SLURM_NODEID": "0", "SLURM_NTASKS": "4"}
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    for trainer in ({"devices": "2"}, {"devices": [0, 1], "num_nodes": 2}, {"devices": -1}, {}):
        with pytest.raises(TrainingError, match="out of memory"):
            batch_size.chosen(_recipe(**trainer), None, Screen(quiet=True))
    assert [setting.processes for setting in seen] == [2, 4, 1, 1]


@pytest.mark.parametrize(
    "model",
    [
        {"class_path": "getiaction.policies.lerobot.LeRobotPolicy", "init_args": {"config": {"type": "act"}}},
        {"class_path": "getiaction.policies.lerobot.LeRobotPolicy", "init_args": {}},
        {"class_path": "getiaction.policies.lerobot.ACT", "init_args": {}},
    ],
)
def test_settings_that_need_less_memory_are_named_for_every_way_of_naming_a_policy(model: dict[str, object]) -> None:
    from getiaction.train.batch_size import levers

    assert levers({"model": model}, gpu=True) == ["set trainer.precision to bf16-mixed"]


def test_checkpoints_take_no_disk_where_none_is_kept(tmp_path: Path) -> None:
    import json

    from getiaction_cli.analysis.training_need import checkpoints_of
    from getiaction_cli.recipe import read

    def of(**trainer: object) -> tuple[int, int] | None:
        return checkpoints_of(read("r.yaml", text=json.dumps({**_recipe(), "trainer": trainer})), 1000)

    assert of(max_steps=1) is not None
    assert of(max_steps=1, enable_checkpointing=False) is None
    assert of(fast_dev_run=True) is None


@pytest.mark.slow
def test_running_out_of_memory_says_what_was_needed_and_what_fits(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import yaml

    from getiaction.errors import MachineError
    from getiaction.policies.lerobot import ACT
    from getiaction.train import batch_size
    from getiaction.train.run import train

    recipe = _recipe()
    recipe["data"]["init_args"]["train_batch_size"] = 64  # type: ignore[index]
    monkeypatch.setattr(batch_size, "device_memory", lambda trainer: 1_500_000)
    text = yaml.safe_dump(recipe)

    def too_much(*_: object) -> None:
        torch.empty(1 << 60)

    monkeypatch.setattr(ACT, "training_step", too_much)
    with pytest.raises(MachineError) as error:
        train(recipe, recipe_name="oom", recipe_text=text, output_dir=tmp_path / "run", quiet=True)
    assert "this machine is out of memory: a step of 64 needs about" in error.value.message
    assert "and there are 1.5 MB" in error.value.message
    assert "accumulate_grad_batches to" in error.value.hint and "the same 64 samples a step" in error.value.hint


def test_validate_config_reads_a_kept_measurement(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from typer.testing import CliRunner

    from getiaction_cli.main import app
    from getiaction_cli.recipe import read

    file = tmp_path / "recipe.yaml"
    recipe = _recipe()
    recipe["data"]["init_args"]["train_batch_size"] = 64  # type: ignore[index]
    file.write_text(json.dumps(recipe))
    monkeypatch.setenv("COLUMNS", "200")

    def shown(*words: str) -> str:
        return CliRunner().invoke(app, ["validate-config", str(file), *words]).output

    assert "--measure" in shown("--gpu", "2GB")
    info = json.loads((DEMO / "meta/info.json").read_text())
    memory.store(memory.cache_key(read(str(file)).plain(), info["features"], info["fps"]), NEED)
    text = shown("--gpu", "2GB")
    assert "at batch 64 (weights 400 MB, gradients 200 MB, optimizer 400 MB, activations and gradients 1.3 GB" in text
    assert "25 fits 2 GB; train_batch_size 64 does not" in text
    assert "fits RTX 4090" in shown("--gpu", "RTX 4090") or "of an epoch fit RTX 4090" in shown("--gpu", "RTX 4090")
