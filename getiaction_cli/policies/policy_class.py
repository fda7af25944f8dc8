"""A policy that a recipe can name: its parameters, and LeRobot's own checks of their values."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getiaction.spec import facts
from getiaction.spec.overridden import POLICY_DEFAULTS, POLICY_HELP
from getiaction_cli.policies import about, passthrough_values, source_docs
from getiaction_cli.policies.catalog import Entry, light_lerobot
from getiaction_cli.policies.coerce import WrongType, coerce
from getiaction_cli.policies.config import PolicyConfig, Rejected, refusal
from getiaction_cli.policies.facts import Facts
from getiaction_cli.policies.stubs import Unjudgeable, is_stand_in

# Fields that getiaction sets (features from the dataset, weights from its own arguments), not the recipe.
NOT_PARAMETERS = frozenset({"input_features", "output_features", "pretrained_path", "pretrained_revision"})


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a policy.

    Args:
        name: its name in a recipe.
        type: its annotation in LeRobot ("tuple[int, int] | None").
        default: its default as a plain value (enum members as names, tuples as lists, infinity as YAML's ".inf").
        choices: the allowed values, if LeRobot's source lists them; empty otherwise.
        help: its comment or docstring in LeRobot; may be empty.
        group: its group ("timing", "architecture", "vision", …).
        hint: the type itself, for converting values.
    """

    name: str
    type: str
    default: Any
    choices: tuple[Any, ...]
    help: str
    group: str
    hint: Any = None


