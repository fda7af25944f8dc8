"""What a training step needs: measured without memory, kept, and turned into the largest batch that fits."""

import sys
from pathlib import Path

import pytest

from getiaction.spec import memory
from getiaction.spec.memory import Need, Setting

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
    assert memory.comfortable(100, samples=100_000) == 64
    assert memory.comfortable(10_000, samples=3200) == 128
    assert memory.comfortable(10**6, samples=10**9) == memory.MOST_BATCH
    assert memory.comfortable(5, samples=3) == 1


def test_a_measurement_is_kept(cache: Path) -> None:
    memory.keep("a", NEED)
    assert memory.cached("a") == NEED
    assert [file.name for file in cache.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"moments": []}', "null"],
    ids=["empty", "cut off", "list", "no fields", "null"],
)
def test_a_damaged_measurement_is_ignored(cache: Path, text: str) -> None:
    memory.keep("a", NEED)
    (cache / "a.json").write_text(text)
    assert memory.cached("a") is None


@pytest.mark.parametrize("change", [('"trained": 50', '"trained": NaN'), ("400000000", "-1"), ("[150000000.0", '["x"')])
def test_a_measurement_of_impossible_numbers_is_ignored(cache: Path, change: tuple[str, str]) -> None:
    memory.keep("a", NEED)
    file = cache / "a.json"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    assert memory.cached("a") is None


def test_the_name_depends_on_what_changes_the_need() -> None:
    features = {"action": {"dtype": "float32", "shape": [2]}}
    recipe = {"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 8, "learning_rate": 1e-4}}}
    name = memory.key(recipe, features, 10)
    assert name == memory.key({**recipe, "data": {"init_args": {"train_batch_size": 99}}}, features, 10.0)
    assert name == memory.key({"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 8}}}, features, 10)
    assert name != memory.key({"model": {"class_path": "x.ACT", "init_args": {"chunk_size": 9}}}, features, 10)
    assert name != memory.key({**recipe, "trainer": {"precision": "bf16-mixed"}}, features, 10)
    assert name != memory.key(recipe, {"action": {"dtype": "float32", "shape": [3]}}, 10)


def test_only_moments_that_can_be_the_peak_are_kept() -> None:
    from getiaction.train.memory import envelope

    #      constant 5, slope 0     constant 0, slope 1    never the highest
    lines = ([5, 2, 1], [5, 3, 1])
    assert envelope(*lines) == ((5.0, 0.0), (0.0, 1.0))
    assert envelope([2], [3], each=4) == ((0.0, 5.0),)
    assert envelope([1, 8], [2, 9, 3]) == ((6.0, 1.0),)  # not the same operations: the peaks alone


@pytest.mark.slow
@pytest.mark.parametrize("name", ["act", "vqbet", "smolvla"])
def test_the_prediction_is_within_a_tenth_of_what_the_allocator_counts(name: str, tmp_path: Path, cache: Path) -> None:
    import step_memory

    for batch, predicted, real in step_memory.compare(name, tmp_path):
        assert predicted == pytest.approx(real, rel=0.1), f"batch {batch}"
