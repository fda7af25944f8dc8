"""How LeRobot's policies act: how many actions one prediction gives, and what it depends on.

Every policy has `select_action`, which takes one observation after another and gives one action each; most predict a
chunk of actions, execute `n_action_steps` of it from a queue, and predict again. Between two predictions most of them
keep nothing but the last `n_obs_steps` observations, so the predictions of an episode can be made in one batch.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lerobot.envs.utils import preprocess_observation
from lerobot.policies.pretrained import PreTrainedPolicy

from getiaction.spec import facts


def steps_per_prediction(policy: PreTrainedPolicy) -> int:
    """How many actions the policy executes of one prediction."""
    steps = getattr(policy, "_action_queue_steps", None)  # GR00T's own limit
    for name in ("n_action_steps", "action_chunk_size"):  # VQ-BeT calls it action_chunk_size
        steps = steps or getattr(policy.config, name, None)
    if getattr(policy.config, "n_action_repeats", 1) > 1:
        return int(policy.config.n_action_repeats)
    return int(steps or 1)


def observations_per_prediction(policy: PreTrainedPolicy) -> int:
    """How many observations, the latest included, one prediction depends on."""
    return int(getattr(policy.config, "n_obs_steps", 1) or 1)


def predicts_alone(policy: PreTrainedPolicy) -> bool:
    """Whether a prediction depends on the last observations alone, and not on earlier predictions.

    False for a policy that is not LeRobot's own, which may keep anything.
    """
    own = type(policy).__module__.startswith("lerobot.policies.")
    averages = getattr(policy.config, "temporal_ensemble_coeff", None) is not None
    return own and not averages and not facts.holds(policy.config.type, "remembers_predictions")


def decodes_whole_chunks(policy: PreTrainedPolicy) -> bool:
    """Whether the actions of a chunk are relative to the state at its beginning, so that one by one they are wrong."""
    return bool(getattr(policy.config, "use_relative_actions", False))


def as_lerobot_names(observation: Mapping[str, Any]) -> dict[str, Any]:
    """An observation by LeRobot's keys; those of a Gym environment (`pixels`, `agent_pos`) are renamed by LeRobot."""
    of_gym = {key: observation[key] for key in ("pixels", "agent_pos", "environment_state") if key in observation}
    rest = {key: value for key, value in observation.items() if key not in of_gym}
    return {**rest, **preprocess_observation(of_gym)}


@contextlib.contextmanager
def only_observing(policy: PreTrainedPolicy) -> Iterator[None]:
    """While it lasts, `select_action` takes observations into the policy's queues and predicts nothing."""

    def nothing(batch: dict[str, Any], **_: Any) -> torch.Tensor:
        tensor = next(value for value in batch.values() if isinstance(value, torch.Tensor) and value.ndim)
        return torch.zeros(len(tensor), 1, 1)  # one step, which select_action takes out of its queue at once

    policy.predict_action_chunk = nothing  # type: ignore[method-assign]
    try:
        yield
    finally:
        del policy.predict_action_chunk
