"""Keys of LeRobot's and Lightning's configurations whose default or effect differs in getiaction.

The reference, the schema, completion and `list-policies` show these texts in place of the upstream ones.
"""

# Defaults that replace LeRobot's. A checkpoint with LeRobot's default would make a later lerobot-train ask for an id.
POLICY_DEFAULTS: dict[str, object] = {"push_to_hub": False}

_UPLOADED = "With `push_to_hub: true`:"
POLICY_HELP = {
    "device": "No effect: `trainer.accelerator` decides where to train.",
    "use_amp": "No effect: `trainer.precision` decides.",
    "use_peft": "Set in checkpoints that hold adapters. To train adapters, use `peft`.",
    "push_to_hub": "Upload the policy to `repo_id` after the last step. `getiaction push` uploads it later.",
    "repo_id": f"{_UPLOADED} the repository on the Hub, user/name.",
    "private": f"{_UPLOADED} whether a new repository is private; null for the account's default.",
    "tags": f"{_UPLOADED} more tags of the model card.",
    "license": f"{_UPLOADED} license in the model card; null for apache-2.0.",
}

TRAINER_HELP = {
    "logger": "Loggers besides metrics.csv, which is always written. true, false and null add none.",
    "gradient_clip_val": "The value at which to clip gradients; null for the policy's own, 0 for none.",
    "enable_progress_bar": "Lightning's own progress bar. Default: `False`.",
    "enable_model_summary": "Print Lightning's summary of the layers. Default: `False`.",
    "default_root_dir": "Where callbacks of Lightning write. Default: the run folder, which `output_dir` names.",
    "enable_checkpointing": "`False` writes no checkpoint. By default the run folder keeps the last and the best one.",
    "log_every_n_steps": "How often to log within steps. Default: 50, more often in a short run.",
    "benchmark": "Let cuDNN choose its fastest algorithms. Default: `True`, unless `deterministic` is set.",
    "barebones": "Not supported: every run writes metrics and checkpoints.",
    "model_registry": "Not supported: a setting of Lightning's own platform.",
}

# Keys that completion does not offer: setting them has no effect, or is an error.
NOT_OFFERED = frozenset({"device", "use_amp", "use_peft", "barebones", "model_registry"})
