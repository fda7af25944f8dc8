"""Datasets as Lightning data modules; `getiaction.data.lerobot` reads those of LeRobot."""
