"""Policies as Lightning modules; `getiaction.policies.lerobot` holds those of LeRobot."""