class PolicyClass:
    """One policy; its parameters are read from LeRobot's configuration source on first use."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.name = entry.name
        self.class_name = entry.class_name

    def __repr__(self) -> str:
        return f"PolicyClass({self.name!r})"

    @property
    def class_path(self) -> str:
        """The `model.class_path` of a recipe; LeRobotPolicy for a plugin's policy, which policy_name then names."""
        own = "LeRobotPolicy" if self.entry.plugin or not self.trainable else self.class_name
        return f"getiaction.policies.lerobot.{own}"

    @functools.cached_property
    def config_class(self) -> Any:
        """LeRobot's configuration class, executed without torch.

        Raises:
            Unjudgeable: its file can't be executed without the real libraries.
        """
        return getattr(light_lerobot().module(self.entry.module), self.entry.config_class)

    @functools.cached_property
    def reads_environment(self) -> bool:
        """Whether the network's source reads `observation.environment_state`; true for plugins."""
        if self.entry.plugin:
            return True
        networks = list(self.entry.path.parent.glob("modeling_*.py"))
        return not networks or any("env_state" in file.read_text(encoding="utf-8").lower() for file in networks)

    @functools.cached_property
    def unreadable(self) -> str:
        """Why its parameters can't be read without importing it; empty if they can, as for all of LeRobot's own."""
        try:
            self.config_class  # noqa: B018 - executes its source
        except Unjudgeable as reason:
            return str(reason)
        return ""

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """Parameter → type; Any for a plugin's annotations that can't be evaluated."""
        try:
            return typing.get_type_hints(self.config_class)
        except Exception:
            return {
                name: _hint(annotation, sys.modules[kind.__module__].__dict__)
                for kind in reversed(self.config_class.__mro__)
                for name, annotation in inspect.get_annotations(kind).items()
            }

    @functools.cached_property
    def fields(self) -> dict[str, Field]:
        """All parameters by name, in LeRobot's order, with help and allowed values; empty if `unreadable`."""
        if self.unreadable:
            return {}
        read = source_docs.read(
            self.config_class, [Path(light_lerobot().module(m).__file__ or "") for m in self._modules()]
        )
        return {
            field.name: Field(
                name=field.name,
                type=source_docs.type_text(self.hints[field.name]),
                default=POLICY_DEFAULTS.get(field.name, _finite(plain(_default(field)))),
                choices=source_docs.choices(self.hints[field.name])
                or read.choices.get(field.name)
                or passthrough_values.words(self.name, field.name),
                help=POLICY_HELP.get(field.name) or read.help.get(field.name, ""),
                group=source_docs.group(field.name, read.headings.get(field.name, "")),
                hint=self.hints[field.name],
            )
            for field in dataclasses.fields(self.config_class)
            if field.init
        }

    def _modules(self) -> list[str]:
        """The modules of the class and its bases that are executed from source, the class first."""
        from getiaction_cli.policies.sandbox import PREFIX

        found = [kind.__module__ for kind in self.config_class.__mro__]
        return [module.removeprefix(PREFIX) for module in found if module.startswith(PREFIX)]

    @functools.cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, without reading comments."""
        return tuple(field.name for field in dataclasses.fields(self.config_class) if field.init)

    def read_value(self, name: str, value: Any) -> Any:
        """Convert a plain value to the type of a parameter.

        Raises:
            Rejected: the parameter does not exist, or the value has the wrong type.
        """
        if name not in self.parameter_names:
            raise Rejected(f"{self.name} has no parameter {name}", field=name, kind="unknown", error="TypeError")
        try:
            return coerce(self._takes(name), value)
        except WrongType as wrong:
            message = f"{name} expects {wrong.expected}"
            if wrong.path:
                message = f"{name}.{'.'.join(wrong.path)} expects {wrong.expected}"
            raise Rejected(message, field=name, kind="type", error="TypeError", path=wrong.path) from None
        except Exception as error:  # raised by a nested configuration
            raise Rejected(refusal(error).message, field=name) from error

    def _takes(self, name: str) -> Any:
        """The parameter's type; LeRobot declares a few booleans as integers (replace_final_stride_with_dilation)."""
        hint = self.hints[name]
        if hint is not int:
            return hint
        default = next(_default(field) for field in dataclasses.fields(self.config_class) if field.name == name)
        return int | bool if isinstance(default, bool) else int

    def configure(
        self,
        params: Mapping[str, Any],
        input_features: Mapping[str, Any] | None = None,
        output_features: Mapping[str, Any] | None = None,
        dataset_features: dict[str, dict[str, Any]] | None = None,
    ) -> PolicyConfig:
        """Make LeRobot's configuration for some parameters; runs `__post_init__`, but not `validate_features`.

        Args:
            params: plain values by parameter name, as in a recipe.
            input_features: the policy's inputs, as `to_policy_features` returns them.
            output_features: the policy's outputs, likewise.
            dataset_features: the dataset's own feature table; a few policies read names and cameras from it.

        Raises:
            Rejected: LeRobot rejects them.
            Unjudgeable: LeRobot's code depends on libraries that are not loaded here.
        """
        given = {name: self.read_value(name, value) for name, value in params.items()}
        logged = light_lerobot().warnings
        logged.clear()
        try:
            values = self.config_class(**given)
        except Exception as error:
            raise refusal(error) from error
        # As in lerobot.policies.factory.make_policy: the outputs always come from the dataset; inputs that the policy
        # sets itself are kept, and its hook for the dataset's features replaces them.
        if output_features is not None:
            values.output_features = dict(output_features)
        hook = dataset_features is not None and hasattr(values, "set_dataset_feature_metadata")
        if input_features is not None and not (hook and values.input_features):
            values.input_features = dict(input_features)
        return PolicyConfig(self, dict(params), given, values, tuple(logged), dataset_features)

    @property
    def known(self) -> bool:
        """Whether the table of facts has this policy; not for plugins, nor for policies of later LeRobots."""
        return self.entry.plugin is None and bool(facts.of(self.name))

    @property
    def facts(self) -> Facts:
        """Facts that do not depend on parameters; `PolicyConfig.facts` has all of them."""
        return Facts(self.name, self.known)

    # What can't be computed from the configuration alone is read from LeRobot's other files, see `about`.

    @functools.cached_property
    def _about(self) -> about.About:
        return about.about(self.name, self.entry)

    @property
    def title(self) -> str:
        """The policy's name in its paper."""
        return self._about.title

    @property
    def description(self) -> str:
        """LeRobot's description; may be empty."""
        return self._about.description

    @property
    def base(self) -> str:
        """The pretrained weights that LeRobot recommends for fine-tuning; empty for none."""
        return self._about.base

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that its extra requires and that are not installed."""
        return self._about.missing

    @property
    def summary(self) -> str:
        """A description in one line."""
        return self._about.summary

    @property
    def paper(self) -> str:
        """The address of its paper; may be empty."""
        return self._about.paper

    @property
    def reads(self) -> dict[str, Any]:
        """Its inputs: {"cameras": text, "state": text, "language": bool, "reward": bool}."""
        return self._about.reads

    @property
    def downloads(self) -> tuple[about.Download, ...]:
        """The downloads that it needs with its default parameters."""
        return self._about.downloads

    @property
    def extra(self) -> str | None:
        """The extra of LeRobot that it needs ("smolvla"); None for none."""
        return self._about.extra

    @property
    def installed(self) -> bool:
        """Whether all packages of its extra are installed."""
        return not self._about.missing

    @property
    def install_command(self) -> str:
        """The command that installs the missing packages; empty if none are missing."""
        return self._about.install_command

    @property
    def trainable(self) -> bool:
        """Whether it learns from demonstrations."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why it can't be trained from demonstrations; empty if it can."""
        return self._about.why_not


def _hint(annotation: Any, names: dict[str, Any]) -> Any:
    try:
        return typing.get_type_hints(types.SimpleNamespace(__annotations__={"it": annotation}), names)["it"]
    except Exception:
        return Any


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is dataclasses.MISSING:
        return None
    try:
        return field.default_factory()
    except Exception:  # in a plugin, which needs its own libraries
        return None


def _finite(value: Any) -> Any:
    """Replace numbers that JSON does not support by their YAML text."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """Convert a configuration value to plain YAML or JSON values."""
    if is_stand_in(value):  # an object of a library that is not loaded here is represented by its name
        return (value if isinstance(value, type) else type(value)).__name__.rpartition(".")[2]
    if isinstance(value, (bool, int, float, str, type(None))) and not hasattr(value, "name"):
        return value
    if hasattr(value, "name") and hasattr(value, "value"):
        return value.name
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)
