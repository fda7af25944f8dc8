"""What LeRobot itself does with a dataset: loads it, reads samples, normalizes a batch, trains a tiny ACT."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path


def lerobot_on(root: Path) -> str:
    """ "trains", "trains on NaN", or the step at which LeRobot stops and with what."""
    step = "load"
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            step, loss = "load", 0.0
            dataset = _dataset(root)
            step = "read samples"
            count = len(dataset)
            items = [dataset[i] for i in sorted({*range(0, count, max(1, count // 12)), count - 1})]
            step = "build the policy"
            policy, preprocess = _policy(dataset)
            step = "train"
            loss = _train(policy, preprocess, items)
    except Exception as error:
        text = str(error).strip().split("\n")[0][:110]
        return f"stops at {step}: {type(error).__name__}: {text}".replace(str(root), "…")
    return "trains" if loss == loss and abs(loss) < 1e9 else "trains on NaN"


def _dataset(root: Path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset, LeRobotDatasetMetadata

    meta = LeRobotDatasetMetadata("made/damaged", root=root)
    steps = {"action": [i / meta.fps for i in range(8)]}
    dataset = LeRobotDataset("made/damaged", root=root, delta_timestamps=steps, video_backend="pyav")
    # As lerobot-train does by default (datasets/factory.py, make_dataset).
    for key in dataset.meta.camera_keys:
        dataset.meta.stats[key] |= {}
    return dataset


def _policy(dataset):
    from lerobot.configs.types import FeatureType
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors
    from lerobot.utils.feature_utils import dataset_to_policy_features

    features = dataset_to_policy_features(dataset.meta.features)
    config = ACTConfig(
        input_features={k: f for k, f in features.items() if f.type is not FeatureType.ACTION},
        output_features={k: f for k, f in features.items() if f.type is FeatureType.ACTION},
        chunk_size=8,
        n_action_steps=8,
        dim_model=32,
        n_heads=2,
        dim_feedforward=32,
        n_encoder_layers=1,
        n_vae_encoder_layers=1,
        pretrained_backbone_weights=None,
        device="cpu",
        push_to_hub=False,
    )
    policy = ACTPolicy(config)
    preprocess, _ = make_pre_post_processors(config, dataset_stats=dataset.meta.stats)
    return policy, preprocess


def _train(policy, preprocess, items) -> float:
    import torch
    from torch.utils.data import default_collate

    optimizer = torch.optim.SGD(policy.parameters(), lr=1e-4)
    policy.train()
    total = 0.0
    for start in (0, len(items) // 2):
        batch = preprocess(default_collate(items[start : start + len(items) // 2 + 1]))
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += float(loss)
    return total
