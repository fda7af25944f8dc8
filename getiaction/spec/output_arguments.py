"""The arguments of loggers and checkpoint callbacks that name an output folder, with their default."""

from __future__ import annotations

# Class name → the argument, and its default: the run folder ("run") or the checkpoint folder in it.
OUTPUT_ARGUMENTS = {
    "ModelCheckpoint": ("dirpath", "checkpoints"),
    "OnExceptionCheckpoint": ("dirpath", "checkpoints"),
    "TensorBoardLogger": ("save_dir", "run"),
    "WandbLogger": ("save_dir", "run"),
    "CSVLogger": ("save_dir", "run"),
    "MLFlowLogger": ("save_dir", "run"),
}
