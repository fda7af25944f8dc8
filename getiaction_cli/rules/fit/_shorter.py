"""The fix that rules about short episodes share: a shorter horizon, with the parameters that depend on it."""

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change
from getiaction_cli.policies import PolicyConfig, Rejected, Unjudgeable

# Some policies require a horizon that is a multiple of a number; with LeRobot's defaults, it is at most 16.
_MAX_TRIED = 128


def a_quarter(fit: Fit) -> int:
    """Return the policy's steps in a quarter of the median episode: about 1/8 of such targets exceed its end."""
    return max(1, int(np.median(fit.lengths)) // (4 * fit.frames_apart))


def shortened(fit: Fit, name: str, steps: int) -> Change | None:
    """Return a fix that predicts about so many steps; None if other parameters depend on it."""
    changed = shorter(fit, name, steps)
    if not changed:
        return None
    return Change(
        "set " + " and ".join(f"{parameter} to {value}" for parameter, value in changed.items()),
        set=tuple((fit.recipe.param_route(parameter), value) for parameter, value in changed.items()),
    )


def shorter(fit: Fit, name: str, least: int) -> dict[str, int]:
    """Return parameters that predict so many steps, or the next valid number, and execute at most that many."""
    executed = fit.policy.get("n_action_steps")
    if name not in ("chunk_size", "horizon", "action_horizon") or not isinstance(executed, int):
        return {}
    frames = fit.facts.frames_beside_actions if fit.facts.known else ""
    for steps in range(least, least + _MAX_TRIED):
        ahead = steps - fit.policy.n_obs_steps + 1 if name == "horizon" else steps
        changed = {name: steps}
        if ahead < 1:
            continue
        if executed > ahead:
            changed["n_action_steps"] = ahead
        if frames:
            changed[frames] = steps + 1
        if configured(fit, changed):
            return changed
    return {}


def configured(fit: Fit, changed: dict[str, int]) -> PolicyConfig | None:
    """Return the policy with some parameters changed; None if LeRobot rejects them."""
    try:
        return fit.policy.policy.configure({**fit.policy.params, **changed})
    except (Rejected, Unjudgeable):
        return None
