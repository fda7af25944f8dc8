"""Stand-ins for the libraries that LeRobot's configuration files import.

A stand-in can be imported, inherited from, used as a decorator or annotation, called, and stored. Comparing, counting
or calculating with one raises `Unjudgeable`, so that no decision depends on a value of a library that is not loaded.
"""

from __future__ import annotations

import abc
import types
from typing import Any


class Unjudgeable(Exception):  # noqa: N818 - a result, not an error
    """LeRobot's code depends on a library that is not loaded here, so that the result of its check is unknown."""


def _refuse(operation: str) -> Any:
    def refuse(self: Any, *_: Any) -> Any:
        name = self.__name__ if isinstance(self, type) else type(self).__name__
        raise Unjudgeable(f"it depends on {name}, which is not loaded for this check ({operation})")

    return refuse


_DECISIONS = [
    "__bool__",
    "__len__",
    "__iter__",
    "__contains__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__int__",
    "__float__",
    "__index__",
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__floordiv__",
    "__mod__",
    "__neg__",
    "__enter__",
]


class _StandInType(abc.ABCMeta):
    """Makes every attribute of a stand-in class a stand-in class. An ABCMeta, to be compatible with abc.ABC."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return stand_in(f"{cls.__name__}.{name}")

    def __getitem__(cls, _: Any) -> Any:
        return cls

    def __instancecheck__(cls, instance: Any) -> bool:
        if "_is_stand_in" in cls.__dict__ and not isinstance(type(instance), _StandInType):
            raise Unjudgeable(f"it depends on {cls.__name__}, which is not loaded for this check (isinstance)")
        return super().__instancecheck__(instance)


for _name in ("__bool__", "__len__", "__iter__", "__contains__"):
    setattr(_StandInType, _name, _refuse(_name.strip("_")))


def _instance_getattr(self: Any, name: str) -> Any:
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    return stand_in(f"{type(self).__name__}.{name}")


def _instance_call(self: Any, *args: Any, **_: Any) -> Any:
    # `@library.decorator(...)` returns the decorated object unchanged.
    return args[0] if len(args) == 1 and callable(args[0]) else stand_in(f"{type(self).__name__}()")()


_BODY: dict[str, Any] = {
    "_is_stand_in": True,
    "__init__": lambda self, *args, **kwargs: None,
    "__getattr__": _instance_getattr,
    "__call__": _instance_call,
    "__eq__": lambda self, other: self is other or _refuse("comparison")(self),
    "__hash__": lambda self: id(self),
    **{name: _refuse(name.strip("_")) for name in _DECISIONS},
}


def stand_in(name: str) -> type:
    """Create a stand-in class called ``name``."""
    return _StandInType(name, (), dict(_BODY))


def is_stand_in(value: Any) -> bool:
    """Whether a value is a stand-in class or an instance of one."""
    kind = value if isinstance(value, type) else type(value)
    return isinstance(kind, _StandInType)


class StandInModule(types.ModuleType):
    """A module that has every name: those given, and stand-ins for all others."""

    def __init__(self, name: str, **given: Any) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # makes it a package, for `import a.b`
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        made = stand_in(f"{self.__name__}.{name}")
        self.__dict__[name] = made
        return made
