"""Allowed values of settings whose types do not list them. A slow test compares them with the real libraries."""

from __future__ import annotations

from getiaction_cli.recipe.signatures import lineage

ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps", "tpu")
STRATEGIES = (
    "auto", "ddp", "ddp_find_unused_parameters_true", "fsdp", "deepspeed", "single_device",
    "ddp_find_unused_parameters_false", "ddp_fork", "ddp_fork_find_unused_parameters_false",
    "ddp_fork_find_unused_parameters_true", "ddp_notebook", "ddp_notebook_find_unused_parameters_false",
    "ddp_notebook_find_unused_parameters_true", "ddp_spawn", "ddp_spawn_find_unused_parameters_false",
    "ddp_spawn_find_unused_parameters_true", "deepspeed_stage_1", "deepspeed_stage_1_offload", "deepspeed_stage_2",
    "deepspeed_stage_2_offload", "deepspeed_stage_3", "deepspeed_stage_3_offload", "deepspeed_stage_3_offload_nvme",
    "fsdp_cpu_offload", "single_tpu", "single_xla", "xla", "xla_debug",
)  # fmt: skip

# (section, key) → allowed values.
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("trainer", "accelerator"): ACCELERATORS,
    ("trainer", "strategy"): STRATEGIES,
    ("trainer", "devices"): ("auto",),
    ("trainer", "gradient_clip_algorithm"): ("norm", "value"),
    ("trainer", "profiler"): ("simple", "advanced", "pytorch", "xla"),
    ("data.init_args", "video_backend"): ("pyav", "torchcodec"),
    ("data.init_args", "frame_store"): ("auto", "off"),
    ("model.init_args", "device"): ("cuda", "mps", "xpu", "cpu"),
}

# (class of Lightning, argument) → allowed values, also for subclasses.
_OF_CLASSES: dict[tuple[str, str], tuple[str, ...]] = {
    ("BatchSizeFinder", "mode"): ("power", "binsearch"),
    ("EarlyStopping", "mode"): ("min", "max"),
    ("LearningRateFinder", "mode"): ("exponential", "linear"),
    ("ModelCheckpoint", "mode"): ("min", "max"),
    ("Timer", "interval"): ("step", "epoch"),
    ("WandbLogger", "mode"): ("online", "offline", "disabled", "shared", "dryrun"),
}

# Synonyms: (key, value) → the allowed value.
SYNONYMS = {
    ("device", "nvidia"): "cuda",
    ("accelerator", "nvidia"): "cuda",
    ("video_backend", "av"): "pyav",
    ("precision", "fp32"): "32-true",
    ("precision", "float32"): "32-true",
}

# Likely replacements of invalid values; another one (16-true, mps) may be intended: (key, value) → the allowed value.
LIKELY = {
    ("device", "gpu"): "cuda",
    ("accelerator", "xpu"): "auto",
    ("video_backend", "video_reader"): "pyav",
    ("devices", "all"): "auto",
    ("mode", "minimum"): "min",
    ("mode", "maximum"): "max",
    ("type", "image"): "VISUAL",
    ("type", "video"): "VISUAL",
    ("precision", "fp16"): "16-mixed",
    ("precision", "float16"): "16-mixed",
    ("precision", "bfloat16"): "bf16-mixed",
    ("precision", "mixed"): "16-mixed",
}


def words_of(class_path: str, argument: str) -> tuple[str, ...]:
    """The allowed values of an argument of a class; empty if its type lists them, or if any value is allowed."""
    if not any(argument == name for _, name in _OF_CLASSES):
        return ()
    return next((_OF_CLASSES[base, argument] for base in lineage(class_path) if (base, argument) in _OF_CLASSES), ())
