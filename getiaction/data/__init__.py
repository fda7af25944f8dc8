"""Datasets as Lightning data modules: `from getiaction.data import LeRobotDataModule`.

Importing this package is cheap; torch and LeRobot are imported with the data module.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from getiaction.data.lerobot import LeRobotDataModule

__all__ = ["LeRobotDataModule"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from getiaction.data.lerobot import LeRobotDataModule

    return LeRobotDataModule
