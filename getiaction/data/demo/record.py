"""Record the PushT demonstrations that ship with the package: `python -m getiaction.data.demo.record OUT`.

It needs gym-pusht (`pip install 'lerobot[pusht]'`). The same seed gives the same states and actions; the demonstrations
in `pusht-demo/` are what the defaults give. A start on which the pusher fails is left out, as a person who demonstrates
would leave it out.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gym_pusht.envs import PushTEnv

from getiaction.data.demo import REPO_ID
from getiaction.data.demo.pusher import Pusher
from getiaction.data.demo.quantiles import correct_quantiles
from getiaction.lerobot.datasets import LeRobotDataset

EPISODES = 26
LONGEST = 200  # steps; the plans that take longer wander
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


def demonstrate(seed: int) -> list[dict[str, Any]]:
    """One episode from the start that `seed` gives, as LeRobot frames without their task; it may end in failure."""
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
    """Demonstrations that reach the goal, with their seeds, from `first_seed` on."""
    seed = first_seed
    while True:
        frames = demonstrate(seed)
        if frames and frames[-1]["next.success"]:
            yield seed, frames
        seed += 1


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
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--seed", type=int, default=0, help="of the first start")
    arguments = parser.parse_args()
    record(arguments.out, arguments.episodes, arguments.seed)
