"""LeRobot's policies as Lightning modules: `from getiaction.policies.lerobot import ACT`.

There is one class per policy that LeRobot registers, named after its configuration class without "Config": `ACT`,
`Diffusion`, `SmolVLA`, …; every field of that configuration is a keyword argument. `LeRobotPolicy` runs any policy by
name, including those of plugins. Importing this package is fast; torch and LeRobot are imported with the first class.
"""

from typing import TYPE_CHECKING, Any

from getiaction.spec.policies import registered

if TYPE_CHECKING:
    from getiaction.policies.lerobot.policy import LeRobotPolicy

__all__ = ["LeRobotPolicy", *sorted(entry.class_name for entry in registered())]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from getiaction.policies.lerobot.policy import LeRobotPolicy, class_for

    if name == "LeRobotPolicy":
        return LeRobotPolicy
    policy = next(entry.name for entry in registered() if entry.class_name == name)
    globals()[name] = made = class_for(policy, name)
    return made


def __dir__() -> list[str]:
    return __all__
