"""What LeRobot's refusals are about, so that each is told once, by the rule that knows it best."""

from __future__ import annotations

import re

from getiaction_cli.policies import PolicyConfig, Rejected
from getiaction_cli.rules.policy._values import Values

# Kind → how LeRobot's messages of that kind read, in all its policies.
_KINDS = {
    "action steps": r"upper bound for the number of action steps|n_action_steps`?\s*(\(-?\d+\) )?"
    r"(cannot be greater than|cannot exceed|must be <=|must be less than or equal to)",
    "horizon": r"integer multiple of the downsampling factor",
    "ensembling": r"when using temporal ensembling",
    "observation steps": r"Multiple observation steps not handled yet",
}


def refusal_of(configured: PolicyConfig | Rejected, kind: str) -> Rejected | None:
    """LeRobot's refusal, when it is of that kind."""
    if isinstance(configured, Rejected) and re.search(_KINDS[kind], configured.message):
        return configured
    return None


def other_refusal(configured: PolicyConfig | Rejected, values: Values) -> Rejected | None:
    """LeRobot's refusal, when it is of no kind that has a rule of its own."""
    if not isinstance(configured, Rejected) or refused_value(values):
        return None
    return None if any(re.search(pattern, configured.message) for pattern in _KINDS.values()) else configured


def refused_value(values: Values) -> list[str]:
    """The parameters whose value LeRobot's own list of allowed values does not hold."""
    fields = values.policy_class.fields if values.written else {}
    return [
        name
        for name, value in values.written.items()
        if (allowed := fields[name].choices) and name != "n_obs_steps" and _plain(value) not in allowed
    ]


def _plain(value: object) -> object:
    return getattr(value, "name", value)


def named_in(message: str, values: Values) -> list[str]:
    """The parameters that a message of LeRobot names, those that the recipe gives first."""
    found = [name for name in values.policy_class.parameter_names if re.search(rf"\b{re.escape(name)}\b", message)]
    # `chunk size` and `nobs_steps` are how some messages call them.
    for words, name in (("chunk size", "chunk_size"), ("gaussian samples", "n_gaussian_samples")):
        if words in message and name in values and name not in found:
            found.append(name)
    return sorted(found, key=lambda name: not values.is_set(name))
