"""The structure of a recipe: its sections and their classes."""

from __future__ import annotations

POLICY_HOME = "getiaction.policies.lerobot"
WRAPPER = f"{POLICY_HOME}.LeRobotPolicy"
DATAMODULE = "getiaction.data.lerobot.LeRobotDataModule"
ENTRY = "getiaction.spec.mixture.Entry"
EVALUATION = "getiaction.spec.evaluation.Evaluation"
# Arguments that are objects, and so can only be given in Python.
PYTHON_ONLY = {DATAMODULE: frozenset({"dataset"})}
# Sections below model.init_args → the class whose arguments they contain.
MODEL_SECTIONS = {
    "ema": "getiaction.spec.averaging.Averaging",
    "peft": "getiaction.spec.adapters.Adapters",
}

# Sections of the trainer that contain objects → the package of their classes.
OBJECT_HOMES = {
    "callbacks": "lightning.pytorch.callbacks",
    "logger": "lightning.pytorch.loggers",
    "profiler": "lightning.pytorch.profilers",
    "strategy": "lightning.pytorch.strategies",
    "plugins": "lightning.pytorch.plugins",
    "accelerator": "lightning.pytorch.accelerators",
}
# Random changes of training images: LeRobot's fields, or a class of this package.
IMAGE_TRANSFORMS = "data.init_args.image_transforms"
TRANSFORMS_HOME = "torchvision.transforms.v2"

# Arguments of every policy class besides the fields of its LeRobot config: name → (type, help).
# A test compares the names with LeRobotPolicy's constructor, whose other arguments can only be given in Python.
_FEATURES = "list[str] | dict[str, dict] | None"
WRAPPER_ARGUMENTS = {
    "learning_rate": ("float | None", "Learning rate; null keeps the policy's own."),
    "config_kwargs": ("dict | None", "Parameters of the policy."),
    "input_features": (_FEATURES, "Which of the dataset's features the policy reads, by key."),
    "output_features": (_FEATURES, "Which of the dataset's features it predicts, by key."),
    "pretrained_path": ("str | None", "Weights to start from: a folder or a Hub id."),
    "pretrained_revision": ("str | None", "Branch, tag or commit of those weights."),
    "rename_map": ("dict[str, str] | None", "Dataset key → the key that the pretrained policy uses for it."),
    "peft": ("dict | None", "Train adapters (LoRA) on pretrained_path, and nothing else, as in {r: 16}."),
    "ema": ("bool | dict | None", "Average the weights while training: true, or a section such as {decay: 0.999}."),
}

# Sections whose keys are feature names. These contain dots, so the rest of a route is one key.
FEATURE_SECTIONS = frozenset({"delta_timestamps", "rename_map", "input_features", "output_features"})
