"""Adapters (PEFT) on LeRobot's policies, added, loaded and merged as LeRobot does."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from lerobot.configs import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy
from safetensors import SafetensorError, safe_open

from getiaction import trust
from getiaction.errors import PolicyError
from getiaction.lerobot.configuration import pretrained_file
from getiaction.lerobot.errors import first_line, policy_errors, quiet_prints
from getiaction.lerobot.policies import load_policy
from getiaction.spec.adapters import Adapters

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"


def wrap(policy: PreTrainedPolicy, settings: Adapters) -> Any:
    """Freeze a pretrained policy and add adapters to it, in place.

    Returns:
        PEFT's model around the policy, which saves and merges the adapters.

    Raises:
        PolicyError: no module matches the targets, PEFT does not support the method or is not installed.
    """
    config = policy.config
    base, revision = config.pretrained_path, config.pretrained_revision
    given = {"target_modules": settings.target_modules, "full_training_modules": settings.full_training_modules}
    trust.check_adapter_patterns(given, _module_names(policy), "model.init_args.peft")
    with policy_errors(config.type), quiet_prints():
        model = policy.wrap_with_peft(peft_cli_overrides=settings.as_lerobot())
    adapter = model.peft_config[model.active_adapter]
    if adapter.is_prompt_learning:
        raise PolicyError(
            f"{config.type}: {settings.method_type} learns prompts of a language model, not adapters of layers",
            "set peft.method_type: LORA",
        )
    # An absolute path: the adapters may be loaded from another working directory.
    adapter.base_model_name_or_path = str(Path(base).resolve()) if base and Path(base).is_dir() else str(base)
    adapter.revision = revision
    return model


def base_of(adapter: dict[str, Any], path: str) -> tuple[str, str | None]:
    """The pretrained policy that adapters were trained on, and its revision.

    Args:
        adapter: the content of adapter_config.json.
        path: the folder of that file, for messages.

    Raises:
        PolicyError: it does not name a base policy.
    """
    base, revision = adapter.get("base_model_name_or_path"), adapter.get("revision")
    if not isinstance(base, str) or not base:
        raise PolicyError(f"{path}/{CONFIG_FILE} does not name the policy that the adapters belong to")
    return base, revision if isinstance(revision, str) else None


def load(
    config: PreTrainedConfig, path: str, revision: str | None, adapter: dict[str, Any]
) -> tuple[PreTrainedPolicy, Any]:
    """Load the policy `config.pretrained_path` with the adapters of a folder or Hub repository.

    Args:
        config: the policy's configuration.
        path: the folder or Hub repository of the adapters.
        revision: branch, tag or commit on the Hub.
        adapter: the content of adapter_config.json.

    Raises:
        PolicyError: either can't be downloaded or read.
        Refused: the adapters' configuration names what PEFT would import, fetch or open, or takes too long to apply.
    """
    with policy_errors(config.type):
        folder, settings = _checked(adapter, path, revision)
    policy = load_policy(config)
    patterns = {key: settings.get(key) for key in trust.ADAPTER_PATTERNS}
    trust.check_adapter_patterns(patterns, _module_names(policy), f"{path}/{CONFIG_FILE}")
    with policy_errors(config.type), quiet_prints():
        from peft import PeftConfig, PeftModel

        model = PeftModel.from_pretrained(policy, str(folder), config=PeftConfig.from_peft_type(**settings))
    return policy, model


def _checked(adapter: dict[str, Any], path: str, revision: str | None) -> tuple[Path, dict[str, Any]]:
    """The folder where the weights of adapters are, and their configuration, which nothing of theirs has touched."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    what, method = f"{path}/{CONFIG_FILE}", adapter.get("peft_type")
    kind = next((kind for name, kind in PEFT_TYPE_TO_CONFIG_MAPPING.items() if name.value == method), None)
    if kind is None:
        raise PolicyError(f"{what} does not name a method of the installed PEFT (peft_type): {method!r}")
    defaults = {
        field.name: field.default_factory() if field.default_factory is not MISSING else field.default
        for field in fields(kind)
        if field.init
    }
    if not {"r", "target_modules"} <= defaults.keys():
        raise PolicyError(f"{what}: {method} does not train adapters of layers, as LeRobot does")
    try:
        # Looked up here: PEFT would take a pickle where these are missing.
        file = pretrained_file(path, WEIGHTS_FILE, revision)
        trust.open_regular(file).close()
        with safe_open(file, "pt") as weights:
            sizes = [size for name in weights.keys() for size in weights.get_slice(name).get_shape()]  # noqa: SIM118
    except (OSError, ValueError, SafetensorError) as error:
        raise PolicyError(f"{WEIGHTS_FILE} of {path} can't be read: {first_line(error)}") from error
    return file.parent, trust.adapter(adapter, defaults, max(sizes, default=0), what)


def _module_names(policy: PreTrainedPolicy) -> list[str]:
    return [name for name, _ in policy.named_modules()]


def merge(model: Any) -> PreTrainedPolicy:
    """Merge the adapters into the policy's weights and remove them."""
    policy: PreTrainedPolicy = model.merge_and_unload()
    policy.config.use_peft = False
    return policy
