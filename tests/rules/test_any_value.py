"""No value in a dataset's files or in a recipe makes a rule crash."""

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verdict_helpers import HEALTHY

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.recipe import read

POLICIES = ("ACT", "Diffusion", "VQBeT", "TDMPC", "SmolVLA", "PI0", "PI0Fast", "GROOT", "XVLA", "Evo1", "WallX", "EO1")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**30, -1, 0, 1e308])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
SLOW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


def places(value: Any, route: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The routes to everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, inner in inside for each in [(*route, key), *places(inner, (*route, key))]]


def put(value: Any, route: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(value)
    parent = changed
    for key in route[:-1]:
        parent = parent[key]
    parent[route[-1]] = new
    return changed


def judge(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=HEALTHY))
    assert [d.message for d in report.diagnostics if "crashed" in d.message] == []


def recipe(policy: str, root: Path) -> dict[str, Any]:
    return {
        "seed": 1,
        "model": {"class_path": f"getiaction.policies.lerobot.{policy}", "init_args": {"learning_rate": 1e-4}},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "me/any", "root": str(root), "train_batch_size": 8, "val_split": 0.1},
        },
        "trainer": {"max_steps": 10, "callbacks": [{"class_path": "lightning.pytorch.callbacks.LearningRateMonitor"}]},
    }


@pytest.fixture
def root(toy_root: Path, copy_of: Callable[[Path], Path]) -> Path:
    return copy_of(toy_root)


@pytest.mark.parametrize("name", ["meta/info.json", "meta/stats.json"])
def test_any_value_in_a_file_of_the_dataset(root: Path, name: str) -> None:
    whole = json.loads((root / name).read_text())
    routes = places(whole)

    @SLOW
    @given(st.sampled_from(routes), VALUES, st.sampled_from(POLICIES))
    def check(route: tuple[Any, ...], value: Any, policy: str) -> None:
        (root / name).write_text(json.dumps(put(whole, route, value)))
        judge(yaml.safe_dump(recipe(policy, root)))

    check()


def test_any_value_in_the_recipe(root: Path) -> None:
    @SLOW
    @given(st.data(), VALUES, st.sampled_from(POLICIES))
    def check(data: st.DataObject, value: Any, policy: str) -> None:
        whole = recipe(policy, root)
        route = data.draw(st.sampled_from(places(whole)))
        judge(yaml.safe_dump(put(whole, route, value), allow_unicode=True))

    check()
