"""Creates the objects that a recipe names.

Recipes are untrusted: a ``class_path`` is looked up in the package that provides such classes
(`getiaction.class_lookup`) and never imported. ``os.system`` is an error, and nothing is imported for it.
"""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.strategies import DDPStrategy

from getiaction.class_lookup import check_arguments, closest, example, lookup
from getiaction.errors import MachineError, TrainingError
from getiaction.spec import launch
from getiaction.spec.evaluation import HIGHER_IS_BETTER
from getiaction.spec.installing import install_command
from getiaction.spec.loggers import PACKAGES, wandb_can_log_in, wandb_goes_online
from getiaction.spec.output_arguments import OUTPUT_ARGUMENTS
from getiaction.train import cluster
from getiaction.train.failures import in_plain_words
from getiaction.train.folder import RunFolder
from getiaction.train.metrics import MetricsFile

PACKAGE_OF = {
    **{logger: packages[0] for logger, packages in PACKAGES.items()},
    "BitsandbytesPrecision": "bitsandbytes",
    "DeepSpeedStrategy": "deepspeed",
}
_UNITS = ("days", "hours", "minutes", "seconds")


def policy(recipe: dict[str, Any]) -> Any:
    """The policy that `model:` describes; it builds its network later, when the dataset is known."""
    _check_device(recipe["model"].get("init_args") or {})
    return component("model", recipe["model"], "model")


def data(recipe: dict[str, Any]) -> L.LightningDataModule:
    """The data module that `data:` describes."""
    return component("data", recipe["data"], "data")


def trainer(
    recipe: dict[str, Any], folder: RunFolder | None, callbacks: list[L.Callback], *, alone: bool = False
) -> L.Trainer:
    """The Trainer that `trainer:` describes, with our callbacks before and our checkpoints after the user's.

    Args:
        recipe: the whole recipe.
        folder: where loggers and checkpoints write; None for `fast_dev_run`, which leaves nothing behind.
        callbacks: what every run has.
        alone: for one process, however many the launcher was given: for a trial before training.
    """
    given = dict(recipe.get("trainer") or {})
    _check_accelerator(given.get("accelerator", "auto"))
    known = inspect.signature(L.Trainer).parameters
    for key in given:
        if key not in known:
            raise TrainingError(f"trainer.{key}: Lightning's Trainer has no such argument", closest(key, list(known)))

    asked_loggers, asked_callbacks = given.pop("logger", None), given.pop("callbacks", None)
    for place in ("strategy", "profiler", "accelerator", "plugins"):
        if place in given:
            given[place] = _components(place, given[place], f"trainer.{place}")
    given = _launched(given, alone=alone)
    if folder is not None:
        given.pop("enable_checkpointing", None)  # of our own callback: Lightning refuses one beside `false`
    extra = [_named(item, folder) for item in _as_list(asked_callbacks)]
    theirs = [component("callbacks", item, f"trainer.callbacks.{i}") for i, item in enumerate(extra)]
    if not any(isinstance(callback, L.pytorch.callbacks.ProgressBar) for callback in theirs):
        given.setdefault("enable_progress_bar", False)
    given.setdefault("enable_model_summary", False)
    given.setdefault("default_root_dir", str(folder.path) if folder else None)
    # As lerobot-train sets them; both are faster on a GPU and change nothing on a CPU.
    torch.backends.cuda.matmul.allow_tf32 = True
    if not given.get("deterministic"):
        given.setdefault("benchmark", True)
    with in_plain_words():
        try:
            trainer = L.Trainer(logger=loggers(asked_loggers, folder), callbacks=[*callbacks, *theirs], **given)
        except (TypeError, ValueError) as error:
            raise TrainingError(f"trainer: {error}") from error
    if isinstance(trainer.strategy, DDPStrategy):
        # As LeRobot has it: frozen backbones, and VQ-BeT's phases, leave parameters without a gradient.
        trainer.strategy._ddp_kwargs.setdefault("find_unused_parameters", True)
    return trainer


def _launched(given: dict[str, Any], *, alone: bool) -> dict[str, Any]:
    """The Trainer's arguments for the processes that torchrun or SLURM has started.

    Raises:
        TrainingError: the recipe asks for another number.
    """
    asked = given.get("accelerator", "auto")
    on_gpus = asked in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    gpus = torch.cuda.device_count() if on_gpus else None
    here = launch.read()
    if not alone and (wrong := here.contradiction(given, gpus)):
        raise TrainingError(f"trainer.{wrong.key}: {wrong.message}", wrong.help)
    return cluster.arguments(given, here, gpus)


def loggers(asked: Any, folder: RunFolder | None) -> list[Logger]:
    """metrics.csv always, then those the recipe asks for; for `fast_dev_run` one that writes nothing.

    Args:
        asked: the recipe's `trainer.logger`: one {class_path, init_args}, a list of them, true, false or null.
        folder: where they write unless the recipe says otherwise.
    """
    if folder is None:
        return [DummyLogger()]  # callbacks that need a logger find one
    wanted = [] if isinstance(asked, bool) else [_named(item, folder) for item in _as_list(asked)]
    return [MetricsFile(folder.path)] + [
        component("logger", item, f"trainer.logger.{i}") for i, item in enumerate(wanted)
    ]


