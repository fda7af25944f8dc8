"""The meaning of a recipe, in plain Python: shared by the checks and by training, so that they agree.

Imports neither torch, lightning nor lerobot.
"""
