"""Keys of other trainers and of earlier versions, and their equivalents in a recipe.

COUNTERPARTS is the only table of them; rules, fixes and `getiaction migrate` read it. Its keys are (section, key);
sections of lerobot-train that correspond to one of a recipe have the recipe's name (`dataset:` is "data.init_args",
`policy:` is "model.init_args").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

_SAVES = "a ModelCheckpoint in trainer.callbacks says when to save (every_n_train_steps)"
_PRECISION = "trainer.precision says it (bf16-mixed, 16-mixed)"
_SAFE_LOADING = "checkpoints are always read without running code from them"
_RESUME = "`getiaction train --resume RUN` resumes a run"
LOST = True


class Counterpart(NamedTuple):
    """The equivalent of another trainer's key.

    Args:
        target: the route of the equivalent key; None without one.
        why: the reason, or the alternative.
        lost: without a target: whether a recipe can't express the key; otherwise the key has no effect in a recipe.
    """

    target: str | None
    why: str = ""
    lost: bool = False


_TABLE: dict[tuple[str, str], tuple[Any, ...]] = {
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
    ("", "eval_freq"): (
        None, "trainer.val_check_interval says when to validate, evaluation.every_n_steps when to run rollouts", LOST),
    ("", "env_eval_freq"): ("evaluation.every_n_steps", "LeRobot's name for it"),
    ("", "eval_steps"): ("trainer.val_check_interval", "LeRobot's name for it"),
    ("", "use_policy_training_preset"): (
        None, "the policy's own optimizer, schedule and parameter groups are always used", LOST),
    ("", "resume"): (None, _RESUME, LOST),
    ("", "job_name"): (None, "a run is named after its recipe's file; output_dir names its folder"),
    ("", "ckpt"): (None, _RESUME, LOST),
    ("", "ckpt_path"): (None, _RESUME, LOST),
    ("", "wandb"): (None, "a WandbLogger in trainer.logger does it"),
    ("", "optimizer"): (
        None, "the policy's own optimizer is used; model.init_args.learning_rate sets its rate", LOST),
    ("", "scheduler"): (None, "the policy's own schedule is used", LOST),
    ("", "lr_scheduler"): (None, "the policy's own schedule is used", LOST),
    ("", "checkpoint_path"): (None, "LeRobot fills it in when it resumes a run"),
    ("", "config"): (None, "name the file on the command line", LOST),
    ("", "__base__"): ("base", "the name of it here"),
    ("", "print_config"): (None, "a run folder keeps the resolved recipe"),
    ("", "subcommand"): (None, "`getiaction train` trains"),
    ("", "env"): ("evaluation.env", "LeRobot's name for it"),
    ("", "eval"): ("evaluation", "LeRobot's name for it"),
    ("", "peft"): ("model.init_args.peft", "it is part of the model"),
    ("", "policy"): ("model", "LeRobot's name for it"),
    ("", "dataset"): ("data", "LeRobot's name for it"),
    ("", "device"): ("trainer.accelerator", ""),
    ("", "lr"): ("model.init_args.learning_rate", ""),
    ("", "learning_rate"): ("model.init_args.learning_rate", ""),
    ("", "reward_model"): (None, "getiaction trains policies, not reward models", LOST),
    ("", "cudnn_deterministic"): ("trainer.deterministic", "LeRobot's name for it"),
    ("", "prefetch_factor"): (None, "how far to read ahead is chosen here"),
    ("", "persistent_workers"): (None, "worker processes always stay for the whole run"),
    ("", "dataloader_multiprocessing_context"): (None, "the way that worker processes start is chosen for the machine"),
    ("", "grad_clip_norm"): ("trainer.gradient_clip_val", "LeRobot's name for it"),
    ("", "gradient_clip_val"): ("trainer.gradient_clip_val", ""),
    ("", "weights_only"): (None, _SAFE_LOADING),
    ("", "max_eval_samples"): (None, "trainer.limit_val_batches limits validation, in batches", LOST),
    ("", "save_checkpoint"): ("trainer.enable_checkpointing", "LeRobot's name for it"),
    ("", "save_checkpoint_to_hub"): (None, "upload the run's pretrained_model folder after training", LOST),
    ("", "job"): (None, "training runs on this machine; start it on the machine that should train", LOST),
    ("", "sample_weighting"): (None, "every frame has the same weight", LOST),
    ("", "use_rabc"): (None, "LeRobot has replaced it by sample_weighting; here every frame has the same weight", LOST),
    ("", "rabc_progress_path"): (None, "it is part of use_rabc"),
    ("", "rabc_kappa"): (None, "it is part of use_rabc"),
    ("", "rabc_epsilon"): (None, "it is part of use_rabc"),
    ("", "rabc_head_mode"): (None, "it is part of use_rabc"),
    ("", "callbacks"): ("trainer.callbacks", ""),
    ("", "logger"): ("trainer.logger", ""),
    # data
    ("data.init_args", "batch_size"): ("data.init_args.train_batch_size", ""),
    ("data.init_args", "repo"): ("data.init_args.repo_id", ""),
    ("data.init_args", "dataset"): ("data.init_args.repo_id", ""),
    ("data.init_args", "train_dataset"): (None, "a recipe names a dataset by its repo_id", LOST),
    ("data.init_args", "val_dataset"): (None, "val_split holds episodes of the same dataset out", LOST),
    ("data.init_args", "vcodec"): (None, "it is for recording a dataset"),
    ("data.init_args", "streaming_encoding"): (None, "it is for recording a dataset"),
    ("data.init_args", "encoder_queue_maxsize"): (None, "it is for recording a dataset"),
    ("data.init_args", "encoder_threads"): (None, "it is for recording a dataset"),
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
    ("data.init_args", "dataset_stats"): (None, "statistics are read from the dataset", LOST),
    ("data.init_args", "download_videos"): (None, "videos are downloaded where the policy reads cameras"),
    ("data.init_args", "force_cache_sync"): (None, "data.init_args.revision names the version on the Hub to use"),
    ("data.init_args", "batch_encoding_size"): (None, "it concerns recording: training encodes no videos"),
    ("data.init_args", "streaming"): (
        None, "the dataset is downloaded before training; `episodes` limits how much of it", LOST),
    ("data.init_args", "repo_type"): (None, "datasets of the Hub are read, not its buckets", LOST),
    ("data.init_args", "return_uint8"): (None, "pictures stay whole numbers until the policy reads them"),
    ("data.init_args", "depth_output_unit"): (None, "depth is read in millimetres, as LeRobot does by default", LOST),
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
    ("model.init_args", "dataset_stats"): (None, "statistics are read from the dataset", LOST),
    ("model.init_args", "config"): ("model.init_args.config_kwargs", ""),
    ("model.init_args", "weights_only"): (None, _SAFE_LOADING),
    ("model.init_args", "use_amp"): (None, _PRECISION),
    ("model.init_args", "stats"): (None, "the statistics of the dataset are used", LOST),
    ("model.init_args", "features"): (None, "the features of the dataset are used; input_features chooses", LOST),
    ("model", "dict_kwargs"): ("model.init_args.config_kwargs", "LightningCLI's name for it"),
    # trainer
    ("trainer", "steps"): ("trainer.max_steps", ""),
    ("trainer", "num_steps"): ("trainer.max_steps", ""),
    ("trainer", "max_step"): ("trainer.max_steps", ""),
    ("trainer", "epochs"): ("trainer.max_epochs", ""),
    ("trainer", "num_epochs"): ("trainer.max_epochs", ""),
    ("trainer", "num_train_epochs"): ("trainer.max_epochs", ""),
    ("trainer", "train_steps"): ("trainer.max_steps", ""),
    ("trainer", "gradient_accumulation_steps"): ("trainer.accumulate_grad_batches", ""),
    ("trainer", "gpus"): (None, "trainer.accelerator: gpu and trainer.devices say it", LOST),
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
    ("trainer", "weights_only"): (None, _SAFE_LOADING),
    ("trainer", "save_freq"): (None, _SAVES, LOST),
    ("trainer", "amp"): (None, _PRECISION, LOST),
    ("trainer", "fp16"): (None, _PRECISION, LOST),
    ("trainer", "bf16"): (None, _PRECISION, LOST),
    ("trainer", "checkpoint_callback"): ("trainer.enable_checkpointing", "Lightning 1's name for it"),
    ("trainer", "weights_summary"): (None, "trainer.enable_model_summary (true or false) took its place"),
    ("trainer", "auto_lr_find"): (None, "Lightning has taken it out"),
    ("trainer", "progress_bar_refresh_rate"): (None, "a TQDMProgressBar in trainer.callbacks says it (refresh_rate)"),
    ("trainer", "resume_from_checkpoint"): (None, _RESUME, LOST),
    ("trainer", "model_registry"): (None, "it is a setting of Lightning's own platform"),
    # sections that only lerobot-train has
    ("wandb", "enable"): ("trainer.logger", "a WandbLogger"),
    ("wandb", "project"): ("trainer.logger.init_args.project", ""),
    ("wandb", "entity"): ("trainer.logger.init_args.entity", ""),
    ("wandb", "notes"): ("trainer.logger.init_args.notes", ""),
    ("wandb", "run_id"): ("trainer.logger.init_args.id", ""),
    ("wandb", "mode"): ("trainer.logger.init_args.mode", ""),
    ("wandb", "disable_artifact"): (None, "a WandbLogger uploads checkpoints only with `log_model: all`"),
    ("wandb", "add_tags"): (None, "a WandbLogger has `tags`; the run folder keeps the whole recipe"),
    ("eval", "n_episodes"): ("evaluation.episodes", ""),
    ("eval", "batch_size"): ("evaluation.batch_size", ""),
    ("eval", "use_async_envs"): (None, "the environments are stepped in one process, with the same results"),
    ("eval", "recording"): (None, "rollouts are filmed, not recorded as a dataset", LOST),
    ("eval", "recording_repo_id"): (None, "rollouts are filmed, not recorded as a dataset", LOST),
    ("eval", "recording_private"): (None, "rollouts are filmed, not recorded as a dataset", LOST),
    # programs that start a training: accelerate, torchrun
    ("launch", "num_processes"): ("trainer.devices", "processes on each machine"),
    ("launch", "nproc_per_node"): ("trainer.devices", ""),
    ("launch", "num_machines"): ("trainer.num_nodes", ""),
    ("launch", "nnodes"): ("trainer.num_nodes", ""),
    ("launch", "mixed_precision"): ("trainer.precision", ""),
    ("launch", "config_file"): (None, "write what is in it as trainer.devices, strategy and precision", LOST),
    ("launch", "use_fsdp"): (None, "`trainer.strategy: fsdp` divides the policy over the GPUs", LOST),
    ("launch", "use_deepspeed"): (None, "`trainer.strategy: deepspeed` uses DeepSpeed", LOST),
    ("launch", "cpu"): (None, "`trainer.accelerator: cpu` trains on the CPU", LOST),
}  # fmt: skip
COUNTERPARTS = {key: Counterpart(*value) for key, value in _TABLE.items()}


def _checkpoints(every: Any) -> dict[str, Any]:
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        return {}
    arguments = {"every_n_train_steps": every, "save_top_k": -1}
    return {
        "trainer.callbacks": [{"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": arguments}]
    }


def _wandb(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("enable") is not True:
        return {}
    value = {"project": "lerobot", **value}
    own = {
        name: target.rpartition(".")[2]
        for (section, name), (target, *_) in _TABLE.items()
        if section == "wandb" and target and name != "enable"
    }
    arguments = {own[name]: value for name, value in value.items() if name in own and value is not None}
    return {"trainer.logger": {"class_path": "lightning.pytorch.loggers.WandbLogger", "init_args": arguments}}


def _gpus(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | list) or value in (0, []):
        return {}
    return {"trainer.accelerator": "gpu", **({} if value == -1 else {"trainer.devices": value})}


_MIXED = {"trainer.precision": "16-mixed"}
# Keys whose equivalent depends on their value → conversion to values of a recipe by route.
_COUNTERPARTS: dict[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("", "save_freq"): _checkpoints,
    ("trainer", "save_freq"): _checkpoints,
    ("", "wandb"): _wandb,
    ("trainer", "gpus"): _gpus,
    ("trainer", "amp"): lambda value: _MIXED if value is True else {},
    ("trainer", "fp16"): lambda value: _MIXED if value is True else {},
    ("trainer", "bf16"): lambda value: {"trainer.precision": "bf16-mixed"} if value is True else {},
    ("trainer", "weights_summary"): lambda value: {"trainer.enable_model_summary": value is not None},
}


def counterpart(section: str, key: str, value: Any) -> dict[str, Any]:
    """Convert a key of another trainer, or of an earlier version, to values of a recipe.

    Args:
        section: the route of the key's section; empty for the top level.
        key: the key.
        value: its plain value.

    Returns:
        The new values by route; empty if the key does not have an equivalent, or its value is the default.
    """
    meaning = _COUNTERPARTS.get((section, key))
    return meaning(value) if meaning else {}


# Defaults of other trainers' keys that match the behaviour here: removing such a key changes nothing.
MATCHING_DEFAULTS: dict[tuple[str, str], object] = {
    ("data.init_args", "data_format"): "lerobot",
    ("data.init_args", "download_videos"): True,
    ("data.init_args", "batch_encoding_size"): 1,
    ("data.init_args", "shuffle"): True,
    ("data.init_args", "return_uint8"): True,
    ("", "weights_only"): True,
}

_PUSH = "training uploads the policy only with `push_to_hub: true`; `getiaction push RUN USER/NAME` does it later"

# Parameters for the upload of `push_to_hub: true`.
UPLOAD = ("repo_id", "private", "tags", "license")
# Parameters of every LeRobot config that other keys of a recipe replace.
WITHOUT_EFFECT = {
    "device": "trainer.accelerator says where to train",
    "use_amp": _PRECISION,
    **dict.fromkeys(UPLOAD, _PUSH),
}

# Groups of parameters with the same meaning and different names in policies or papers.
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
