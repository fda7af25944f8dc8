"""The fix that rules about short episodes share: a shorter look ahead, with the parameters that hang on it."""

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change


def a_quarter(fit: Fit) -> int:
    """The steps in a quarter of a middling episode: about an eighth of such targets lie behind an episode's end."""
    return max(1, int(np.median(fit.lengths)) // 4)


def shortened(fit: Fit, name: str, steps: int) -> Change | None:
    """Look so many steps ahead, and execute no more than that; None where other parameters hang on it."""
    executed = fit.policy.get("n_action_steps")
    if name not in ("chunk_size", "horizon", "action_horizon") or not isinstance(executed, int):
        return None
    if fit.name == "diffusion":
        steps = _up_to(2 ** len(fit.policy.get("down_dims")), steps)
    elif fit.name == "fastwam":  # its video autoencoder takes one frame and then four at a time
        steps = _up_to(4 * fit.policy.get("action_video_freq_ratio"), steps)
    ahead = steps - fit.policy.n_obs_steps + 1 if name == "horizon" else steps
    changed = {name: steps}
    if executed > ahead:
        changed["n_action_steps"] = ahead
    if fit.name == "fastwam":
        changed["num_video_frames"] = steps + 1
    return Change(
        "set " + " and ".join(f"{parameter} to {value}" for parameter, value in changed.items()),
        set=tuple((fit.recipe.param_route(parameter), value) for parameter, value in changed.items()),
    )


def _up_to(factor: int, number: int) -> int:
    """The next multiple."""
    return -(-number // factor) * factor
