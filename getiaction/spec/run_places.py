"""Where the loggers and checkpoints of a recipe write, unless it says so."""

from __future__ import annotations

# Class name → the argument that is the run folder ("run") or its folder of checkpoints, where the recipe sets none.
WRITES_TO = {
    "ModelCheckpoint": ("dirpath", "checkpoints"),
    "OnExceptionCheckpoint": ("dirpath", "checkpoints"),
    "TensorBoardLogger": ("save_dir", "run"),
    "WandbLogger": ("save_dir", "run"),
    "CSVLogger": ("save_dir", "run"),
    "MLFlowLogger": ("save_dir", "run"),
}
