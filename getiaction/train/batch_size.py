"""The batch size: chosen before training (`train_batch_size: auto`), and advised when memory runs out."""

from __future__ import annotations

import copy
import gc
import os
import re
from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
import yaml

from getiaction import trust
from getiaction.class_lookup import lookup
from getiaction.errors import MachineError, TrainingError
from getiaction.lerobot.names import config_class
from getiaction.spec import launch, memory
from getiaction.spec.frame_loading import gigabytes
from getiaction.spec.launch import rank
from getiaction.spec.memory import Need, Setting
from getiaction.train import build
from getiaction.train.failures import explain, is_out_of_memory
from getiaction.train.folder import RunFolder
from getiaction.train.memory import need_of
from getiaction.train.screen import Screen

CHOSEN = "GETIACTION_BATCH_SIZE"  # for the processes that Lightning starts
MAX_ON_CPU = 64  # a larger batch only makes each step slower
_LINE = re.compile(r"(?m)^(\s*train_batch_size:\s*)auto\b")


def is_auto(recipe: Mapping[str, Any]) -> bool:
    """Whether the recipe leaves the batch size to this module."""
    return ((recipe.get("data") or {}).get("init_args") or {}).get("train_batch_size") == "auto"


def chosen(recipe: dict[str, Any], run: RunFolder | None, screen: Screen) -> int:
    """The batch size of a recipe with `train_batch_size: auto`.

    The largest one that the estimate allows, halved until a real step fits.

    Args:
        recipe: the recipe as plain values.
        run: the run that is resumed; its number is used again.
        screen: where the choice is shown.

    Raises:
        TrainingError: not even one sample fits, the policy can't be measured, or several processes were started.
    """
    number = _of_run(run) if run is not None else None
    if number is None and os.environ.get(CHOSEN, "").isdigit() and rank() > 0:
        number = int(os.environ[CHOSEN])
    if number is not None:
        return number
    if launch.read().world_size > 1:
        raise TrainingError(
            "train_batch_size: auto is chosen in one process, and several were started",
            "set a number; getiaction validate-config RECIPE --measure names the largest that fits",
        )
    number = _found(recipe, screen)
    os.environ[CHOSEN] = str(number)
    return number


def forget() -> None:
    """Remove the number that was left for the processes of this run."""
    if rank() == 0:
        os.environ.pop(CHOSEN, None)


def replaced(text: str, number: int) -> str:
    """A recipe's text with a number in the place of `train_batch_size: auto`."""
    return _LINE.sub(rf"\g<1>{number}", text)


def with_number(recipe: dict[str, Any], text: str, number: int) -> tuple[dict[str, Any], str]:
    """The recipe and its text with a batch size, comments kept where `auto` is on a line of its own."""
    done = copy.deepcopy(recipe)
    done["data"]["init_args"]["train_batch_size"] = number
    written = replaced(text, number)
    if not text or (yaml.safe_load(written) or {}).get("data") != done["data"]:
        written = yaml.safe_dump(done, sort_keys=False, allow_unicode=True)
    return done, written


