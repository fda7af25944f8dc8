"""What Lightning's loggers need on a machine: packages, and for Weights & Biases a way to log in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# Logger → the distributions of which any one will do; the first is the usual one.
PACKAGES = {
    "CometLogger": ("comet-ml",),
    "LitLogger": ("litlogger",),
    "MLFlowLogger": ("mlflow", "mlflow-skinny"),
    "TensorBoardLogger": ("tensorboard", "tensorboardX"),
    "WandbLogger": ("wandb",),
}


# The `mode`s of Weights & Biases in which nothing is sent.
_OFFLINE = ("offline", "disabled", "dryrun")


def wandb_goes_online(arguments: Mapping[str, Any]) -> bool:
    """True when a WandbLogger with these arguments sends what it logs, as far as they say it."""
    return not arguments.get("offline") and arguments.get("mode") not in _OFFLINE


def wandb_can_log_in() -> bool:
    """True when Weights & Biases would not ask for a key: it has one, uses another server, or stays offline."""
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
