"""Adapters (PEFT) on LeRobot's policies, added, loaded and merged as LeRobot does."""

from pathlib import Path
from typing import Any

from lerobot.configs import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy

from getiaction.errors import PolicyError
from getiaction.lerobot.errors import policy_errors, quiet_prints
from getiaction.lerobot.policies import load_policy
from getiaction.spec.adapters import Adapters

CONFIG_FILE = "adapter_config.json"


def wrap(policy: PreTrainedPolicy, settings: Adapters) -> Any:
    """Freeze a pretrained policy and add adapters to it, in place.

    Returns:
        PEFT's model around the policy, which saves and merges the adapters.

    Raises:
        PolicyError: no module matches the targets, PEFT does not support the method or is not installed.
    """
    config = policy.config
    base, revision = config.pretrained_path, config.pretrained_revision
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


def load(config: PreTrainedConfig, path: str, revision: str | None) -> tuple[PreTrainedPolicy, Any]:
    """Load the policy `config.pretrained_path` with the adapters of a folder or Hub repository.

    Raises:
        PolicyError: either can't be downloaded or read.
    """
    policy = load_policy(config)
    with policy_errors(config.type), quiet_prints():
        from peft import PeftConfig, PeftModel

        model = PeftModel.from_pretrained(
            policy, path, config=PeftConfig.from_pretrained(path, revision=revision), revision=revision
        )
    return policy, model


def merge(model: Any) -> PreTrainedPolicy:
    """Merge the adapters into the policy's weights and remove them."""
    policy: PreTrainedPolicy = model.merge_and_unload()
    policy.config.use_peft = False
    return policy
