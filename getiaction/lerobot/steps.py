"""Check the steps of untrusted processors before LeRobot imports and calls the classes that they name."""

import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

from lerobot.configs import PreTrainedConfig
from lerobot.processor import ProcessorStep, ProcessorStepRegistry

from getiaction import trust
from getiaction.errors import PolicyError
from getiaction.lerobot.configuration import pretrained_file
from getiaction.lerobot.errors import first_line
from getiaction.spec import facts


class LoadedSteps:
    """The steps that are allowed in a policy's processors: LeRobot's steps for training, and those already imported.

    A name in a file is never imported. Only the module of the policy's own processors is imported first, as in LeRobot.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        with contextlib.suppress(ImportError):
            importlib.import_module(type(config).__module__.replace("configuration_", "processor_"))

    def has_name(self, name: str) -> bool:
        """Whether a name is in LeRobot's registry of steps."""
        return name in ProcessorStepRegistry.list() and _is_step(ProcessorStepRegistry.get(name))

    def has_class(self, path: str) -> bool:
        """Whether a path is that of a step's class."""
        module, _, name = path.rpartition(".")
        return _is_step(getattr(sys.modules.get(module), name, None))


def _is_step(found: Any) -> bool:
    """Whether this is the class of a step, except for steps that control robots."""
    if not (isinstance(found, type) and issubclass(found, ProcessorStep)):
        return False
    return not found.__module__.startswith("lerobot.") or found.__module__.startswith(
        ("lerobot.processor.", "lerobot.policies.")
    )


def check_processors(config: PreTrainedConfig) -> None:
    """Check the processors of `config.pretrained_path`; those of a Hub repository are downloaded, without its weights.

    Raises:
        TrainingError: one of them contains a step that is not allowed, or can't be read.
    """
    path = str(config.pretrained_path)
    if Path(path).is_dir():
        trust.check_policy_folder(Path(path))
    if facts.holds(config.type, "processors_from_configuration"):
        return
    steps = LoadedSteps(config)
    for name in trust.PROCESSORS:
        try:
            content = trust.read_json(pretrained_file(path, name, config.pretrained_revision))
        except (OSError, ValueError) as error:
            if facts.holds(config.type, "loads_in_constructor") and isinstance(error, FileNotFoundError):
                continue
            raise PolicyError(
                f"{name} of pretrained_path {path} can't be read: {first_line(error)}",
                "give a folder that LeRobot or getiaction saved (…/pretrained_model), or a Hub id",
            ) from error
        trust.processor(content, steps, f"{name} of {path}")
