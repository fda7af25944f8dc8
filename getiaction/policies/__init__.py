"""Policies as Lightning modules; LeRobot's policies are in `getiaction.policies.lerobot`."""
