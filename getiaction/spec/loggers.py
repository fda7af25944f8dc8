"""Requirements of Lightning's loggers: packages, and for Weights & Biases a login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# Logger → alternative distributions, of which it needs one; the first is the default.
PACKAGES = {
    "CometLogger": ("comet-ml",),
    "LitLogger": ("litlogger",),
    "MLFlowLogger": ("mlflow", "mlflow-skinny"),
    "TensorBoardLogger": ("tensorboard", "tensorboardX"),
    "WandbLogger": ("wandb",),
}


# The values of Weights & Biases' `mode` that send nothing.
_OFFLINE = ("offline", "disabled", "dryrun")


def wandb_goes_online(arguments: Mapping[str, Any]) -> bool:
    """Whether a WandbLogger with these arguments uploads what it logs; the environment is not considered."""
    return not arguments.get("offline") and arguments.get("mode") not in _OFFLINE


def wandb_can_log_in() -> bool:
    """Whether Weights & Biases starts without asking for an API key: it has one, uses another server, or is offline."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_BASE_URL"):
        return True
    if os.environ.get("WANDB_MODE") in _OFFLINE:
        return True
    places = (
        (Path(os.environ.get("NETRC", Path.home() / ".netrc")), "api.wandb.ai"),
        (Path(os.environ.get("WANDB_CONFIG_DIR", Path.home() / ".config" / "wandb")) / "settings", "api_key"),
    )
    for file, word in places:
        with suppress(OSError):
            if word in file.read_text(encoding="utf-8", errors="replace"):
                return True
    return False
