"""The policies that LeRobot and its installed plugins register."""

import difflib

import lerobot.policies  # noqa: F401  (importing it registers every config class)
from lerobot.configs import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.import_utils import register_third_party_plugins

from getiaction.errors import PolicyError

__all__ = ["PreTrainedConfig", "PreTrainedPolicy", "config_class", "policy_names"]


def policy_names() -> list[str]:
    """Every policy that LeRobot and the installed plugins register, sorted."""
    return sorted(PreTrainedConfig.get_known_choices())


def config_class(policy: str) -> type[PreTrainedConfig]:
    """The configuration class of a policy.

    Raises:
        PolicyError: neither LeRobot nor an installed plugin registers a policy of that name.
    """
    if policy not in PreTrainedConfig.get_known_choices():
        register_third_party_plugins()
    if policy not in PreTrainedConfig.get_known_choices():
        close = difflib.get_close_matches(policy, policy_names(), n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known policies: {', '.join(policy_names())}"
        raise PolicyError(f"LeRobot has no policy `{policy}`", hint)
    return PreTrainedConfig.get_choice_class(policy)
