"""A policy's configuration after LeRobot's own checks of the user's parameters."""

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

# Parameters that LeRobot adapts to this machine; rules about the machine report them.
_MACHINE = {"device", "use_amp"}


class Rejected(Exception):  # noqa: N818 - a result, not an error
    """LeRobot rejects the parameters.

    Args:
        message: LeRobot's message, or "expects …" for a wrong type.
        field: the parameter it concerns, if that is certain ("" otherwise).
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
    """Convert an exception of LeRobot's code to a Rejected; raise an Unjudgeable again."""
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
        given: `params` converted to LeRobot's types.
        values: LeRobot's configuration object after its `__post_init__`, with the features set.
        logged: warnings of LeRobot's code.
        dataset_features: the dataset's own feature table, if known (some policies read it).
    """

    policy: PolicyClass
    params: dict[str, Any]
    given: dict[str, Any]
    values: Any
    logged: tuple[str, ...] = ()
    dataset_features: dict[str, dict[str, Any]] | None = field(default=None, repr=False)

    def __getattr__(self, name: str) -> Any:
        """A value of the configuration, as `config.chunk_size`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.values, name)

    def get(self, name: str, default: Any = None) -> Any:
        """A value of the configuration, or ``default`` if the policy does not have this parameter.

        Args:
            name: a parameter, or "parameter.key" for a value of one that is a mapping.
            default: the value that is returned otherwise.
        """
        outer, *keys = name.split(".")
        value = getattr(self.values, outer, default)
        for key in keys:
            value = value.get(key, default) if isinstance(value, dict) else default
        return value

    @property
    def facts(self) -> Facts:
        """Facts about the policy with these parameters, besides its configuration."""
        return Facts(self.policy.name, self.policy.known, self.values)

    @property
    def observation_delta_indices(self) -> list[int] | None:
        """The time steps of every observation, relative to the current frame; None for only the current frame."""
        return self._steps("observation_delta_indices")

    @property
    def action_delta_indices(self) -> list[int] | None:
        """The time steps of the actions of one sample, relative to the current frame."""
        return self._steps("action_delta_indices")

    @property
    def reward_delta_indices(self) -> list[int] | None:
        """The time steps of `next.reward`, for the policies that read it."""
        return self._steps("reward_delta_indices")

    def _steps(self, name: str) -> list[int] | None:
        steps = getattr(self.values, name)
        if steps is None or isinstance(steps, list):
            return steps
        raise Unjudgeable(f"its {name} is a {type(steps).__name__}, not a list of time steps")

    @property
    def drop_n_last_frames(self) -> int:
        """Number of frames at the end of each episode that do not start a sample."""
        return getattr(self.values, "drop_n_last_frames", 0) or 0

    @functools.cached_property
    def normalization(self) -> dict[str, str]:
        """Kind of feature ("VISUAL", "STATE", "ENV", "ACTION") → mode ("MEAN_STD", "MIN_MAX", "QUANTILES", …)."""
        mapping = getattr(self.values, "normalization_mapping", None) or {}
        return {str(getattr(kind, "value", kind)): str(getattr(mode, "value", mode)) for kind, mode in mapping.items()}

    @property
    def input_features(self) -> dict[str, Any]:
        """Key → feature (`.type`, `.shape`) of the policy's inputs."""
        return self.values.input_features or {}

    @property
    def output_features(self) -> dict[str, Any]:
        """Key → feature of the policy's outputs."""
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
        """The optimizer of the policy's preset: {"type": "AdamWConfig", "lr": …, …}."""
        return _preset(self.values.get_optimizer_preset)

    @functools.cached_property
    def scheduler(self) -> dict[str, Any]:
        """The learning rate schedule of the policy's preset; empty without one."""
        return _preset(self.values.get_scheduler_preset)

    @functools.cached_property
    def _validated(self) -> tuple[Any, str | None, tuple[str, ...]]:
        from getiaction_cli.policies.catalog import light_lerobot

        after = copy.deepcopy(self.values)
        logged = light_lerobot().warnings
        logged.clear()
        try:
            hook = getattr(after, "set_dataset_feature_metadata", None)
            if hook is not None and self.dataset_features is not None:
                hook(self.dataset_features)
            after.validate_features()
        except Exception as error:
            return after, refusal(error).message, tuple(logged)
        return after, None, tuple(logged)

    def validate_features(self) -> str | None:
        """LeRobot's message if it rejects these features for this policy; None if it accepts them.

        Raises:
            Unjudgeable: LeRobot's check depends on libraries that are not loaded here.
        """
        return self._validated[1]

    @property
    def after(self) -> Any:
        """The values after LeRobot's `validate_features`, which changes some."""
        return self._validated[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings that LeRobot's code logs."""
        return self.logged + (self._validated[2] if self.input_features else ())

    @property
    def rewritten(self) -> dict[str, tuple[Any, Any]]:
        """The user's parameters that LeRobot silently changes: name → (value before, value after)."""
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
