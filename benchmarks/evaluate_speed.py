"""Evaluation speed: `getiaction evaluate` against a loop of LeRobot's `select_action` over LeRobotDataset, on the CPU.

    python benchmarks/evaluate_speed.py [--episodes 2]

Both predict every frame of the same episodes of the PushT demonstrations with the same weights, and must predict the
same actions. The loop is what a practitioner writes by hand: one frame decoded, one `select_action`. Evaluate is timed
twice: with the frame store that a training leaves behind, and without it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np

POLICIES: dict[str, dict[str, Any]] = {
    "act": {
        "chunk_size": 16,
        "n_action_steps": 8,
        "dim_model": 128,
        "n_heads": 4,
        "dim_feedforward": 512,
        "n_encoder_layers": 2,
        "use_vae": False,
        "pretrained_backbone_weights": None,
    },
    "diffusion": {
        "down_dims": [64, 128],
        "horizon": 16,
        "n_action_steps": 8,
        "noise_scheduler_type": "DDIM",
        "num_inference_steps": 10,
        "pretrained_backbone_weights": None,
        "crop_shape": None,
    },
}


def build(name: str) -> tuple[Any, Any, Path]:
    """A policy with random weights and the demonstrations' statistics, their metadata and folder."""
    import torch

    from getiaction.data.lerobot import find
    from getiaction.policies.lerobot import LeRobotPolicy
    from getiaction.spec.dataset_layout import DEMO_ID

    torch.manual_seed(0)
    place, meta = find(DEMO_ID, None, None)
    assert place is not None
    features = {key: meta.features[key] for key in ("observation.image", "observation.state", "action")}
    policy = LeRobotPolicy(
        name,
        config_kwargs=POLICIES[name],
        input_features=features,
        output_features=features,
        dataset_stats=meta.stats,
    )
    return policy, meta, place


def by_hand(policy: Any, place: Path, episodes: list[int]) -> np.ndarray:
    """Frame after frame, as LeRobot's own evaluation does in simulation; `(frames, action)`."""
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    inner = policy.lerobot_policy.eval()
    dataset = LeRobotDataset("getiaction/pusht-demo", root=place, episodes=episodes, video_backend="pyav")
    actions = []
    for i in range(len(dataset)):
        sample = dataset[i]
        if int(sample["frame_index"]) == 0:
            inner.reset()
        seen = {k: v[None] if isinstance(v, torch.Tensor) else [v] for k, v in sample.items() if "observation" in k}
        seen["task"] = [sample["task"]]
        with torch.inference_mode():
            actions.append(policy.postprocessor(inner.select_action(policy.preprocessor(seen)))[0].numpy())
    return np.stack(actions)


def ours(policy: Any, meta: Any, place: Path, episodes: list[int], *, store: bool) -> np.ndarray:
    """As `getiaction evaluate` predicts; `(frames, action)`."""
    from getiaction.data.lerobot import Collate, LeRobotDataModule
    from getiaction.data.moments import Moments
    from getiaction.evaluation import open_loop

    module = LeRobotDataModule("getiaction/pusht-demo", frame_store="auto" if store else "off")
    moments = Moments(
        module.pipeline(meta, place, build=store).open_anywhere(episodes),
        Collate(meta),
        steps=policy.steps_per_prediction,
        observations=policy.observations_per_prediction,
        batch_size=open_loop.batch_size(meta, policy.observations_per_prediction),
    )
    return open_loop.predict(policy, moments).actions


def without_noise(size: Any = None, *shape: Any, **options: Any) -> Any:
    """Noise that is the same for one sample and for each of a batch: else the two could not be compared."""
    import torch

    size = tuple(options.get("size") or (size if isinstance(size, tuple | list) else (size, *shape)))
    return torch.sin(torch.arange(int(np.prod(size[1:])))).reshape(1, *size[1:]).repeat(size[0], *[1] * (len(size) - 1))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--episodes", type=int, default=2)
    chosen = list(range(arguments.parse_args().episodes))
    import torch

    print("| policy | frames/s, select_action loop | evaluate | ratio | without a frame store | ratio | difference |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["GETIACTION_CACHE"] = cache
        for name in POLICIES:
            policy, meta, place = build(name)
            original, torch.randn = torch.randn, without_noise
            ours(policy, meta, place, chosen[:1], store=True)  # what a training has built
            times, actions = [], []
            for predict in (
                partial(by_hand, policy, place, chosen),
                partial(ours, policy, meta, place, chosen, store=True),
                partial(ours, policy, meta, place, chosen, store=False),
            ):
                begun = time.monotonic()
                actions.append(predict())
                times.append(time.monotonic() - begun)
            torch.randn = original
            frames = len(actions[0])
            scale = actions[0].max(axis=0) - actions[0].min(axis=0)
            difference = max(float((np.abs(other - actions[0]) / scale).max()) for other in actions[1:])
            assert difference < 1e-2, f"the predictions differ by {difference:.2g} of their range"
            loop, stored, bare = (frames / seconds for seconds in times)
            print(
                f"| {name} | {loop:.0f} | {stored:.0f} | {stored / loop:.1f} | {bare:.0f} | {bare / loop:.1f} "
                f"| {difference:.1e} of the range |"
            )


if __name__ == "__main__":
    main()
