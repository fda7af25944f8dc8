"""A trial: the real policy on the real dataset, for the few steps that show that it trains, leaving nothing."""

from __future__ import annotations

import copy
from typing import Any

from getiaction.spec import facts

# Two steps: the second meets what the first changed. VQ-BeT takes one in each of its phases.
STEPS = 2
_BATCH = 2


def shrunk(recipe: dict[str, Any]) -> dict[str, Any]:
    """The same recipe as a trial: its policy in full size, its dataset, two small batches.

    Args:
        recipe: the recipe as plain values.
    """
    trial = copy.deepcopy(recipe)
    trial.pop("output_dir", None)
    trial.pop("evaluation", None)
    trial["trainer"] = {"fast_dev_run": STEPS, "accelerator": "cpu", "devices": 1, "logger": False}
    data = _arguments(trial, "data")
    data.update(train_batch_size=_BATCH, num_workers=0, frame_store="off")
    data["val_batch_size"] = _BATCH
    model = _arguments(trial, "model")
    policy = str(model.get("policy_name") or trial["model"]["class_path"].rsplit(".", 1)[-1]).lower()
    if first := facts.value(policy, "first_phase"):
        model.pop(first, None)  # a keyword would win
        model["config_kwargs"] = {**(model.get("config_kwargs") or {}), first: 1}
    return trial


def _arguments(recipe: dict[str, Any], section: str) -> dict[str, Any]:
    arguments = recipe[section].get("init_args") or {}
    recipe[section]["init_args"] = arguments
    return arguments
