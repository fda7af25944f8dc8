"""Which rule reports which of LeRobot's refusals, so that each is reported once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from getiaction_cli.policies import PolicyConfig, Rejected, Unjudgeable
from getiaction_cli.rules.policy._values import Values

# LeRobot stops at the first thing that it refuses; it is asked at most this often what the next one is.
_MAX = 8
# Kind → how LeRobot's messages of that kind read, in all its policies.
_KINDS = {
    "action steps": r"upper bound for the number of action steps|n_action_steps`?\s*(\(-?\d+\) )?"
    r"(cannot be greater than|cannot exceed|must be <=|must be less than or equal to)",
    "horizon": r"integer multiple of the downsampling factor",
    "ensembling": r"when using temporal ensembling",
    "observation steps": r"Multiple observation steps not handled yet",
}


def refusals(configured: PolicyConfig | Rejected, values: Values) -> list[Rejected]:
    """Everything that LeRobot refuses, not only the first thing that it meets.

    Each refusal is fixed as its rule would fix it, and LeRobot is asked again. Not among them are values outside
    their allowed ones (`refused_value` finds those) and a dataset's features that can't be read.
    """
    if not isinstance(configured, Rejected):
        return []
    found, _ = settle(values)
    if not found and not refused_value(values) and values.recipe.get("model.init_args.pretrained_path"):
        return [configured]  # together with the parameters of the checkpoint
    return found


def settle(values: Values, pretrained: Mapping[str, Any] | None = None) -> tuple[list[Rejected], dict[str, Any] | None]:
    """Ask LeRobot again and again, each refusal fixed as its rule would fix it.

    Args:
        values: the parameters of the recipe that can be read.
        pretrained: the parameters that a checkpoint sets where the recipe does not.

    Returns:
        The refusals, and the recipe's parameters with which LeRobot accepts the policy; None where none were found.
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
    """Leave out the one parameter without which LeRobot accepts the rest; False when there is none."""
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
    """Change the parameters so that this refusal is gone; False when it isn't known how."""
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
    """The parameter that n_action_steps may not exceed."""
    return next((name for name in ("action_horizon", "chunk_size", "horizon") if name in values), "chunk_size")


def refusal_of(configured: PolicyConfig | Rejected, values: Values, kind: str) -> Rejected | None:
    """LeRobot's refusal of that kind, if there is one."""
    return next((refused for refused in refusals(configured, values) if re.search(_KINDS[kind], refused.message)), None)


def other_refusals(configured: PolicyConfig | Rejected, values: Values) -> list[Rejected]:
    """LeRobot's refusals of no kind that has a rule of its own."""
    return [
        refused
        for refused in refusals(configured, values)
        if not any(re.search(pattern, refused.message) for pattern in _KINDS.values())
    ]


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
