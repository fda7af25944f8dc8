"""Configurations small enough to train in seconds, and LeRobot's own training loop to compare with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import torch

ACT = {
    "dim_model": 32,
    "n_heads": 2,
    "dim_feedforward": 64,
    "n_encoder_layers": 1,
    "n_vae_encoder_layers": 1,
    "latent_dim": 4,
    "chunk_size": 4,
    "n_action_steps": 4,
    "pretrained_backbone_weights": None,
}
DIFFUSION = {
    "down_dims": [16, 32],
    "n_groups": 4,
    "diffusion_step_embed_dim": 16,
    "horizon": 8,
    "n_action_steps": 4,
    "num_train_timesteps": 4,
    "spatial_softmax_num_keypoints": 4,
    "use_separate_rgb_encoder_per_camera": False,
    "pretrained_backbone_weights": None,
}
VQBET = {
    "gpt_n_layer": 1,
    "gpt_n_head": 2,
    "gpt_input_dim": 16,
    "gpt_hidden_dim": 16,
    "gpt_output_dim": 16,
    "vqvae_n_embed": 4,
    "vqvae_embedding_dim": 8,
    "vqvae_enc_hidden_dim": 8,
    "crop_shape": None,
    "n_vqvae_training_steps": 5,
    "spatial_softmax_num_keypoints": 4,
    "pretrained_backbone_weights": None,
}
TDMPC = {
    "latent_dim": 8,
    "mlp_dim": 16,
    "q_ensemble_size": 2,
    "state_encoder_hidden_dim": 16,
    "image_encoder_hidden_dim": 4,
    "horizon": 2,
}
CONFIGS: dict[str, dict[str, Any]] = {"act": ACT, "diffusion": DIFFUSION, "vqbet": VQBET, "tdmpc": TDMPC}


def trainer(folder: Path, steps: int, *callbacks: L.Callback, **arguments: Any) -> L.Trainer:
    """A Lightning trainer on the CPU that writes nothing by itself."""
    defaults = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return L.Trainer(
        accelerator="cpu",
        max_steps=steps,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **{**defaults, "enable_model_summary": False, **arguments},
    )


class Watch(L.Callback):
    """Seeds every step, and keeps the first weights, each loss and each learning rate."""

    def __init__(self) -> None:
        self.first: dict[str, torch.Tensor] = {}
        self.losses: list[float] = []
        self.rates: list[float] = []

    def on_fit_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        self.first = {name: value.clone() for name, value in pl_module.lerobot_policy.state_dict().items()}

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        torch.manual_seed(trainer.fit_loop.total_batch_idx)
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.losses.append(outputs["loss"].item())


def upstream_losses(
    policy: Any,
    preprocessor: Any,
    batches: Iterator[dict[str, Any]],
    steps: int,
    camera_keys: list[str],
) -> tuple[list[float], list[float]]:
    """Train with lerobot-train's own `update_policy`, seeding each step as `Watch` does; losses and learning rates."""
    from accelerate import Accelerator
    from lerobot.scripts.lerobot_train import update_policy
    from lerobot.utils.logging_utils import AverageMeter, MetricsTracker

    config = policy.config
    preset = config.get_optimizer_preset()
    optimizer = preset.build(policy.get_optim_params())
    schedule = config.get_scheduler_preset()
    scheduler = schedule.build(optimizer, steps) if schedule is not None else None
    accelerator = Accelerator(step_scheduler_with_optimizer=False, cpu=True)
    policy, optimizer, scheduler = accelerator.prepare(policy, optimizer, scheduler)
    meters = {name: AverageMeter(name, ":.3f") for name in ("loss", "grad_norm", "lr", "update_s", "dataloading_s")}
    losses, rates = [], []
    for step in range(steps):
        batch = next(batches)
        torch.manual_seed(step)
        for key in camera_keys:
            if batch[key].dtype == torch.uint8:
                batch[key] = batch[key].to(dtype=torch.float32) / 255.0
        rates.append(optimizer.param_groups[0]["lr"])
        tracker = MetricsTracker(len(batch["index"]), 1, 1, meters)
        update_policy(
            tracker, policy, preprocessor(batch), optimizer, preset.grad_clip_norm, accelerator, lr_scheduler=scheduler
        )
        losses.append(tracker.loss.val)
    return losses, rates


def upstream_data(root: Path, config: Any, batch_size: int, seed: int) -> tuple[Any, Iterator[dict[str, Any]]]:
    """LeRobot's own dataset and batches for a policy's configuration, as lerobot-train makes them."""
    from lerobot.datasets.factory import resolve_delta_timestamps
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    from lerobot.datasets.sampler import EpisodeAwareSampler
    from lerobot.utils.constants import IMAGENET_STATS
    from lerobot.utils.utils import cycle

    plain = LeRobotDataset("made/set", root=root, video_backend="pyav")
    dataset = LeRobotDataset(
        "made/set",
        root=root,
        delta_timestamps=resolve_delta_timestamps(config, plain.meta),
        video_backend="pyav",
        return_uint8=True,
    )
    for key in dataset.meta.camera_keys:
        for name, value in IMAGENET_STATS.items():
            dataset.meta.stats[key][name] = torch.tensor(value, dtype=torch.float32)
    sampler = EpisodeAwareSampler(
        dataset.meta.episodes["dataset_from_index"],
        dataset.meta.episodes["dataset_to_index"],
        drop_n_last_frames=getattr(config, "drop_n_last_frames", 0),
        shuffle=True,
        seed=seed,
    )
    return dataset, cycle(torch.utils.data.DataLoader(dataset, batch_size=batch_size, sampler=sampler))
