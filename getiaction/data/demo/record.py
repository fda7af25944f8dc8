"""Record the PushT demo datasets that ship with the package: `python -m getiaction.data.demo.record OUT`.

It needs gym-pusht (`pip install 'lerobot[pusht]'`). The same seed gives the same states and actions; `pusht-demo/` was
recorded with the defaults, `pusht-keypoints-demo/` with `--keypoints`. Episodes in which the pusher fails are left out,
as a human demonstrator would leave them out.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from gym_pusht.envs import PushTEnv

from getiaction.data.demo import KEYPOINTS_ID, REPO_ID
from getiaction.data.demo.pusher import DIRECT, Pusher
from getiaction.data.demo.quantiles import correct_quantiles
from getiaction.lerobot.datasets import LeRobotDataset

EPISODES = 26
KEYPOINTS_EPISODES = 100
COVERED = 0.6  # of the goal at the best moment; a demonstration with keypoints that reaches less is left out
LONGEST = 200  # steps; longer plans do not converge
TASK = "Push the T-shaped block onto the T-shaped target."
MOTORS = {"motors": ["motor_0", "motor_1"]}
# As in lerobot/pusht.
FEATURES: dict[str, dict[str, Any]] = {
    "observation.image": {"dtype": "video", "shape": (96, 96, 3), "names": ["height", "width", "channel"]},
    "observation.state": {"dtype": "float32", "shape": (2,), "names": MOTORS},
    "action": {"dtype": "float32", "shape": (2,), "names": MOTORS},
    "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
    "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    "next.success": {"dtype": "bool", "shape": (1,), "names": None},
}

# As in lerobot/pusht_keypoints.
KEYPOINTS: dict[str, dict[str, Any]] = {
    "observation.environment_state": {
        "dtype": "float32",
        "shape": (16,),
        "names": {"keypoints": [f"keypoint_{number}" for number in range(16)]},
    },
    **{key: feature for key, feature in FEATURES.items() if key != "observation.image"},
}


def demonstrate(seed: int) -> list[dict[str, Any]]:
    """One episode from the initial state of `seed`, as LeRobot frames without task; it may fail."""
    env = PushTEnv(obs_type="pixels_agent_pos")
    observation, _ = env.reset(seed=seed)
    frames = []
    for target in Pusher(env).actions():
        action = np.array(target, dtype=np.float32)
        seen = observation
        observation, reward, success, _, _ = env.step(action)
        frames.append(
            {
                "observation.image": seen["pixels"],
                "observation.state": seen["agent_pos"].astype(np.float32),
                "action": action,
                "next.reward": np.array([reward], dtype=np.float32),
                "next.done": np.array([success]),
                "next.success": np.array([success]),
            }
        )
        if success or len(frames) == LONGEST:
            break
    return frames


def successes(first_seed: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield the demonstrations that reach the goal, with their seeds, from `first_seed`."""
    seed = first_seed
    while True:
        frames = demonstrate(seed)
        if frames and frames[-1]["next.success"]:
            yield seed, frames
        seed += 1


def demonstrate_keypoints(seed: int) -> list[dict[str, Any]]:
    """One episode of the direct pusher, with the corners of the T instead of an image, all in whole pixels.

    It ends with success, or if no push is worth its way. Empty if the goal was never covered enough.
    """
    env = PushTEnv(obs_type="environment_state_agent_pos")
    observation, _ = env.reset(seed=seed)
    frames = []
    best = 0.0
    for target in Pusher(env, DIRECT).actions():
        action = np.array(target, dtype=np.float32)
        seen = observation
        observation, reward, success, _, info = env.step(action)
        best = max(best, info["coverage"])
        frames.append(
            {
                "observation.environment_state": seen["environment_state"].round().astype(np.float32),
                "observation.state": seen["agent_pos"].round().astype(np.float32),
                "action": action,
                "next.reward": np.array([reward], dtype=np.float32).round(2),
                "next.done": np.array([success]),
                "next.success": np.array([success]),
            }
        )
        if success or len(frames) == LONGEST:
            break
    return frames if best >= COVERED else []


def record_keypoints(root: Path, episodes: int = KEYPOINTS_EPISODES, first_seed: int = 0) -> None:
    """Write a LeRobot v3.0 dataset of `episodes` demonstrations without pictures to the new folder `root`."""
    dataset = LeRobotDataset.create(KEYPOINTS_ID, fps=10, features=KEYPOINTS, root=root, robot_type="unknown")
    seed = first_seed
    while dataset.meta.total_episodes < episodes:
        if frames := demonstrate_keypoints(seed):
            for frame in frames:
                dataset.add_frame({**frame, "task": TASK})
            dataset.save_episode()
            sys.stdout.write(f"seed {seed}: {len(frames)} frames, reward {frames[-1]['next.reward'].item():.2f}\n")
        seed += 1
    dataset.finalize()
    correct_quantiles(root)
    for table in root.rglob("file-*.parquet"):
        compact(table)


def compact(table: Path) -> None:
    """Rewrite a table as one row group: LeRobot's row groups per episode make it three to four times larger."""
    pq.write_table(pq.ParquetFile(table).read(), table, compression="zstd", compression_level=19)


def record(root: Path, episodes: int = EPISODES, first_seed: int = 0) -> None:
    """Write a LeRobot v3.0 dataset of `episodes` demonstrations to the new folder `root`."""
    dataset = LeRobotDataset.create(REPO_ID, fps=10, features=FEATURES, root=root, robot_type="unknown")
    pictures = []
    for seed, frames in successes(first_seed):
        for frame in frames:
            pictures.append(frame["observation.image"])
            dataset.add_frame({**frame, "task": TASK})
        dataset.save_episode()
        sys.stdout.write(f"seed {seed}: {len(frames)} frames, reward {frames[-1]['next.reward'].item():.2f}\n")
        if dataset.meta.total_episodes == episodes:
            break
    dataset.finalize()
    shutil.rmtree(root / "images", ignore_errors=True)  # LeRobot leaves its empty folder behind
    correct_quantiles(root, {"observation.image": np.stack(pictures)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Record the PushT demonstrations that ship with getiaction.")
    parser.add_argument("out", type=Path, help="folder to write; it must not exist")
    parser.add_argument("--keypoints", action="store_true", help="corners of the T instead of pictures")
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--seed", type=int, default=0, help="of the first start")
    arguments = parser.parse_args()
    if arguments.keypoints:
        record_keypoints(arguments.out, arguments.episodes or KEYPOINTS_EPISODES, arguments.seed)
    else:
        record(arguments.out, arguments.episodes or EPISODES, arguments.seed)
