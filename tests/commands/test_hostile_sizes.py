"""What a stranger sends costs time in proportion to its size: doubling an input must not cost four times as much."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hostile_sizes.py"
GROWTH = 2.5  # twice the input; a quadratic loop gives 4
NOISE = 0.4  # seconds that a busy machine adds

CASES = [
    ("callbacks with arguments", "validate-config --diff", 1),
    ("delta_timestamps", "validate-config --diff", 0.5),
    ("chosen episodes", "validate-config", 1),
    ("normalization_mapping", "validate-config --diff", 0.5),
    ("invisible characters, one a line", "validate-config", 1),
    ("a long output_dir", "validate-config", 1),
    ("a long dotted key", "validate-config", 1),
    ("nested transforms with a wrong argument", "validate-config", 1),
    ("keys of a policy of lerobot-train", "migrate", 0.5),
    ("keys of the trainer of LightningCLI", "migrate", 0.5),
    ("keys in info.json", "inspect-dataset", 0.5),
    ("keys in one feature", "inspect-dataset", 0.5),
    ("broken features", "inspect-dataset", 0.2),
    ("axes of a shape", "list-policies --for", 0.2),
    ("a long data_path", "inspect-dataset", 1),
    ("nested stats.json", "inspect-dataset", 1),
    ("tasks", "inspect-dataset", 0.2),
    ("tasks with one number", "inspect-dataset", 0.2),
    ("episodes", "list-policies --for", 0.2),
    ("a table per episode under one name", "inspect-dataset", 0.5),
    ("episodes of version 2.1 under one name", "inspect-dataset", 0.5),
]


@pytest.fixture(scope="module")
def sizes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_sizes", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile_sizes"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("name", "command", "part"), CASES, ids=[f"{name}, {command}" for name, command, _ in CASES])
def test_the_cost_grows_with_the_size(name: str, command: str, part: float, sizes: ModuleType, tmp_path: Path) -> None:
    full = int((sizes.RECIPES | sizes.DATASETS)[name][0] * part)
    inputs = []
    for size in (max(full // 100, 2), full // 2, full):
        folder = tmp_path / str(size)
        folder.mkdir()
        inputs.append((sizes.build(name, size, folder)[0][command], folder))
    tries = []
    for _ in range(2):  # the second one only where a busy machine spoilt the first
        took = [sizes.cost(words, folder) for words, folder in inputs]
        assert not any(cost.failed or cost.ended for cost in took), took
        least, half, whole = (cost.seconds for cost in took)
        tries.append(took)
        if whole - least <= GROWTH * max(half - least, 0) + NOISE:
            return
    raise AssertionError(f"the cost grows faster than the size: {tries}")


@pytest.mark.slow
def test_every_input_of_the_benchmark_can_be_built(sizes: ModuleType, tmp_path: Path) -> None:
    for number, name in enumerate(sizes.RECIPES | sizes.DATASETS):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert sizes.build(name, 4, folder)[0]