def component(place: str, section: Any, route: str) -> Any:
    """One object from {class_path, init_args}.

    Args:
        place: a key of PLACES: what kind of thing is wanted.
        section: the recipe's words for it.
        route: where they are, for messages.

    Raises:
        TrainingError: no such class for that place, arguments it does not take, or it can't be built from them.
        MachineError: it needs a package that is not installed.
    """
    if not isinstance(section, dict) or not isinstance(section.get("class_path"), str):
        raise TrainingError(f"{route} must have a class_path and its init_args", f"as in {example(place)}")
    arguments = section.get("init_args") or {}
    if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
        raise TrainingError(f"{route}.init_args is not a mapping of argument names to values")
    wanted = lookup(place, section["class_path"], route)
    check_arguments(wanted, arguments, route)
    arguments = _with_times(wanted, arguments, route)
    if wanted.__name__ == "WandbLogger":
        _check_wandb(arguments)
    try:
        return wanted(**arguments)
    except ImportError as error:
        package = PACKAGE_OF.get(wanted.__name__, error.name)
        if package is None:  # a path of s3:// or gs://, and the like
            raise MachineError(f"{route}: {wanted.__name__}: {error}") from error
        raise MachineError(
            f"{route}: {wanted.__name__} needs the package {package}, which is not installed",
            install_command(package),
        ) from error
    except (TypeError, ValueError, L.fabric.utilities.exceptions.MisconfigurationException) as error:
        raise TrainingError(f"{route}: {wanted.__name__}: {error}") from error


def _components(place: str, value: Any, route: str) -> Any:
    """Plain values stay; {class_path, init_args}, alone or in a list, become objects."""
    if isinstance(value, dict):
        return component(place, value, route)
    if isinstance(value, list):
        return [_components(place, item, f"{route}.{i}") for i, item in enumerate(value)]
    return value


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _named(section: Any, folder: RunFolder | None) -> Any:
    """Loggers and checkpoints write into the run folder unless the recipe names another place."""
    if folder is None or not isinstance(section, dict) or not isinstance(section.get("class_path"), str):
        return section
    name = section["class_path"].rpartition(".")[2]
    defaults: dict[str, Any] = {}
    if name in OUTPUT_ARGUMENTS:
        argument, place = OUTPUT_ARGUMENTS[name]
        defaults = {argument: str(folder.checkpoints if place == "checkpoints" else folder.path)}
    if name == "TensorBoardLogger":
        defaults |= {"name": "", "version": "tensorboard"}
    given = section.get("init_args") or {}
    if name in ("ModelCheckpoint", "EarlyStopping") and given.get("monitor") in HIGHER_IS_BETTER:
        defaults["mode"] = "max"  # Lightning's default, min, keeps the policy that fails most
    return {**section, "init_args": defaults | given}


def _with_times(wanted: type, arguments: dict[str, Any], route: str) -> dict[str, Any]:
    """A time as a recipe writes it, "DD:HH:MM:SS" or {hours: 2}, where the class takes a `timedelta`."""
    parameters = inspect.signature(wanted).parameters
    read = dict(arguments)
    for key, value in arguments.items():
        if not isinstance(value, str | dict) or "timedelta" not in str(getattr(parameters.get(key), "annotation", "")):
            continue
        try:
            units = dict(zip(_UNITS, map(int, value.split(":")), strict=True)) if isinstance(value, str) else value
            read[key] = timedelta(**units)
        except (TypeError, ValueError) as error:
            raise TrainingError(
                f"{route}.init_args.{key}: {value!r} is not a duration", "write it as DD:HH:MM:SS"
            ) from error
    return read


def _check_accelerator(asked: Any) -> None:
    """A GPU that is asked for and not there is an error; Lightning and LeRobot must not fall back to the CPU."""
    if not isinstance(asked, str):
        return
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": hasattr(torch, "xpu") and torch.xpu.is_available(),
    }
    name = asked.lower().partition(":")[0]
    found = there["cuda"] or there["mps"] if name == "gpu" else there.get(name, True)
    if not found:
        build = "" if torch.version.cuda or name == "mps" else f" (torch {torch.__version__} is built without CUDA)"
        raise MachineError(
            f"the recipe sets accelerator: {asked}, and torch finds none on this machine{build}",
            "look at `nvidia-smi`; to train here, set trainer.accelerator to auto or cpu",
        )


def _check_device(arguments: dict[str, Any]) -> None:
    """LeRobot's own `device` field silently falls back to the CPU."""
    device = arguments.get("device") or (arguments.get("config_kwargs") or {}).get("device")
    if isinstance(device, str) and device.partition(":")[0] in ("cuda", "mps", "xpu"):
        _check_accelerator(device)


def _check_wandb(arguments: dict[str, Any]) -> None:
    """Weights & Biases asks for a key on a terminal that it takes for its own; say so instead."""
    if wandb_goes_online(arguments) and not wandb_can_log_in():
        raise MachineError(
            "WandbLogger has no API key to log in with",
            "run `wandb login`, or set init_args.offline: true for that logger",
        )
