"""The training core of getiaction: LeRobot policies as Lightning modules, LeRobot datasets as Lightning data modules."""

__version__ = "0.1.0"
