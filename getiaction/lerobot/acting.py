"""How LeRobot's policies act: the number of actions per prediction, and what a prediction depends on.

Every policy has `select_action`, which returns one action for each observation; most predict a chunk of actions,
execute `n_action_steps` of it from a queue, and predict again. Between two predictions most of them keep only the last
`n_obs_steps` observations, so that the predictions of an episode can be computed in one batch.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lerobot.envs.utils import preprocess_observation
from lerobot.policies.pretrained import PreTrainedPolicy

from getiaction.spec import facts


def steps_per_prediction(policy: PreTrainedPolicy) -> int:
    """Number of actions that the policy executes from one prediction."""
    steps = getattr(policy, "_action_queue_steps", None)  # GR00T's own limit
    for name in ("n_action_steps", "action_chunk_size"):  # VQ-BeT calls it action_chunk_size
        steps = steps or getattr(policy.config, name, None)
    if getattr(policy.config, "n_action_repeats", 1) > 1:
        return int(policy.config.n_action_repeats)
    return int(steps or 1)


def observations_per_prediction(policy: PreTrainedPolicy) -> int:
    """Number of observations, including the latest, that one prediction depends on."""
    return int(getattr(policy.config, "n_obs_steps", 1) or 1)


def predictions_are_independent(policy: PreTrainedPolicy) -> bool:
    """Whether a prediction depends only on the last observations, and not on earlier predictions.

    False for policies of plugins, whose state is unknown.
    """
    own = type(policy).__module__.startswith("lerobot.policies.")
    averages = getattr(policy.config, "temporal_ensemble_coeff", None) is not None
    return own and not averages and not facts.holds(policy.config.type, "remembers_predictions")


def decodes_whole_chunks(policy: PreTrainedPolicy) -> bool:
    """Whether actions are relative to the state at the start of their chunk, so that they must be decoded together."""
    return bool(getattr(policy.config, "use_relative_actions", False))


def to_lerobot_keys(observation: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the keys of a Gym environment's observation (`pixels`, `agent_pos`) to LeRobot's."""
    from_gym = {key: observation[key] for key in ("pixels", "agent_pos", "environment_state") if key in observation}
    rest = {key: value for key, value in observation.items() if key not in from_gym}
    return {**rest, **preprocess_observation(from_gym)}


@contextlib.contextmanager
def only_observing(policy: PreTrainedPolicy) -> Iterator[None]:
    """Context in which `select_action` only appends observations to the policy's queues, without predicting."""

    def predict_nothing(batch: dict[str, Any], **_: Any) -> torch.Tensor:
        tensor = next(value for value in batch.values() if isinstance(value, torch.Tensor) and value.ndim)
        return torch.zeros(len(tensor), 1, 1)  # one step, which select_action removes from its queue immediately

    policy.predict_action_chunk = predict_nothing  # type: ignore[method-assign]
    try:
        yield
    finally:
        del policy.predict_action_chunk
