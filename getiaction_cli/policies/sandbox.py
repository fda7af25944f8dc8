"""Runs LeRobot's own configuration source without torch.

A policy's `configuration_*.py` is the truth about what the policy accepts, and importing it takes nine seconds because
of what is around it, not because of what is in it. Here those files, and the few small pure files that they
build on, are executed with an `__import__` of their own: what belongs to LeRobot's configuration is executed from the
installed source, the standard library is itself, everything else is a stand-in (see `standins`).

Only source that is installed as LeRobot or as one of its policy plugins is ever executed, never anything that a
recipe names. In `sys.modules` the executed files are under a prefix of their own (dataclasses and typing look there
for the names in annotations), so a real import in the same process is not disturbed.

2026-10: reading byte code through `SourceFileLoader.get_code` takes one policy from 22 ms to 9 ms; it is the same byte
code that a real import would use.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib.machinery
import sys
import types
from pathlib import Path
from typing import Any

from getiaction_cli.policies.stubs import StandInModule, Unjudgeable, stand_in

# The files of LeRobot, besides configuration_*.py and what is beside them, that are executed from source.
_FROM_SOURCE = {
    "lerobot.configs.default",
    "lerobot.configs.policies",
    "lerobot.configs.train",
    "lerobot.configs.types",
    "lerobot.configs.video",
    "lerobot.envs.configs",
    "lerobot.optim.optimizers",
    "lerobot.optim.schedulers",
    "lerobot.utils.constants",
    "lerobot.utils.feature_utils",
}
# Without one of these a configuration would be executed on stand-ins for its own base.
_BASE = (
    "lerobot.configs.policies",
    "lerobot.configs.types",
    "lerobot.optim.optimizers",
    "lerobot.optim.schedulers",
    "lerobot.utils.constants",
)
PREFIX = "getiaction_light:"
# Imported by LeRobot's configuration base for saving and loading only, and slow to import.
_UNUSED_STDLIB = {"tempfile"}
# What these log about the device of this machine is the machine room's business.
_QUIET_LOGGERS = {"lerobot.configs.policies"}


class ChoiceRegistry:
    """What `draccus.ChoiceRegistry` does for a configuration class: remember the name it is registered under."""

    _choice_name: str | None = None

    @classmethod
    def register_subclass(cls, name: str) -> Any:
        """Decorator that notes the name on the class."""

        def register(subclass: type) -> type:
            subclass._choice_name = name  # type: ignore[attr-defined]
            return subclass

        return register

    @classmethod
    def get_choice_name(cls, subclass: type) -> str:
        """The name ``subclass`` was registered under."""
        return subclass._choice_name or ""  # type: ignore[attr-defined]

    @classmethod
    def get_known_choices(cls) -> dict[str, type]:
        """Not known here: every policy is executed on its own."""
        raise Unjudgeable("it asks which other policies are registered")


class _HubMixin:
    """In place of `lerobot.utils.hub.HubMixin`, which reads and writes files and is not about values."""


def _dataclass(cls: type | None = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass`, without what nothing asks a configuration for: half of its time goes there."""
    if cls is None:
        return lambda cls: _dataclass(cls, **options)
    if cls.__name__.endswith("Config"):
        options = {"repr": False, "eq": False, **options}
    return dataclasses.dataclass(cls, **options)


class _Device:
    type = "cpu"


def _is_torch_device_available(device: str) -> bool:
    """Every device that LeRobot knows counts as present: this machine is another room's business."""
    device = str(device)
    if device.startswith("cuda") or device in ("mps", "xpu", "cpu"):
        return True
    raise ValueError(f"Unknown device {device}. Supported devices are: cuda, mps, xpu or cpu.")


