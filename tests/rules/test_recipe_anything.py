"""Any value at any place of a recipe: always findings, never a crashing rule, and soon."""

from pathlib import Path

import pytest
from cpu_time import timed
from hypothesis import given, settings
from hypothesis import strategies as st

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Change
from getiaction_cli.recipe import apply_edits, edits_for, read

RECIPE = (
    (Path(__file__).parents[1] / "cases" / "ok" / "merged.yaml")
    .read_text()
    .replace("    <<: {dim_model: 256, n_heads: 8}\n", "")
)
WRAPPED = """model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: diffusion
    learning_rate: 1.0e-4
    config_kwargs: {horizon: 16, n_action_steps: 8, crop_shape: [84, 84]}
    input_features: [observation.image, observation.state]
    rename_map: {a: b}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    root:
    episodes: [0, 1]
    delta_timestamps: {action: [0.0, 0.1]}
    val_split: 0.5
trainer: {max_steps: 10, devices: 1, precision: 32, callbacks: [], logger: false}
"""
WEIRD = [
    *(
        None,
        True,
        "no",
        "",
        "x" * 300,
        -1,
        0,
        10**30,
        1e308,
        float("inf"),
        float("nan"),
        "\x07",
        "../../etc/passwd",
        "機械",
    ),
    *([], {}, [[]], [None], {"a": {"b": []}}, ["a", 1, None], {"class_path": "os.system"}, [1.5], {"": 1}),
]


@pytest.fixture(scope="module")
def shared(lerobot_home: Path) -> SharedInputs:
    return SharedInputs(offline=True)


def crashes(text: str, shared: SharedInputs) -> list[str]:
    report = verdict(read("r.yaml", text=text), shared)
    return [d.message for d in report.diagnostics if "crashed" in d.message]


def crashing(text: str, shared: SharedInputs, each: int) -> set[str]:
    """The rules that crash when values are put at every place; at each place only every so many."""
    recipe = read("r.yaml", text=text)
    found = set()
    for number, (route, _) in enumerate(recipe.walk()):
        for value in WEIRD[number % each :: each] if route else ():
            edits = edits_for(recipe, Change("", set=((route, value),)))
            for message in crashes(apply_edits(text, edits), shared):
                found.add(f"{route} = {str(value)[:40]}: {message[:150]}")
    return found


@pytest.mark.parametrize("text", [RECIPE, WRAPPED], ids=["class", "wrapper"])
def test_weird_values_here_and_there(text: str, shared: SharedInputs) -> None:
    assert crashing(text, shared, each=8) == set()


@pytest.mark.slow
@pytest.mark.parametrize("text", [RECIPE, WRAPPED], ids=["class", "wrapper"])
def test_weird_values_at_every_place(text: str, shared: SharedInputs) -> None:
    assert crashing(text, shared, each=1) == set()


keys = st.sampled_from(
    [
        "model",
        "data",
        "trainer",
        "class_path",
        "init_args",
        "chunk_size",
        "repo_id",
        "callbacks",
        "policy",
        "dataset",
        "lr",
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["act", "getiaction.policies.lerobot.ACT", "lerobot/pusht"])
)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=15
)


@settings(deadline=None, max_examples=100)
@given(tree=st.dictionaries(keys, trees, max_size=4))
def test_any_tree_is_judged(tree: dict[str, object], shared: SharedInputs) -> None:
    import yaml

    assert crashes(yaml.safe_dump(tree, allow_unicode=True), shared) == []


def test_the_cost_of_strange_keys_grows_with_their_number(shared: SharedInputs) -> None:
    def cost(number: int) -> float:
        keys = "".join(f"    train_batch_size_{n}: {n}\n" for n in range(number))
        strange = read("r.yaml", text=RECIPE.replace("    repo_id", keys + "    repo_id"))
        judged, seconds = timed(lambda: verdict(strange, shared))
        assert not judged.ok
        return seconds

    cost(10)
    assert cost(5000) < 4 * cost(2500) + 0.5  # twice as many; the rest is for a busy machine
