"""Execute LeRobot's own configuration source without torch.

A policy's `configuration_*.py` defines what the policy accepts, but importing it takes nine seconds, because it imports
torch and other libraries. Here these files, and the few small ones that they depend on, are executed with a custom
`__import__`: modules of LeRobot's configuration are executed from the installed source, the standard library is
imported, and everything else is a stand-in (see `stubs`).

Only source that is installed as LeRobot or as one of its policy plugins is ever executed, never anything that a
recipe names. In `sys.modules` the executed files have a prefix (dataclasses and typing look up names of annotations
there), so that they do not affect a real import in the same process.

Byte code is read with `SourceFileLoader.get_code`, as in a real import: 9 ms instead of 22 ms per policy.
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
# Without one of these, stand-ins would replace the base class of a configuration.
_BASE = (
    "lerobot.configs.policies",
    "lerobot.configs.types",
    "lerobot.optim.optimizers",
    "lerobot.optim.schedulers",
    "lerobot.utils.constants",
)
PREFIX = "getiaction_light:"
# LeRobot's configuration base only needs it for saving and loading, and it is slow to import.
_UNUSED_STDLIB = {"tempfile"}
# Their warnings are about this machine's device, which the rules about the machine report.
_QUIET_LOGGERS = {"lerobot.configs.policies"}


class ChoiceRegistry:
    """The part of `draccus.ChoiceRegistry` that configuration classes use: it stores the registered name."""

    _choice_name: str | None = None

    @classmethod
    def register_subclass(cls, name: str) -> Any:
        """Decorator that stores the name in the class."""

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
        """Unavailable, because every policy is executed separately."""
        raise Unjudgeable("it asks which other policies are registered")


class _HubMixin:
    """Replaces `lerobot.utils.hub.HubMixin`, which only reads and writes files."""


def _dataclass(cls: type | None = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass` without `__repr__` and `__eq__`, which take half of its time and are not used."""
    if cls is None:
        return lambda cls: _dataclass(cls, **options)
    if cls.__name__.endswith("Config"):
        options = {"repr": False, "eq": False, **options}
    return dataclasses.dataclass(cls, **options)


class _Device:
    type = "cpu"


def _is_torch_device_available(device: str) -> bool:
    """Treat all devices that LeRobot supports as available; the rules about the machine check them."""
    device = str(device)
    if device.startswith("cuda") or device in ("mps", "xpu", "cpu"):
        return True
    raise ValueError(f"Unknown device {device}. Supported devices are: cuda, mps, xpu or cpu.")


class _Logger:
    """Collects the warnings of LeRobot's code."""

    def __init__(self, warnings: list[str] | None) -> None:
        self._warnings = warnings

    def warning(self, message: str, *args: Any, **_: Any) -> None:
        if self._warnings is not None:
            self._warnings.append(str(message) % args if args else str(message))

    def warning_once(self, message: str, *args: Any, **_: Any) -> None:
        self.warning(message, *args)

    error = warning

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class LightLeRobot:
    """LeRobot's configuration modules executed without torch, by their real names.

    Args:
        roots: top-level package name → its folder ("lerobot" and policy plugins).
    """

    def __init__(self, roots: dict[str, Path]) -> None:
        self.roots = roots
        self.modules: dict[str, types.ModuleType] = {}
        self.warnings: list[str] = []
        self._lacking = next((name for name in _BASE if "lerobot" in roots and not self._file(name).is_file()), "")
        self._builtins = {**builtins.__dict__, "__import__": self._import}
        self._replaced: dict[str, types.ModuleType] = {
            "dataclasses": _Dataclasses("dataclasses"),
            "draccus": StandInModule("draccus", ChoiceRegistry=ChoiceRegistry),
            "logging": StandInModule("logging", getLogger=self._logger, warning=_Logger(self.warnings).warning),
            "lerobot.utils.hub": StandInModule("lerobot.utils.hub", HubMixin=_HubMixin),
            "lerobot.utils.device_utils": StandInModule(
                "lerobot.utils.device_utils",
                auto_select_torch_device=_Device,
                is_torch_device_available=_is_torch_device_available,
                is_amp_available=lambda _: True,
            ),
            "lerobot.utils.import_utils": _ImportUtils("lerobot.utils.import_utils"),
            # constants.py computes paths from it, which no configuration depends on.
            "huggingface_hub.constants": StandInModule("huggingface_hub.constants", HF_HOME="~/.cache/huggingface"),
        }

    def _file(self, name: str) -> Path:
        top, *rest = name.split(".")
        return self.roots[top].joinpath(*rest).with_suffix(".py")

    def _logger(self, name: str = "") -> _Logger:
        return _Logger(None if name.removeprefix(PREFIX) in _QUIET_LOGGERS else self.warnings)

    def module(self, name: str) -> types.ModuleType:
        """The module ``name``, executed on first use.

        Raises:
            Unjudgeable: its import depends on libraries that are not loaded here.
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
        # A configuration file, or a helper in the same folder.
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
    """The standard library's module with a faster decorator."""

    dataclass = staticmethod(_dataclass)

    def __getattr__(self, name: str) -> Any:
        return getattr(dataclasses, name)


class _ImportUtils(StandInModule):
    """`lerobot.utils.import_utils` with all optional packages available; other rules report missing ones."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name.endswith("_available"):
            return True
        if name == "require_package":
            return lambda *_, **__: None
        return super().__getattr__(name)


class _Package(types.ModuleType):
    """A package whose `__init__` is not executed: names are looked up in the files that define them."""

    def __init__(self, name: str, path: Path, lerobot: LightLeRobot) -> None:
        super().__init__(name)
        self.__path__ = [str(path)]
        self._lerobot = lerobot
        self._folder = path
        self._sources: dict[str, tuple[str, str]] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if (self._folder / name).is_dir() or (self._folder / f"{name}.py").is_file():
            found: Any = self._lerobot.module(f"{self.__name__}.{name}")
        elif source := self._exports().get(name):
            found = getattr(self._lerobot.module(source[0]), source[1])
        else:
            found = stand_in(f"{self.__name__}.{name}")
        self.__dict__[name] = found
        return found

    def _exports(self) -> dict[str, tuple[str, str]]:
        """Name → (module, name in that module), from the imports of `__init__.py`."""
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
