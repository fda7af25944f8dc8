"""Rollouts of a trained policy, one environment at a time and several: `python benchmarks/rollouts.py RUN TYPE`.

The ratio of processor times is printed, and that the rewards are the same. Times are of this machine.
"""

import argparse
import time

from getiaction.evaluation.rollouts import fitted, run
from getiaction.evaluation.run import load
from getiaction.evaluation.source import find
from getiaction.lerobot.environments import Actor
from getiaction.spec.evaluation import Evaluation
from getiaction_cli.environments import environments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run folder or a pretrained_model folder")
    parser.add_argument("environment", help="as pusht")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--episode-length", type=int, default=60)
    arguments = parser.parse_args()
    policy = load(find(arguments.run), "cpu")
    assert policy.lerobot_policy is not None
    actor = Actor(policy.lerobot_policy, policy.preprocessor, policy.postprocessor)
    env = {"type": arguments.environment, "episode_length": arguments.episode_length}
    env = fitted(env, actor, environments()[arguments.environment].observation_types)
    seconds = {}
    for together in (1, arguments.episodes):
        options = Evaluation(env, episodes=arguments.episodes, batch_size=together, video=0)
        run(Evaluation(env, episodes=1, batch_size=1, video=0), actor)  # what is imported and compiled once
        begun = time.process_time()
        report = run(options, actor)
        seconds[together] = time.process_time() - begun
        steps = sum(episode.steps for episode in report.episodes)
        print(
            f"{together:3} together: {steps / seconds[together]:7.0f} steps per processor second, "
            f"best reward {report.max_reward[0]:.4f}"
        )
    print(f"{seconds[1] / seconds[arguments.episodes]:.1f} times the steps per second")


if __name__ == "__main__":
    main()
