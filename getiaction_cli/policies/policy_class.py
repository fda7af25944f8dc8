"""A policy that can be named in a recipe: its parameters, and LeRobot's own verdict on values for them."""

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
from getiaction_cli.policies.catalog import Entry, world
from getiaction_cli.policies.coerce import WrongType, coerce
from getiaction_cli.policies.config import PolicyConfig, Rejected, refusal
from getiaction_cli.policies.facts import Facts
from getiaction_cli.policies.stubs import Unjudgeable, is_stand_in

# Set by getiaction (features from the dataset, weights from its own arguments), not as parameters of the policy.
NOT_PARAMETERS = frozenset({"input_features", "output_features", "pretrained_path", "pretrained_revision"})


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a policy.

    Args:
        name: as it is written in a recipe.
        type: as LeRobot writes it ("tuple[int, int] | None").
        default: its plain value (enum members as their names, tuples as lists, infinity as YAML's ".inf").
        choices: the allowed values, where LeRobot's source says them; empty otherwise.
        help: the comment or docstring that LeRobot gives it; may be empty.
        group: where it belongs ("timing", "architecture", "vision", …).
        hint: the type itself, for reading a value.
    """

    name: str
    type: str
    default: Any
    choices: tuple[Any, ...]
    help: str
    group: str
    hint: Any = None


class PolicyClass:
    """What LeRobot knows about one policy, read from its configuration source when it is asked for."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.name = entry.name
        self.class_name = entry.class_name

    def __repr__(self) -> str:
        return f"PolicyClass({self.name!r})"

    @property
    def class_path(self) -> str:
        """What a recipe writes as `model.class_path`; a plugin's policy goes through LeRobotPolicy by its name."""
        own = "LeRobotPolicy" if self.entry.plugin or not self.trainable else self.class_name
        return f"getiaction.policies.lerobot.{own}"

    @functools.cached_property
    def config_class(self) -> Any:
        """LeRobot's configuration class, executed lightly.

        Raises:
            Unjudgeable: its file can't be executed without the real libraries.
        """
        return getattr(world().module(self.entry.module), self.entry.config_class)

    @functools.cached_property
    def reads_environment(self) -> bool:
        """True when the network takes `observation.environment_state`, by its source; a plugin's may."""
        if self.entry.plugin:
            return True
        networks = list(self.entry.path.parent.glob("modeling_*.py"))
        return not networks or any("env_state" in file.read_text(encoding="utf-8").lower() for file in networks)

    @functools.cached_property
    def unreadable(self) -> str:
        """Why its parameters can't be known without importing it; empty when they can, as for all of LeRobot's own."""
        try:
            self.config_class  # noqa: B018 - executes its source
        except Unjudgeable as reason:
            return str(reason)
        return ""

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """Parameter → type; Any where a plugin's annotation means nothing at run time."""
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
        """Every parameter by name, in LeRobot's order, with its help text and allowed values; none if `unreadable`."""
        if self.unreadable:
            return {}
        read = source_docs.read(self.config_class, [Path(world().module(m).__file__ or "") for m in self._modules()])
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
        """The modules of the class and its bases that are executed from source, nearest first."""
        from getiaction_cli.policies.sandbox import PREFIX

        found = [kind.__module__ for kind in self.config_class.__mro__]
        return [module.removeprefix(PREFIX) for module in found if module.startswith(PREFIX)]

    @functools.cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names alone, without reading comments."""
        return tuple(field.name for field in dataclasses.fields(self.config_class) if field.init)

    def read_value(self, name: str, value: Any) -> Any:
        """A plain value as the type that the parameter wants.

        Raises:
            Rejected: no such parameter, or a value of the wrong type.
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
        except Exception as error:  # a nested configuration refused its values
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
        """LeRobot's configuration for these parameters: `__post_init__` runs, `validate_features` waits to be asked.

        Args:
            params: plain values by parameter name, as written in a recipe.
            input_features: what the policy reads, as `to_policy_features` gives it.
            output_features: what it predicts, likewise.
            dataset_features: the dataset's own feature table; a few policies read names and cameras from it.

        Raises:
            Rejected: LeRobot refuses them.
            Unjudgeable: LeRobot's code asks something that only the real libraries can answer.
        """
        given = {name: self.read_value(name, value) for name, value in params.items()}
        said = world().said
        said.clear()
        try:
            values = self.config_class(**given)
        except Exception as error:
            raise refusal(error) from error
        # As lerobot.policies.factory.make_policy: the outputs always come from the dataset; inputs that the policy has
        # set by itself stay, and its hook for the dataset's features replaces them.
        if output_features is not None:
            values.output_features = dict(output_features)
        hook = dataset_features is not None and hasattr(values, "set_dataset_feature_metadata")
        if input_features is not None and not (hook and values.input_features):
            values.input_features = dict(input_features)
        return PolicyConfig(self, dict(params), given, values, tuple(said), dataset_features)

    @property
    def known(self) -> bool:
        """True when the table of facts has it: not for a plugin, nor for a policy that LeRobot has added since."""
        return self.entry.plugin is None and bool(facts.of(self.name))

    @property
    def facts(self) -> Facts:
        """What it can do and needs, for any parameters; `PolicyConfig.facts` has also what depends on them."""
        return Facts(self.name, self.known)

    # What can't be computed from the configuration alone is read from LeRobot's other files, see `about`.

    @functools.cached_property
    def _about(self) -> about.About:
        return about.about(self.name, self.entry)

    @property
    def title(self) -> str:
        """How its authors call it."""
        return self._about.title

    @property
    def description(self) -> str:
        """What it is, in LeRobot's words; may be empty."""
        return self._about.description

    @property
    def base(self) -> str:
        """The pretrained weights that LeRobot names for fine-tuning it; empty for none."""
        return self._about.base

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that its extra asks for and that are not installed."""
        return self._about.missing

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return self._about.summary

    @property
    def paper(self) -> str:
        """Where it is described; may be empty."""
        return self._about.paper

    @property
    def reads(self) -> dict[str, Any]:
        """What one sample must hold: {"cameras": text, "state": text, "language": bool, "reward": bool}."""
        return self._about.reads

    @property
    def downloads(self) -> tuple[about.Download, ...]:
        """What must be fetched before it can start with its default parameters."""
        return self._about.downloads

    @property
    def extra(self) -> str | None:
        """The extra of LeRobot it needs ("smolvla"); None for none."""
        return self._about.extra

    @property
    def installed(self) -> bool:
        """True when everything that its extra asks for is installed."""
        return not self._about.missing

    @property
    def install_command(self) -> str:
        """The exact command that installs what is missing; empty when nothing is."""
        return self._about.install_command

    @property
    def trainable(self) -> bool:
        """True when it learns from demonstrations."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why it can't be trained from demonstrations; empty when it can."""
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
    except Exception:  # a plugin's, which needs its own libraries
        return None


def _finite(value: Any) -> Any:
    """The value as JSON can hold it too: numbers that are none as YAML writes them."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """A configuration value as YAML or JSON can hold it."""
    if is_stand_in(value):  # an object of a library that is not loaded here: by its name
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
