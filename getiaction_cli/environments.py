"""The simulated environments that LeRobot can evaluate a policy in, read from its source without torch.

The configuration classes in `lerobot/envs/configs.py` are executed in the sandbox that policies use. What the
package of an environment registers (task names, the size of its pictures) is read from its source, never imported.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from getiaction_cli.installed import package_folder, requirements
from getiaction_cli.policies import Field, Rejected, Unjudgeable, plain
from getiaction_cli.policies.catalog import light_lerobot
from getiaction_cli.policies.coerce import WrongType, coerce
from getiaction_cli.policies.config import refusal
from getiaction_cli.policies.source_docs import choices, type_text

_MODULE = "lerobot.envs.configs"
# Fields that LeRobot fills with what the environment returns.
DECLARED = ("features", "features_map")
MAX_BYTES = 1_000_000


class Environment:
    """An environment type (`type: pusht`).

    Args:
        name: its registered name.
        config_class: LeRobot's configuration class.
    """

    def __init__(self, name: str, config_class: Any) -> None:
        self.name = name
        self.config_class = config_class

    @functools.cached_property
    def fields(self) -> dict[str, Field]:
        """Return name → field, with its type, default and allowed values."""
        hints = typing.get_type_hints(self.config_class)
        found = {}
        for field in dataclasses.fields(self.config_class):
            if not field.init or field.name in DECLARED:
                continue
            default = field.default if field.default is not dataclasses.MISSING else None
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            words = choices(hints[field.name])
            if field.name == "obs_type":
                words = tuple(self.observation_types)
            kind = type_text(hints[field.name])
            found[field.name] = Field(field.name, kind, plain(default), words, "", "", hints[field.name])
        return found

    @functools.cached_property
    def observation_types(self) -> list[str]:
        """Return the values of `obs_type` for which LeRobot declares the observations."""
        source = Path(light_lerobot().module(_MODULE).__file__ or "")
        tree = ast.parse(source.read_text(encoding="utf-8"))
        bases = [kind.__name__ for kind in self.config_class.__mro__]
        found: list[str] = []
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in bases:
                found += _compared(node, "obs_type")
        return list(dict.fromkeys(found))

    @property
    def refused(self) -> str:
        """Return why getiaction does not create it; empty for a simulation in installed packages."""
        names = {field.name for field in dataclasses.fields(self.config_class)}
        if "hub_path" in names:
            return "runs code that it downloads from the Hub"
        return "drives a real robot" if {"robot", "teleop"} <= names else ""

    def read_value(self, name: str, value: Any) -> Any:
        """Convert a plain value to the type of a field.

        Raises:
            Rejected: a value of the wrong type.
        """
        try:
            return coerce(self.fields[name].hint, value)
        except WrongType as wrong:
            raise Rejected(f"{name} expects {wrong.expected}", field=name, kind="type", error="TypeError") from None

    def configure(self, values: Mapping[str, Any]) -> Any:
        """Return LeRobot's configuration for these values; unknown fields are ignored.

        Raises:
            Rejected: LeRobot refuses them.
            Unjudgeable: LeRobot's code needs libraries that are not loaded here.
        """
        given = {name: self.read_value(name, value) for name, value in values.items() if name in self.fields}
        try:
            return self.config_class(**given)
        except Exception as error:
            raise refusal(error) from error

    @functools.cached_property
    def packages(self) -> list[str]:
        """Return the requirements of LeRobot's extra of this name on this machine; empty if there is none."""
        return sorted(requirements("lerobot", self.name, own=True))

    @property
    def _is_registered_by_package(self) -> bool:
        """True for types that LeRobot creates with `gym.make` from a package called gym_TYPE."""
        return "create_envs" not in _own(self.config_class)

    def tasks(self, config: Any) -> list[str] | None:
        """Return the tasks that the environment's package registers; None if unknown."""
        found = _registered(str(config.package_name)) if self._is_registered_by_package else None
        if not found:
            return None
        start = f"{config.package_name}/"
        return sorted(name.removeprefix(start) for name in found if name.startswith(start))

    def provides(self, config: Any) -> dict[str, Provided]:
        """Return LeRobot key → feature that a policy receives."""
        adapts = "get_env_processors" in _own(self.config_class)
        found = {}
        for key, feature in config.features.items():
            name, kind = config.features_map.get(key, key), feature.type.value
            shape: tuple[int, ...] | None = tuple(feature.shape)
            if kind == "VISUAL":
                shape = self._picture(config, tuple(feature.shape))
            found[name] = Provided(kind, shape)
        if adapts:
            # The environment combines the parts of the state at run time, in an order that is not known here.
            parts = [name for name in found if name.startswith("observation.state.")]
            if parts:
                found["observation.state"] = Provided("STATE", None)
            for name in parts:
                del found[name]
        return found

    def _picture(self, config: Any, declared: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the shape (channels, height, width) of its images; None if it is only known at run time.

        LeRobot declares a size in every configuration, and passes it on to some environments only.
        """
        if not self._is_registered_by_package:
            return (declared[2], declared[0], declared[1])
        passed = dict(config.gym_kwargs)
        registered = (_registered(str(config.package_name)) or {}).get(str(config.gym_id))
        if registered is None:
            return None
        known = {**registered.defaults, **registered.kwargs, **passed}
        height, width = known.get("observation_height"), known.get("observation_width")
        return (declared[2], height, width) if isinstance(height, int) and isinstance(width, int) else None


@dataclasses.dataclass(frozen=True)
class Simulation:
    """An environment with LeRobot's configuration for the values of a recipe.

    Args:
        environment: the type.
        values: the values in the recipe.
        config: LeRobot's configuration object.
    """

    environment: Environment
    values: Mapping[str, Any]
    config: Any

    @property
    def provides(self) -> dict[str, Provided]:
        """Return LeRobot key → feature that a policy receives, or the action that it sends."""
        return self.environment.provides(self.config)

    def with_value(self, name: str, value: Any) -> Simulation | None:
        """Return a copy with another value of one field; None if LeRobot rejects it."""
        values = {**self.values, name: value}
        try:
            return Simulation(self.environment, values, self.environment.configure(values))
        except (Rejected, Unjudgeable):
            return None


@dataclasses.dataclass(frozen=True)
class Provided:
    """An observation or action of an environment.

    Args:
        kind: "STATE", "ENV", "VISUAL" or "ACTION".
        shape: images as (channels, height, width); None if only known at run time.
    """

    kind: str
    shape: tuple[int, ...] | None


@functools.cache
def environments() -> dict[str, Environment]:
    """Return name → environment type, for all that LeRobot registers.

    Raises:
        Unjudgeable: LeRobot's source cannot be executed without its libraries.
    """
    found = {}
    for kind in vars(light_lerobot().module(_MODULE)).values():
        name = vars(kind).get("_choice_name") if isinstance(kind, type) else None
        if isinstance(name, str):
            found[name] = Environment(name, kind)
    return dict(sorted(found.items()))


def known_environments() -> dict[str, Environment]:
    """Return the same as `environments`; empty if they can't be read."""
    try:
        return environments()
    except Unjudgeable:
        return {}


@dataclasses.dataclass(frozen=True)
class _Registered:
    """A gymnasium registration: fixed arguments, and the defaults of the constructor."""

    kwargs: Mapping[str, Any]
    defaults: Mapping[str, Any]


@functools.cache
def _registered(package: str) -> dict[str, _Registered] | None:
    """Return name → arguments of `register` in the package's `__init__.py`; None if there is no such package."""
    folder = package_folder(package)
    if folder is None:
        return None
    found = {}
    for node in ast.walk(_tree(folder / "__init__.py")):
        if not (isinstance(node, ast.Call) and _name(node.func) == "register"):
            continue
        given = {word.arg: _literal(word.value) for word in node.keywords if word.arg}
        if isinstance(given.get("id"), str):
            kwargs = given.get("kwargs")
            defaults = _constructor(folder, str(given.get("entry_point")))
            found[given["id"]] = _Registered(kwargs if isinstance(kwargs, dict) else {}, defaults)
    return found


def _constructor(folder: Path, entry_point: str) -> dict[str, Any]:
    """Return the defaults of the constructor of an entry point ("gym_pusht.envs:PushTEnv")."""
    module, _, name = entry_point.partition(":")
    place = folder.joinpath(*module.split(".")[1:])
    for file in sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]:
        for node in _tree(file).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                        words = [word.arg for word in method.args.args]
                        values = [_literal(value) for value in method.args.defaults]
                        return dict(zip(words[len(words) - len(values) :], values, strict=True))
    return {}


def _compared(node: ast.AST, name: str) -> list[str]:
    """Return the strings that an attribute or variable of this name is compared with."""
    found: list[str] = []
    for each in ast.walk(node):
        if isinstance(each, ast.Compare) and _name(each.left) == name:
            for other in each.comparators:
                values = other.elts if isinstance(other, ast.Tuple | ast.List | ast.Set) else [other]
                found += [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return found


def _tree(file: Path) -> ast.Module:
    try:
        if file.stat().st_size > MAX_BYTES:
            return ast.Module([], [])
        return ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _own(config_class: Any) -> set[str]:
    """Return the definitions of the class and its bases, except LeRobot's base class of all environments."""
    return {name for kind in config_class.__mro__ if kind.__name__ != "EnvConfig" for name in vars(kind)}
