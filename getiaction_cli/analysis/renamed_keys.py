"""Keys that were once called otherwise, or are called otherwise by LeRobot's trainer, Lightning's or physicalai's.

From the section a word stands in to what it is called here: a route, or None for what there is no more, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SAVES = "a ModelCheckpoint in trainer.callbacks says when to save (every_n_train_steps)"
_PRECISION = "trainer.precision says it (bf16-mixed, 16-mixed)"
_SAFE_LOADING = "checkpoints are always read without running code from them"

RENAMED: dict[tuple[str, str], tuple[str | None, str]] = {
    # Lightning's and LeRobot's command lines
    ("", "seed_everything"): ("seed", "Lightning's name for it"),
    ("", "steps"): ("trainer.max_steps", "LeRobot's name for it"),
    ("", "max_steps"): ("trainer.max_steps", ""),
    ("", "batch_size"): ("data.init_args.train_batch_size", "LeRobot's name for it"),
    ("", "num_workers"): ("data.init_args.num_workers", "LeRobot keeps it at the top"),
    ("", "tolerance_s"): ("data.init_args.tolerance_s", "LeRobot keeps it at the top"),
    ("", "ema"): ("model.init_args.ema", "it is part of the model"),
    ("", "rename_map"): ("model.init_args.rename_map", "LeRobot keeps it at the top"),
    ("", "log_freq"): ("trainer.log_every_n_steps", "LeRobot's name for it"),
    ("", "save_freq"): (None, _SAVES),
    ("", "eval_freq"): (None, "trainer.val_check_interval says when to validate"),
    ("", "eval_steps"): (None, "trainer.limit_val_batches says how much to validate"),
    ("", "use_policy_training_preset"): (None, "the policy's own optimizer and schedule are always used"),
    ("", "resume"): (None, "`getiaction train --resume RUN` resumes a run"),
    ("", "job_name"): ("output_dir", "a run is known by its folder"),
    ("", "ckpt"): (None, "`getiaction train --resume RUN` resumes a run"),
    ("", "ckpt_path"): (None, "`getiaction train --resume RUN` resumes a run"),
    ("", "wandb"): (None, "a WandbLogger in trainer.logger does it"),
    ("", "optimizer"): (None, "the policy's own optimizer is used; model.init_args.learning_rate sets its rate"),
    ("", "scheduler"): (None, "the policy's own schedule is used"),
    ("", "lr_scheduler"): (None, "the policy's own schedule is used"),
    ("", "env"): ("evaluation.env", "LeRobot's name for it"),
    ("", "eval"): ("evaluation", "LeRobot's name for it"),
    ("", "peft"): ("model.init_args.peft", "it is part of the model"),
    ("", "policy"): ("model", "LeRobot's name for it"),
    ("", "dataset"): ("data", "LeRobot's name for it"),
    ("", "device"): ("trainer.accelerator", ""),
    ("", "lr"): ("model.init_args.learning_rate", ""),
    ("", "learning_rate"): ("model.init_args.learning_rate", ""),
    ("", "reward_model"): (None, "getiaction trains policies, not reward models"),
    ("", "cudnn_deterministic"): ("trainer.deterministic", "LeRobot's name for it"),
    ("", "prefetch_factor"): (None, "data.init_args.num_workers says how much is read ahead"),
    ("", "persistent_workers"): (None, "worker processes always stay for the whole run"),
    ("", "dataloader_multiprocessing_context"): (None, "the way that worker processes start is chosen for the machine"),
    ("", "max_eval_samples"): (None, "trainer.limit_val_batches says how much to validate"),
    ("", "save_checkpoint"): (None, _SAVES),
    ("", "save_checkpoint_to_hub"): (None, "training never uploads anything"),
    ("", "job"): (None, "training runs on this machine"),
    ("", "sample_weighting"): (None, "every frame has the same weight"),
    ("", "use_rabc"): (None, "LeRobot has taken it out"),
    ("", "grad_clip_norm"): ("trainer.gradient_clip_val", "LeRobot's name for it"),
    ("", "gradient_clip_val"): ("trainer.gradient_clip_val", ""),
    ("", "weights_only"): (None, _SAFE_LOADING),
    ("", "config"): (None, "the recipe is the configuration"),
    ("", "callbacks"): ("trainer.callbacks", ""),
    ("", "logger"): ("trainer.logger", ""),
    # data
    ("data.init_args", "batch_size"): ("data.init_args.train_batch_size", ""),
    ("data.init_args", "repo"): ("data.init_args.repo_id", ""),
    ("data.init_args", "dataset"): ("data.init_args.repo_id", ""),
    ("data.init_args", "dataset_id"): ("data.init_args.repo_id", ""),
    ("data.init_args", "dataset_repo_id"): ("data.init_args.repo_id", ""),
    ("data.init_args", "dataset_root"): ("data.init_args.root", ""),
    ("data.init_args", "local_dir"): ("data.init_args.root", ""),
    ("data.init_args", "eval_split"): ("data.init_args.val_split", "LeRobot's name for it"),
    ("data.init_args", "val_fraction"): ("data.init_args.val_split", ""),
    ("data.init_args", "val_ratio"): ("data.init_args.val_split", ""),
    ("data.init_args", "shuffle"): (None, "what is trained on is always shuffled, what is held out never"),
    ("data.init_args", "eval_batch_size"): ("data.init_args.val_batch_size", ""),
    ("data.init_args", "local_files_only"): (None, "LeRobot has taken it out; what is on this disk is found by itself"),
    ("data.init_args", "data_format"): (None, "batches always have LeRobot's own format"),
    ("data.init_args", "dataset_stats"): (None, "statistics are read from the dataset"),
    ("data.init_args", "download_videos"): (None, "videos are downloaded where the policy reads cameras"),
    ("data.init_args", "force_cache_sync"): (None, "data.init_args.revision names the version on the Hub to use"),
    ("data.init_args", "batch_encoding_size"): (None, "it concerns recording: training encodes no videos"),
    ("data.init_args", "streaming"): (None, "whole episodes are read"),
    ("data.init_args", "repo_type"): (None, "datasets of the Hub are read, not its buckets"),
    ("data.init_args", "return_uint8"): (None, "pictures stay whole numbers until the policy reads them"),
    ("data.init_args", "depth_output_unit"): (None, "depth is read in metres, as LeRobot does by default"),
    # model
    ("model.init_args", "batch_size"): ("data.init_args.train_batch_size", ""),
    ("model.init_args", "lr"): ("model.init_args.learning_rate", ""),
    ("model.init_args", "type"): ("model.init_args.policy_name", "LeRobot's name for it"),
    ("model.init_args", "name"): ("model.init_args.policy_name", ""),
    ("model.init_args", "policy"): ("model.init_args.policy_name", ""),
    ("model.init_args", "path"): ("model.init_args.pretrained_path", "LeRobot's name for it"),
    ("model.init_args", "policy_path"): ("model.init_args.pretrained_path", ""),
    ("model.init_args", "pretrained"): ("model.init_args.pretrained_path", ""),
    ("model.init_args", "pretrained_model_name_or_path"): ("model.init_args.pretrained_path", ""),
    ("model.init_args", "policy_config"): ("model.init_args.config_kwargs", ""),
    ("model.init_args", "policy_kwargs"): ("model.init_args.config_kwargs", ""),
    ("model.init_args", "kwargs"): ("model.init_args.config_kwargs", ""),
    ("model.init_args", "grad_clip_norm"): ("trainer.gradient_clip_val", ""),
    ("model.init_args", "dataset_stats"): (None, "statistics are read from the dataset"),
    ("model.init_args", "config"): ("model.init_args.config_kwargs", ""),
    ("model.init_args", "weights_only"): (None, _SAFE_LOADING),
    ("model.init_args", "use_amp"): (None, _PRECISION),
    # trainer
    ("trainer", "steps"): ("trainer.max_steps", ""),
    ("trainer", "num_steps"): ("trainer.max_steps", ""),
    ("trainer", "max_step"): ("trainer.max_steps", ""),
    ("trainer", "epochs"): ("trainer.max_epochs", ""),
    ("trainer", "num_epochs"): ("trainer.max_epochs", ""),
    ("trainer", "num_train_epochs"): ("trainer.max_epochs", ""),
    ("trainer", "train_steps"): ("trainer.max_steps", ""),
    ("trainer", "gradient_accumulation_steps"): ("trainer.accumulate_grad_batches", ""),
    ("trainer", "gpus"): (None, "trainer.accelerator: gpu and trainer.devices say it"),
    ("trainer", "device"): ("trainer.accelerator", ""),
    ("trainer", "batch_size"): ("data.init_args.train_batch_size", ""),
    ("trainer", "seed"): ("seed", ""),
    ("trainer", "lr"): ("model.init_args.learning_rate", ""),
    ("trainer", "learning_rate"): ("model.init_args.learning_rate", ""),
    ("trainer", "grad_clip_norm"): ("trainer.gradient_clip_val", "LeRobot's name for it"),
    ("trainer", "gradient_clip"): ("trainer.gradient_clip_val", ""),
    ("trainer", "grad_clip"): ("trainer.gradient_clip_val", ""),
    ("trainer", "max_grad_norm"): ("trainer.gradient_clip_val", ""),
    ("trainer", "loggers"): ("trainer.logger", ""),
    ("trainer", "callback"): ("trainer.callbacks", ""),
    ("trainer", "log_freq"): ("trainer.log_every_n_steps", "LeRobot's name for it"),
    ("trainer", "save_freq"): (None, _SAVES),
    ("trainer", "amp"): (None, _PRECISION),
    ("trainer", "fp16"): (None, _PRECISION),
    ("trainer", "bf16"): (None, _PRECISION),
    ("trainer", "weights_only"): (None, _SAFE_LOADING),
    ("trainer", "checkpoint_callback"): ("trainer.enable_checkpointing", "Lightning 1's name for it"),
    ("trainer", "weights_summary"): (None, "trainer.enable_model_summary (true or false) took its place"),
    ("trainer", "auto_lr_find"): (None, "Lightning has taken it out"),
    ("trainer", "progress_bar_refresh_rate"): (None, "a TQDMProgressBar in trainer.callbacks says it (refresh_rate)"),
    ("trainer", "resume_from_checkpoint"): (None, "`getiaction train --resume RUN` resumes a run"),
}  # fmt: skip


def _checkpoints(every: Any) -> dict[str, Any]:
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        return {}
    arguments = {"every_n_train_steps": every, "save_top_k": -1}
    return {
        "trainer.callbacks": [{"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": arguments}]
    }


def _wandb(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict) or said.get("enable") is not True:
        return {}
    arguments = {name: said[name] for name in ("project", "entity", "notes", "mode") if said.get(name) is not None}
    section: dict[str, Any] = {"class_path": "lightning.pytorch.loggers.WandbLogger"}
    return {"trainer.logger": section | ({"init_args": arguments} if arguments else {})}


def _gpus(said: Any) -> dict[str, Any]:
    if isinstance(said, bool) or not isinstance(said, int | list) or said in (0, []):
        return {}
    return {"trainer.accelerator": "gpu", **({} if said == -1 else {"trainer.devices": said})}


_MIXED = {"trainer.precision": "16-mixed"}
# What a value of such a key means in terms of keys that there are.
_COUNTERPARTS: dict[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("", "save_freq"): _checkpoints,
    ("trainer", "save_freq"): _checkpoints,
    ("", "wandb"): _wandb,
    ("trainer", "gpus"): _gpus,
    ("trainer", "amp"): lambda said: _MIXED if said is True else {},
    ("trainer", "fp16"): lambda said: _MIXED if said is True else {},
    ("trainer", "bf16"): lambda said: {"trainer.precision": "bf16-mixed"} if said is True else {},
    ("trainer", "weights_summary"): lambda said: {"trainer.enable_model_summary": said is not None},
}


def counterpart(section: str, key: str, value: Any) -> dict[str, Any]:
    """Return what a key that there is no more means today.

    Args:
        section: the route of the section that the key is in; empty for the top.
        key: the key.
        value: its plain value.

    Returns:
        The new values by route; empty where the key has no counterpart, or its value turns off what is off anyway.
    """
    meaning = _COUNTERPARTS.get((section, key))
    return meaning(value) if meaning else {}


# What these keys say elsewhere by default is what happens here: taking them away changes nothing.
SAID_BY_DEFAULT: dict[tuple[str, str], object] = {
    ("data.init_args", "data_format"): "lerobot",
    ("data.init_args", "download_videos"): True,
    ("data.init_args", "batch_encoding_size"): 1,
    ("data.init_args", "shuffle"): True,
    ("data.init_args", "return_uint8"): True,
    ("", "weights_only"): True,
}

_PUSH = "training never uploads anything; `hf upload` takes the run's pretrained_model folder"

# Parameters that every LeRobot config has and that something else decides here.
WITHOUT_EFFECT = {
    "device": "trainer.accelerator says where to train",
    "use_amp": _PRECISION,
    "push_to_hub": _PUSH,
    "repo_id": _PUSH,
    "private": _PUSH,
    "tags": _PUSH,
    "license": _PUSH,
}

# LeRobot's own recipes (`lerobot-train --config_path`) have other sections altogether.
FOREIGN_TOP = ("policy", "dataset", "env", "eval", "optimizer", "scheduler", "wandb", "peft")

# One idea, different names: what a policy calls what another, or the paper behind it, calls otherwise.
SAME_IDEA: tuple[tuple[str, ...], ...] = (
    ("chunk_size", "horizon", "action_chunk_size", "pred_horizon"),
    ("n_obs_steps", "num_frames", "obs_horizon"),
    ("n_action_steps", "action_horizon"),
    ("vision_backbone", "vision_model_name", "vision_encoder_name"),
    ("dim_model", "hidden_dim", "diffusion_step_embed_dim", "gpt_hidden_dim"),
    ("n_heads", "gpt_n_head", "num_heads"),
    ("num_train_timesteps", "num_diffusion_steps", "num_diffusion_iters"),
    ("vqvae_n_embed", "codebook_size"),
    ("discount", "gamma"),
    ("use_film_scale_modulation", "use_film"),
)