class _Logger:
    """Keeps what LeRobot's code warns about."""

    def __init__(self, said: list[str] | None) -> None:
        self._said = said

    def warning(self, message: str, *args: Any, **_: Any) -> None:
        if self._said is not None:
            self._said.append(str(message) % args if args else str(message))

    def warning_once(self, message: str, *args: Any, **_: Any) -> None:
        self.warning(message, *args)

    error = warning

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class LightWorld:
    """A set of modules executed lightly, by their real names.

    Args:
        roots: top-level package name → its folder ("lerobot" and policy plugins).
    """

    def __init__(self, roots: dict[str, Path]) -> None:
        self.roots = roots
        self.modules: dict[str, types.ModuleType] = {}
        self.said: list[str] = []
        self._lacking = next((name for name in _BASE if "lerobot" in roots and not self._file(name).is_file()), "")
        self._builtins = {**builtins.__dict__, "__import__": self._import}
        self._replaced: dict[str, types.ModuleType] = {
            "dataclasses": _Dataclasses("dataclasses"),
            "draccus": StandInModule("draccus", ChoiceRegistry=ChoiceRegistry),
            "logging": StandInModule("logging", getLogger=self._logger, warning=_Logger(self.said).warning),
            "lerobot.utils.hub": StandInModule("lerobot.utils.hub", HubMixin=_HubMixin),
            "lerobot.utils.device_utils": StandInModule(
                "lerobot.utils.device_utils",
                auto_select_torch_device=_Device,
                is_torch_device_available=_is_torch_device_available,
                is_amp_available=lambda _: True,
            ),
            "lerobot.utils.import_utils": _ImportUtils("lerobot.utils.import_utils"),
            # Where the Hub's cache is says nothing about a policy; constants.py makes paths of it.
            "huggingface_hub.constants": StandInModule("huggingface_hub.constants", HF_HOME="~/.cache/huggingface"),
        }

    def _file(self, name: str) -> Path:
        top, *rest = name.split(".")
        return self.roots[top].joinpath(*rest).with_suffix(".py")

    def _logger(self, name: str = "") -> _Logger:
        return _Logger(None if name.removeprefix(PREFIX) in _QUIET_LOGGERS else self.said)

    def module(self, name: str) -> types.ModuleType:
        """The module ``name``, executed when it is asked for the first time.

        Raises:
            Unjudgeable: the file does something at import that only the real libraries can answer.
        """
        if name in self.modules:
            return self.modules[name]
        if name in self._replaced:
            return self._replaced[name]
        top, *rest = name.split(".")
        if top not in self.roots:
            module: types.ModuleType = StandInModule(name)
        else:
            path = self.roots[top].joinpath(*rest)
            if path.is_dir():
                module = _Package(name, path, self)
            elif self._is_ours(name) and path.with_suffix(".py").is_file():
                return self._execute(name, path.with_suffix(".py"))
            else:
                module = StandInModule(name)
        self.modules[name] = module
        return module

    def _is_ours(self, name: str) -> bool:
        if name in _FROM_SOURCE or not name.startswith("lerobot."):
            return True
        # A configuration file, and the helpers that are in the same folder.
        return name.startswith("lerobot.policies.") and not name.rpartition(".")[2].startswith(("modeling_", "factory"))

    def _execute(self, name: str, path: Path) -> types.ModuleType:
        if self._lacking and name.startswith("lerobot."):
            raise Unjudgeable(f"it has no module {self._lacking}")
        module = types.ModuleType(PREFIX + name)
        module.__dict__.update(__file__=str(path), __package__=name.rpartition(".")[0], __builtins__=self._builtins)
        self.modules[name] = sys.modules[module.__name__] = module
        try:
            code = importlib.machinery.SourceFileLoader(name, str(path)).get_code(name)
            assert code is not None
            exec(code, module.__dict__)
        except Exception as error:
            del self.modules[name], sys.modules[module.__name__]
            if isinstance(error, Unjudgeable):
                raise
            reason = f"{path.name} can't be read without its libraries ({type(error).__name__}: {error})"
            raise Unjudgeable(reason) from error
        return module

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> Any:
        if level:
            package = (globals or {})["__package__"]
            base = package.rsplit(".", level - 1)[0] if level > 1 else package
            name = f"{base}.{name}" if name else base
        top = name.partition(".")[0]
        if name in self._replaced or top in self._replaced:
            return self.module(name if fromlist else top)
        if top in self.roots:
            if not fromlist:
                self.module(name)
            return self.module(name if fromlist else top)
        if top in sys.stdlib_module_names and top not in _UNUSED_STDLIB:
            return builtins.__import__(name, globals, locals, fromlist, 0)
        return self.module(name if fromlist else top)


class _Dataclasses(types.ModuleType):
    """The standard library's module with a quicker decorator."""

    dataclass = staticmethod(_dataclass)

    def __getattr__(self, name: str) -> Any:
        return getattr(dataclasses, name)


class _ImportUtils(StandInModule):
    """`lerobot.utils.import_utils`: every optional package counts as installed; others report those that are not."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name.endswith("_available"):
            return True
        if name == "require_package":
            return lambda *_, **__: None
        return super().__getattr__(name)


class _Package(types.ModuleType):
    """A package whose `__init__` is never executed: a name in it is looked up in the file that it comes from."""

    def __init__(self, name: str, path: Path, world: LightWorld) -> None:
        super().__init__(name)
        self.__path__ = [str(path)]
        self._world = world
        self._folder = path
        self._sources: dict[str, tuple[str, str]] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if (self._folder / name).is_dir() or (self._folder / f"{name}.py").is_file():
            found: Any = self._world.module(f"{self.__name__}.{name}")
        elif source := self._exports().get(name):
            found = getattr(self._world.module(source[0]), source[1])
        else:
            found = stand_in(f"{self.__name__}.{name}")
        self.__dict__[name] = found
        return found

    def _exports(self) -> dict[str, tuple[str, str]]:
        """Name → (module, name there), from the relative imports of `__init__.py`."""
        if self._sources is None:
            import ast

            self._sources = {}
            init = self._folder / "__init__.py"
            tree = ast.parse(init.read_text(encoding="utf-8")) if init.is_file() else ast.Module([], [])
            for node in tree.body:
                if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                    module = f"{self.__name__}.{node.module}"
                elif (
                    isinstance(node, ast.ImportFrom)
                    and not node.level
                    and (node.module or "").startswith(self.__name__)
                ):
                    module = node.module or ""
                else:
                    continue
                for alias in node.names:
                    self._sources[alias.asname or alias.name] = (module, alias.name)
        return self._sources
