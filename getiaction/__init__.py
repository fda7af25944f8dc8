"""The training core of getiaction: LeRobot policies and datasets as Lightning modules and data modules."""

__version__ = "0.1.0"
