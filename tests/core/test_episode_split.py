"""Training and the verdict hold out the same episodes: one rule, applied to LeRobot's table and to the columns read."""

import json
from pathlib import Path

import make_dataset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from getiaction.data.lerobot import split_episodes
from getiaction.lerobot.datasets import LeRobotDatasetMetadata
from getiaction.spec.episode_split import held_out
from getiaction_cli.checking.recipe_context import RecipeContext
from getiaction_cli.recipe import read

RECIPE = """
model: {{class_path: getiaction.policies.lerobot.ACT, init_args: {{chunk_size: 4, n_action_steps: 4}}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    {{repo_id: made/tasks, root: {root}, episodes: {episodes}, exclude_episodes: {excluded}, val_split: {val_split}}}
trainer: {{max_steps: 1}}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("split") / "tasks"
    return make_dataset.make(folder, lengths=[8] * 9, tasks=["a", "b", "c"], storage="image")


@pytest.mark.parametrize("episodes", [None, [0, 3, 6, 1], [8, 5, 2, 0], [7, 4]])
@pytest.mark.parametrize("excluded", [None, [4], [0, 7]])
@pytest.mark.parametrize("val_split", [0.0, 0.2, 0.5, 0.9])
def test_both_halves_hold_out_the_same_episodes(
    root: Path, episodes: list[int] | None, excluded: list[int] | None, val_split: float
) -> None:
    if episodes and excluded and len(set(episodes) - set(excluded)) < 2:
        return
    listed = {"episodes": json.dumps(episodes), "excluded": json.dumps(excluded)}
    text = RECIPE.format(root=root, val_split=val_split, **listed)
    fit = RecipeContext(read("recipe.yaml", text=text)).fit
    train, held = split_episodes(LeRobotDatasetMetadata("made/tasks", root=root), episodes, val_split, excluded)
    trained = list(range(9)) if train is None else train
    assert fit.held_out == held
    assert [row for row in fit.chosen.tolist() if row not in fit.held_out] == trained
    assert len(fit.lengths) == len(trained)
    assert not set(excluded or ()) & {*trained, *held}


@given(st.lists(st.sampled_from("abc"), max_size=30), st.floats(0, 1, exclude_max=True))
def test_no_task_loses_all_its_episodes_and_the_last_ones_go(tasks: list[str], val_split: float) -> None:
    held = held_out(tasks, val_split)
    assert len(set(held)) == len(held)
    kept = [position for position in range(len(tasks)) if position not in held]
    if any(tasks.count(task) > 1 for task in tasks):
        assert {tasks[position] for position in kept} == set(tasks)
        same_task = [(k, h) for k in kept for h in held if tasks[k] == tasks[h]]
        assert all(k < h for k, h in same_task)
    if val_split and len(tasks) > 1:
        assert held
