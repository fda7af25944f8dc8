"""A policy's configuration after LeRobot's own checks ran on the user's parameters."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from getiaction_cli.policies.coerce import same
from getiaction_cli.policies.facts import Facts
from getiaction_cli.policies.stubs import Unjudgeable, is_stand_in

if TYPE_CHECKING:
    from getiaction_cli.policies.policy_class import PolicyClass

# What LeRobot fits to this machine, despite the recipe; the machine room speaks of it.
_MACHINE = {"device", "use_amp"}


class Rejected(Exception):  # noqa: N818 - it is an answer, not an error
    """LeRobot refuses these parameters.

    Args:
        message: in LeRobot's words, or "expects …" for a wrong type.
        field: the parameter it concerns, where that is certain ("" otherwise).
        kind: "unknown" (no such parameter), "type" (the value can't be read as the parameter's type) or "value".
        error: the name of the exception LeRobot raises.
        path: the keys inside the parameter's value, for a wrong type.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        kind: str = "value",
        error: str = "ValueError",
        path: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.kind = kind
        self.error = error
        self.path = path


def refusal(error: Exception) -> Rejected:
    """What LeRobot's code raised, as a Rejected; lets through what could not be judged."""
    if isinstance(error, Unjudgeable):
        raise error
    message = str(error) if isinstance(error, (ValueError, NotImplementedError)) else f"{type(error).__name__}: {error}"
    return Rejected(message, error=type(error).__name__)


@dataclass(eq=False)
class PolicyConfig:
    """The result of `PolicyClass.configure`.

    Args:
        policy: the policy class it configures.
        params: what the user set, as given.
        given: the same, as the types LeRobot expects.
        values: LeRobot's configuration object after its `__post_init__`, with the features set.
        said: what LeRobot's code warned about meanwhile.
        dataset_features: the dataset's own feature table, where known (some policies read it).
    """

    policy: PolicyClass
    params: dict[str, Any]
    given: dict[str, Any]
    values: Any
    said: tuple[str, ...] = ()
    dataset_features: dict[str, dict[str, Any]] | None = field(default=None, repr=False)

    def __getattr__(self, name: str) -> Any:
        """A value of the configuration, as `config.chunk_size`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.values, name)

    def get(self, name: str, default: Any = None) -> Any:
        """A value of the configuration, or ``default`` where this policy has no such parameter.

        Args:
            name: a parameter, or "parameter.key" for a value of one that is a mapping.
            default: what is returned where there is none.
        """
        outer, *keys = name.split(".")
        value = getattr(self.values, outer, default)
        for key in keys:
            value = value.get(key, default) if isinstance(value, dict) else default
        return value

    @property
    def facts(self) -> Facts:
        """What the policy can do and needs with these parameters, as far as no configuration says it."""
        return Facts(self.policy.name, self.policy.known, self.values)

    @property
    def observation_delta_indices(self) -> list[int] | None:
        """The time steps of every observation, relative to the current frame; None for the current frame alone."""
        return self.values.observation_delta_indices

    @property
    def action_delta_indices(self) -> list[int] | None:
        """The time steps of the actions of one sample, relative to the current frame."""
        return self.values.action_delta_indices

    @property
    def reward_delta_indices(self) -> list[int] | None:
        """The time steps of `next.reward`, for the policies that read it."""
        return self.values.reward_delta_indices

    @property
    def drop_n_last_frames(self) -> int:
        """How many frames at the end of each episode are never a sample's current frame."""
        return getattr(self.values, "drop_n_last_frames", 0) or 0

    @functools.cached_property
    def normalization(self) -> dict[str, str]:
        """Kind of feature ("VISUAL", "STATE", "ENV", "ACTION") → mode ("MEAN_STD", "MIN_MAX", "QUANTILES", …)."""
        mapping = getattr(self.values, "normalization_mapping", None) or {}
        return {str(getattr(kind, "value", kind)): str(getattr(mode, "value", mode)) for kind, mode in mapping.items()}

    @property
    def input_features(self) -> dict[str, Any]:
        """Key → feature (`.type`, `.shape`) of what the policy reads."""
        return self.values.input_features or {}

    @property
    def output_features(self) -> dict[str, Any]:
        """Key → feature of what the policy predicts."""
        return self.values.output_features or {}

    def _inputs(self, kind: str) -> dict[str, Any]:
        return {key: feature for key, feature in self.input_features.items() if feature.type.value == kind}

    @property
    def image_features(self) -> dict[str, Any]:
        """The cameras among the inputs: key → feature with shape (channels, height, width)."""
        return self._inputs("VISUAL")

    @property
    def state_feature(self) -> Any:
        """The input `observation.state`, or None."""
        return self._inputs("STATE").get("observation.state")

    @property
    def env_state_feature(self) -> Any:
        """The input `observation.environment_state`, or None."""
        return next(iter(self._inputs("ENV").values()), None)

    @property
    def action_feature(self) -> Any:
        """The output `action`, or None."""
        feature = self.output_features.get("action")
        return feature if feature is not None and feature.type.value == "ACTION" else None

    @functools.cached_property
    def optimizer(self) -> dict[str, Any]:
        """The optimizer that the policy trains with by its own preset: {"type": "AdamWConfig", "lr": …, …}."""
        return _preset(self.values.get_optimizer_preset)

    @functools.cached_property
    def scheduler(self) -> dict[str, Any]:
        """The learning rate schedule of the policy's preset; empty when it has none."""
        return _preset(self.values.get_scheduler_preset)

    @functools.cached_property
    def _validated(self) -> tuple[Any, str | None, tuple[str, ...]]:
        from getiaction_cli.policies.catalog import world

        after = copy.deepcopy(self.values)
        said = world().said
        said.clear()
        try:
            hook = getattr(after, "set_dataset_feature_metadata", None)
            if hook is not None and self.dataset_features is not None:
                hook(self.dataset_features)
            after.validate_features()
        except Exception as error:
            return after, refusal(error).message, tuple(said)
        return after, None, tuple(said)

    def validate_features(self) -> str | None:
        """LeRobot's message when it refuses these features for this policy; None when it accepts them.

        Raises:
            Unjudgeable: LeRobot asks something here that only the real libraries can answer.
        """
        return self._validated[1]

    @property
    def after(self) -> Any:
        """The values as LeRobot's `validate_features` leaves them (it changes some)."""
        return self._validated[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What LeRobot's code warns about: only its log says it."""
        return self.said + (self._validated[2] if self.input_features else ())

    @property
    def rewritten(self) -> dict[str, tuple[Any, Any]]:
        """Each parameter that the user set and LeRobot changes without an error: name → (given, became)."""
        values = self.after if self.input_features else self.values
        changed = {}
        for name, given in self.given.items():
            became = getattr(values, name, given)
            if name not in _MACHINE and not is_stand_in(became) and not same(given, became):
                changed[name] = (given, became)
        return changed


def _preset(build: Any) -> dict[str, Any]:
    try:
        preset = build()
    except Exception as error:
        raise refusal(error) from error
    return {} if preset is None else {"type": type(preset).__name__, **vars(preset)}
