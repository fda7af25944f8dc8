"""LeRobot's policies as Lightning modules: `from getiaction.policies.lerobot import ACT`.

`LeRobotPolicy` runs any of them by name (plugins too). Importing this package costs nothing; torch and LeRobot come
with the first class taken out of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from getiaction.policies.lerobot.act import ACT
    from getiaction.policies.lerobot.named import (
        EO1,
        PI0,
        PI05,
        TDMPC,
        VLAJEPA,
        XVLA,
        Diffusion,
        Evo1,
        FastWAM,
        Groot,
        LingBotVA,
        MolmoAct2,
        MultiTaskDiT,
        PI0Fast,
        SmolVLA,
        VQBeT,
        WallX,
    )
    from getiaction.policies.lerobot.policy import LeRobotPolicy

__all__ = [
    "ACT",
    "EO1",
    "PI0",
    "PI05",
    "TDMPC",
    "VLAJEPA",
    "XVLA",
    "Diffusion",
    "Evo1",
    "FastWAM",
    "Groot",
    "LeRobotPolicy",
    "LingBotVA",
    "MolmoAct2",
    "MultiTaskDiT",
    "PI0Fast",
    "SmolVLA",
    "VQBeT",
    "WallX",
]

_MODULES = {"LeRobotPolicy": "policy", "ACT": "act"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'named')}"), name)


def __dir__() -> list[str]:
    return __all__
