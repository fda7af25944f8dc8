"""The demonstrations that ship: what they are, that they are real, and that the script gives them again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from getiaction.data import demo

TASK = "Push the T-shaped block onto the T-shaped target."
MOTORS = {"motors": ["motor_0", "motor_1"]}
# meta/info.json of lerobot/pusht on the Hub, without what describes the video files.
PUSHT = {
    "observation.image": {"dtype": "video", "shape": [96, 96, 3], "names": ["height", "width", "channel"]},
    "observation.state": {"dtype": "float32", "shape": [2], "names": MOTORS},
    "action": {"dtype": "float32", "shape": [2], "names": MOTORS},
    "episode_index": {"dtype": "int64", "shape": [1], "names": None},
    "frame_index": {"dtype": "int64", "shape": [1], "names": None},
    "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    "next.reward": {"dtype": "float32", "shape": [1], "names": None},
    "next.done": {"dtype": "bool", "shape": [1], "names": None},
    "next.success": {"dtype": "bool", "shape": [1], "names": None},
    "index": {"dtype": "int64", "shape": [1], "names": None},
    "task_index": {"dtype": "int64", "shape": [1], "names": None},
}


@pytest.fixture(scope="module")
def info() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((demo.PATH / "meta/info.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def table() -> Any:
    return pq.ParquetFile(demo.PATH / "data/chunk-000/file-000.parquet").read()


def episode(table: Any, index: int, column: str) -> np.ndarray:
    inside = np.asarray(table["episode_index"]) == index
    return np.stack(table[column].to_numpy(zero_copy_only=False))[inside]


def test_the_features_are_those_of_lerobot_pusht(info: dict[str, Any]) -> None:
    described = {key: {k: f[k] for k in ("dtype", "shape", "names")} for key, f in info["features"].items()}
    assert described == PUSHT
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 10, "unknown")
    tasks = pq.read_table(demo.PATH / "meta/tasks.parquet").to_pylist()
    assert [t["task"] for t in tasks] == [TASK]


def test_there_are_enough_and_they_are_small(info: dict[str, Any]) -> None:
    assert info["total_episodes"] >= 20
    assert sum(file.stat().st_size for file in demo.PATH.rglob("*") if file.is_file()) < 3_000_000


def test_every_episode_ends_with_the_block_on_its_target(info: dict[str, Any], table: Any) -> None:
    for index in range(info["total_episodes"]):
        reward = episode(table, index, "next.reward")
        assert reward[-1] == 1.0
        assert reward[0] < 0.6
        done = episode(table, index, "next.done")
        assert done[-1]
        assert not done[:-1].any()
        assert (episode(table, index, "next.success") == done).all()


def test_the_quantiles_are_true(table: Any) -> None:
    stats = json.loads((demo.PATH / "meta/stats.json").read_text())
    actions = np.stack(table["action"].to_numpy(zero_copy_only=False)).astype(np.float64)
    for name, q in (("q01", 0.01), ("q50", 0.5), ("q99", 0.99)):
        np.testing.assert_allclose(stats["action"][name], np.quantile(actions, q, axis=0))
        assert np.shape(stats["observation.image"][name]) == (3, 1, 1)


def test_the_physics_agree(table: Any) -> None:
    """The recorded actions, given to gym-pusht, lead through the recorded states to the recorded rewards."""
    from gym_pusht.envs import PushTEnv

    env = PushTEnv(obs_type="state")
    observation, _ = env.reset(seed=0)
    actions, states = episode(table, 0, "action"), episode(table, 0, "observation.state")
    for action, state, reward in zip(actions, states, episode(table, 0, "next.reward"), strict=True):
        np.testing.assert_allclose(observation[:2], state, atol=1e-2)
        observation, given, *_ = env.step(action)
        assert given == pytest.approx(reward, abs=1e-3)


def test_lerobot_reads_every_frame(info: dict[str, Any]) -> None:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset(demo.REPO_ID, root=demo.PATH, video_backend="pyav")
    assert len(dataset) == info["total_frames"]
    item = dataset[len(dataset) - 1]
    assert item["observation.image"].shape == (3, 96, 96)
    assert item["task"] == TASK
    # Mostly white ground, and the blue pusher somewhere on it.
    assert item["observation.image"].mean() > 0.8
    assert ((item["observation.image"][2] - item["observation.image"][0]) > 0.3).any()


def test_naming_the_demo_imports_only_the_standard_library() -> None:
    script = "import sys; from getiaction.data import demo; print(*{name.split('.')[0] for name in sys.modules})"
    run = [sys.executable, "-S", "-c", script]  # -S: no .pth file may import anything either
    out = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert set(out.stdout.split()) - set(sys.stdlib_module_names) == {"__main__", "getiaction"}


@pytest.mark.slow
def test_the_script_records_them_again(tmp_path: Path, table: Any) -> None:
    out = tmp_path / "again"
    command = [sys.executable, "-m", "getiaction.data.demo.record", str(out), "--episodes", "2"]
    subprocess.run(command, check=True, capture_output=True)
    again = pq.ParquetFile(out / "data/chunk-000/file-000.parquet").read()
    for index in (0, 1):
        for column in ("observation.state", "action", "next.reward", "next.success"):
            np.testing.assert_array_equal(episode(again, index, column), episode(table, index, column))


# -- with keypoints --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keypoints() -> Any:
    return pq.ParquetFile(demo.KEYPOINTS_PATH / "data/chunk-000/file-000.parquet").read()


def test_the_keypoints_are_small_and_whole() -> None:
    described = json.loads((demo.KEYPOINTS_PATH / "meta/info.json").read_text())
    assert described["features"]["observation.environment_state"]["shape"] == [16]
    assert described["features"]["observation.state"]["shape"] == [2]
    assert described["total_episodes"] == 100
    assert sum(file.stat().st_size for file in demo.KEYPOINTS_PATH.rglob("*") if file.is_file()) < 500_000


def test_every_demonstration_covers_the_goal(keypoints: Any) -> None:
    for index in range(100):
        reward = episode(keypoints, index, "next.reward")
        assert reward.max() >= 0.6
        assert len(reward) <= 200


def test_the_physics_agree_with_the_keypoints(keypoints: Any) -> None:
    from gym_pusht.envs import PushTEnv

    env = PushTEnv(obs_type="environment_state_agent_pos")
    observation, _ = env.reset(seed=0)
    columns = ("action", "observation.environment_state", "observation.state", "next.reward")
    for action, corners, state, reward in zip(*(episode(keypoints, 0, name) for name in columns), strict=True):
        np.testing.assert_allclose(observation["environment_state"], corners, atol=0.51)
        np.testing.assert_allclose(observation["agent_pos"], state, atol=0.51)
        observation, given, *_ = env.step(action)
        assert given == pytest.approx(reward, abs=6e-3)


@pytest.mark.slow
def test_the_script_records_the_keypoints_again(tmp_path: Path, keypoints: Any) -> None:
    out = tmp_path / "again"
    command = [sys.executable, "-m", "getiaction.data.demo.record", str(out), "--keypoints", "--episodes", "2"]
    subprocess.run(command, check=True, capture_output=True)
    again = pq.ParquetFile(out / "data/chunk-000/file-000.parquet").read()
    for column in ("observation.environment_state", "observation.state", "action", "next.reward"):
        for index in (0, 1):
            np.testing.assert_array_equal(episode(again, index, column), episode(keypoints, index, column))
