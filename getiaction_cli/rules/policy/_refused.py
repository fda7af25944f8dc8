"""Which rule reports which of LeRobot's refusals, so that each is reported once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from getiaction_cli.policies import PolicyConfig, Rejected, Unjudgeable
from getiaction_cli.rules.policy._values import Values

# LeRobot stops at the first error. This is the maximum number of attempts to find further ones.
_MAX = 8
# Kind → pattern of LeRobot's error messages of that kind, for all policies.
_KINDS = {
    "action steps": r"upper bound for the number of action steps|n_action_steps`?\s*(\(-?\d+\) )?"
    r"(cannot be greater than|cannot exceed|must be <=|must be less than or equal to)",
    "horizon": r"integer multiple of the downsampling factor",
    "ensembling": r"when using temporal ensembling",
    "observation steps": r"Multiple observation steps not handled yet",
}


def refusals(configured: PolicyConfig | Rejected, values: Values) -> list[Rejected]:
    """Find all parameters that LeRobot rejects, not only the first one.

    Each error is fixed as its rule would fix it, and the policy is validated again. The result doesn't include values
    outside the allowed ones (see `refused_value`) and features of the dataset that can't be read.
    """
    if not isinstance(configured, Rejected):
        return []
    found, _ = settle(values)
    if not found and not refused_value(values) and values.recipe.get("model.init_args.pretrained_path"):
        return [configured]  # includes the parameters of the checkpoint
    return found


def settle(values: Values, pretrained: Mapping[str, Any] | None = None) -> tuple[list[Rejected], dict[str, Any] | None]:
    """Validate the policy repeatedly, and fix each error as its rule would fix it.

    Args:
        values: the readable parameters of the recipe.
        pretrained: parameters of the checkpoint, which apply unless the recipe sets them.

    Returns:
        The errors, and the parameters with which LeRobot accepts the policy; None if none were found.
    """
    given = values.recipe.params()
    outside = refused_value(values)
    params = {name: given[name] for name in values.written if name not in outside}
    found: list[Rejected] = []
    for _ in range(_MAX):
        try:
            values.policy_class.configure({**(pretrained or {}), **params})
        except Rejected as refused:
            if refused.message not in [known.message for known in found]:
                found.append(refused)
            if not _fix(refused, params, values) and not _leave_one_out(params, values, pretrained or {}):
                return found, None
        except Unjudgeable:
            return found, None
        else:
            return found, params
    return found, None


def _leave_one_out(params: dict[str, Any], values: Values, pretrained: Mapping[str, Any]) -> bool:
    """Remove the only parameter without which LeRobot accepts the rest; False if there is none."""
    for name in params:
        rest = {key: value for key, value in params.items() if key != name}
        try:
            values.policy_class.configure({**pretrained, **rest})
        except Rejected:
            continue
        del params[name]
        return True
    return False


def _fix(refused: Rejected, params: dict[str, Any], values: Values) -> bool:
    """Change the parameters so that this error disappears; False if there is no known fix."""
    before = dict(params)
    kind = next((kind for kind, pattern in _KINDS.items() if re.search(pattern, refused.message)), "")
    if kind == "action steps":
        params["n_action_steps"] = params.get(steps_limit(values), values[steps_limit(values)])
    elif kind == "horizon":
        factor = 2 ** len(params.get("down_dims", values["down_dims"]))
        params["horizon"] = max(factor, -(-params.get("horizon", values["horizon"]) // factor) * factor)
    elif kind == "ensembling":
        params["n_action_steps"] = 1
    elif kind == "observation steps":
        params.pop("n_obs_steps", None)
    else:
        for name in named_in(refused.message, values):
            params.pop(name, None)
    return params != before


def steps_limit(values: Values) -> str:
    """Return the parameter that limits n_action_steps."""
    return next((name for name in ("action_horizon", "chunk_size", "horizon") if name in values), "chunk_size")


def refusal_of(configured: PolicyConfig | Rejected, values: Values, kind: str) -> Rejected | None:
    """Return LeRobot's error of this kind, or None."""
    return next((refused for refused in refusals(configured, values) if re.search(_KINDS[kind], refused.message)), None)


def other_refusals(configured: PolicyConfig | Rejected, values: Values) -> list[Rejected]:
    """Return LeRobot's errors that no other rule handles."""
    return [
        refused
        for refused in refusals(configured, values)
        if not any(re.search(pattern, refused.message) for pattern in _KINDS.values())
    ]


def refused_value(values: Values) -> list[str]:
    """Return the parameters whose value is not in LeRobot's list of allowed values."""
    fields = values.policy_class.fields if values.written else {}
    return [
        name
        for name, value in values.written.items()
        if (allowed := fields[name].choices) and name != "n_obs_steps" and _plain(value) not in allowed
    ]


def _plain(value: object) -> object:
    return getattr(value, "name", value)


def named_in(message: str, values: Values) -> list[str]:
    """Return the parameters in an error message of LeRobot; those that the recipe sets come first."""
    found = [name for name in values.policy_class.parameter_names if re.search(rf"\b{re.escape(name)}\b", message)]
    # Some messages write `chunk size` and `nobs_steps`.
    for words, name in (("chunk size", "chunk_size"), ("gaussian samples", "n_gaussian_samples")):
        if words in message and name in values and name not in found:
            found.append(name)
    return sorted(found, key=lambda name: not values.is_set(name))
