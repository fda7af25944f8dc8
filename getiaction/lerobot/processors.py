"""Make, save and restore a policy's preprocessor and postprocessor."""

from collections.abc import Mapping
from typing import Any

from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import _reconnect_relative_absolute_steps, make_pre_post_processors
from lerobot.processor import (
    DeviceProcessorStep,
    PolicyProcessorPipeline,
    RenameObservationsProcessorStep,
    batch_to_transition,
    policy_action_to_transition,
    rename_stats,
    transition_to_batch,
    transition_to_policy_action,
)
from safetensors import SafetensorError
from safetensors.torch import load_file

from getiaction import trust
from getiaction.errors import PolicyError
from getiaction.lerobot.configuration import plain, pretrained_file, pretrained_json
from getiaction.lerobot.errors import first_line, policy_errors, quiet_prints
from getiaction.lerobot.features import DatasetView, trained_inputs
from getiaction.lerobot.steps import LoadedSteps, check_processors
from getiaction.spec import facts

Processors = tuple[PolicyProcessorPipeline, PolicyProcessorPipeline]


def make_processors(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> Processors:
    """Make a policy's preprocessor and postprocessor as lerobot-train does.

    They are made from the configuration; with `config.pretrained_path` they are loaded from there, with this dataset's
    statistics (unless the configuration alone determines them). Unlike lerobot-train, statistics are renamed by
    `rename_map`; under their old keys LeRobot would skip normalization.
    """
    stats = rename_stats(view.stats or {}, dict(rename_map))
    with policy_errors(config.type), quiet_prints():
        if not config.pretrained_path or facts.holds(config.type, "processors_from_configuration"):
            made = make_pre_post_processors(config, dataset_stats=stats, dataset_meta=view)
            for step in made[0].steps:
                if isinstance(step, RenameObservationsProcessorStep):
                    step.rename_map = dict(rename_map)
            return made
        check_processors(config)
        features = {**trained_inputs(config, view, rename_map), **config.output_features}
        norm_map = config.normalization_mapping
        before: dict[str, Any] = {
            "device_processor": {"device": config.device},
            "normalizer_processor": {"features": features, "norm_map": norm_map, "stats": stats},
            "rename_observations_processor": {"rename_map": dict(rename_map)},
        }
        after: dict[str, Any] = {
            "unnormalizer_processor": {"features": config.output_features, "norm_map": norm_map, "stats": stats}
        }
        if getattr(config, "use_relative_actions", False):
            before["relative_actions_processor"] = {
                "enabled": True,
                "exclude_joints": getattr(config, "relative_exclude_joints", []),
                "action_names": getattr(config, "action_feature_names", None),
            }
            after["absolute_actions_processor"] = {"enabled": True}
        return make_pre_post_processors(
            config,
            pretrained_path=str(config.pretrained_path),
            pretrained_revision=config.pretrained_revision,
            dataset_stats=stats,
            preprocessor_overrides=before,
            postprocessor_overrides=after,
        )


def processors_to_plain(
    preprocessor: PolicyProcessorPipeline, postprocessor: PolicyProcessorPipeline
) -> dict[str, Any]:
    """Convert both pipelines to plain values and tensors, from which `processors_from_plain` restores them."""
    return {
        name: {"config": plain(pipeline.get_config()), "state": pipeline.state_dict()}
        for name, pipeline in (("preprocessor", preprocessor), ("postprocessor", postprocessor))
    }


def pretrained_processors(config: PreTrainedConfig) -> dict[str, Any]:
    """Read the processors of the folder or Hub repository `config.pretrained_path`, as `processors_to_plain` returns.

    Raises:
        TrainingError: a file is missing or can't be read, or a step is not one of LeRobot's or its plugins'.
    """
    path, revision = str(config.pretrained_path), config.pretrained_revision
    parts = {}
    for name in ("preprocessor", "postprocessor"):
        file = f"policy_{name}.json"
        checked = trust.processor(pretrained_json(path, file, revision), LoadedSteps(config), f"{file} of {path}")
        state = {}
        for weights in (step["state_file"] for step in checked["steps"] if "state_file" in step):
            try:
                found = pretrained_file(path, weights, revision)
                trust.open_regular(found).close()
                state[weights.removesuffix(".safetensors")] = load_file(found)
            except (OSError, ValueError, SafetensorError) as error:
                raise PolicyError(f"{weights} of {path} can't be read: {first_line(error)}") from error
        parts[name] = {"config": checked, "state": state}
    return parts


def processors_from_plain(saved: Mapping[str, Any], config: PreTrainedConfig) -> Processors:
    """Restore processors from the result of `processors_to_plain`, on the configuration's device.

    Raises:
        TrainingError: a step is not one of LeRobot's or its plugins', or the checkpoint is incomplete.
    """
    converters = {
        "preprocessor": (batch_to_transition, transition_to_batch),
        "postprocessor": (policy_action_to_transition, transition_to_policy_action),
    }
    made = []
    for name, (to_transition, to_output) in converters.items():
        part = saved.get(name)
        if not isinstance(part, Mapping) or not isinstance(part.get("state"), Mapping):
            raise PolicyError(f"the checkpoint has no {name}")
        checked = trust.processor(part.get("config"), LoadedSteps(config), f"the checkpoint's {name}")
        with policy_errors(config.type), quiet_prints():
            made.append(
                PolicyProcessorPipeline.from_config(
                    checked,
                    state_dict=part["state"],
                    to_transition=to_transition,
                    to_output=to_output,
                )
            )
    preprocessor, postprocessor = made
    _reconnect_relative_absolute_steps(preprocessor, postprocessor)
    set_device(preprocessor, config.device)
    return preprocessor, postprocessor


def rename_map_of(preprocessor: PolicyProcessorPipeline) -> dict[str, str]:
    """The mapping from dataset keys to the policy's keys that a preprocessor applies."""
    steps = [step for step in preprocessor.steps if isinstance(step, RenameObservationsProcessorStep)]
    return {old: new for step in steps for old, new in step.rename_map.items()}


def set_device(preprocessor: PolicyProcessorPipeline, device: str) -> None:
    """Set the device to which a preprocessor moves its batches."""
    for step in preprocessor.steps:
        if isinstance(step, DeviceProcessorStep):
            step.device = device
            step.__post_init__()