def _of_run(run: RunFolder) -> int | None:
    """The batch size in a run's recipe."""
    try:
        with trust.open_regular(run.recipe) as stream:
            number = yaml.safe_load(stream)["data"]["init_args"]["train_batch_size"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None
    return number if type(number) is int and number > 0 else None


def _found(recipe: dict[str, Any], screen: Screen) -> int:
    screen.doing("measuring the memory of a step")
    need = need_of(recipe)
    trainer = build.trainer({"trainer": _plain_trainer(recipe)}, None, [], alone=True)
    gpu = trainer.strategy.root_device.type != "cpu"
    room = memory.usable_bytes(device_memory(trainer), gpu=gpu)
    data: Any = build.data(recipe)
    _, meta = data.find()
    trained, _ = data.split(meta)
    lengths = meta.episodes["length"]
    samples = sum(lengths if trained is None else (lengths[episode] for episode in trained))
    given = recipe.get("trainer") or {}
    accumulated = int(given.get("accumulate_grad_batches", 1) or 1) > 1
    gpus = torch.cuda.device_count() if trainer.strategy.root_device.type == "cuda" else None
    setting = Setting(gpu=gpu, accumulated=accumulated, processes=launch.read().processes(given, gpus))
    largest = need.largest(room, setting)
    if not largest:
        raise too_small(need, 1, room, setting)
    number = memory.auto_batch_size(min(largest, MAX_ON_CPU) if not gpu else largest, samples)
    while True:
        screen.doing(f"trying a step of {number} samples")
        error = _try(recipe, number)
        if error is None:
            break
        if number == 1:
            raise too_small(need, 1, room, setting) from error
        number //= 2
    screen.say(
        f"train_batch_size: {number} (auto; about {gigabytes(need.peak(number, setting))}, the largest that fits "
        f"is about {largest:,})"
    )
    return number


def _try(recipe: dict[str, Any], number: int) -> BaseException | None:
    """Train one step of so many samples, leaving nothing; returns the error when memory runs out."""
    trial = copy.deepcopy(recipe)
    trial["data"]["init_args"] |= {"train_batch_size": number, "val_split": 0.0}
    trial["trainer"] = _plain_trainer(recipe)
    try:
        L.seed_everything(trial.get("seed") or 0, workers=True, verbose=False)
        build.trainer(trial, None, [], alone=True).fit(build.policy(trial), datamodule=build.data(trial))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return error.with_traceback(None)  # its frames hold the tensors
    finally:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return None


def _plain_trainer(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The trainer's arguments for one step in this process."""
    given = recipe.get("trainer") or {}
    kept = {name: given[name] for name in ("accelerator", "precision") if name in given}
    return {**kept, "devices": 1, "logger": False, "fast_dev_run": 1}


def device_memory(trainer: L.Trainer) -> int:
    """Bytes of the memory that the trainer's device has."""
    device = trainer.strategy.root_device
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 8 << 30


def out_of_memory(error: BaseException, recipe: Mapping[str, Any], trainer: L.Trainer, data: Any) -> TrainingError:
    """An out-of-memory error with what the step needed, what there was, and what will fit.

    Args:
        error: what torch raised.
        recipe: the recipe as plain values.
        trainer: the trainer that it was raised in.
        data: its data module.
    """
    known = explain(error)
    assert known is not None
    gpu = trainer.strategy.root_device.type != "cpu"
    try:
        need = need_of(recipe)
        total, others = device_memory(trainer), levers(recipe, gpu=gpu)
    except Exception:  # the advice must not hide the error
        return known
    setting = Setting(gpu=gpu, accumulated=trainer.accumulate_grad_batches > 1, processes=trainer.world_size)
    advised = too_small(need, data.train_batch_size, memory.usable_bytes(total, gpu=gpu), setting, total=total)
    hints = [advised.hint] if advised.hint else []
    total_samples = data.train_batch_size * trainer.accumulate_grad_batches
    batch = need.divisor(total_samples, memory.usable_bytes(total, gpu=gpu), setting)
    if 0 < batch < data.train_batch_size:
        smaller = f"set data.init_args.train_batch_size to {batch} and trainer.accumulate_grad_batches to "
        hints.insert(0, f"{smaller}{total_samples // batch}: the same {total_samples} samples a step")
    return MachineError(f"{advised.message} ({known.message})", "\n".join([*hints, *others]))


def too_small(need: Need, batch: int, room: int, setting: Setting, *, total: int | None = None) -> MachineError:
    """The error that a batch does not fit."""
    where = "the GPU" if setting.gpu else "this machine"
    needed, there = gigabytes(need.peak(batch, setting)), gigabytes(total or room)
    if need.peak(batch, setting) <= room:
        return MachineError(
            f"{where} is out of memory: a step of {batch} needs about {needed} of {there}",
            "other programs hold the rest: end them (nvidia-smi shows those on a GPU)",
        )
    return MachineError(f"{where} is out of memory: a step of {batch} needs about {needed}, and there are {there}")


def levers(recipe: Mapping[str, Any], *, gpu: bool) -> list[str]:
    """Settings that need less memory and that the recipe does not have yet."""
    model = (recipe.get("model") or {}).get("init_args") or {}
    given = recipe.get("trainer") or {}
    found = []
    if gpu and str(given.get("precision", "32-true")) in ("32", "32-true"):
        found.append("set trainer.precision to bf16-mixed")
    policy = lookup("model", recipe["model"]["class_path"], "model")
    config = model.get("config") or {}
    name = model.get("policy_name") or getattr(policy, "policy_name", None) or config.get("type")
    said = {**config, **(model.get("config_kwargs") or {}), **model}
    if name and hasattr(config_class(name), "gradient_checkpointing") and not said.get("gradient_checkpointing"):
        found.append("set model.init_args.gradient_checkpointing to true")
    if model.get("pretrained_path") and not model.get("peft"):
        found.append("train adapters: model.init_args.peft: {r: 16}")
    return found
