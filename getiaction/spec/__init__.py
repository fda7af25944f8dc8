"""What a recipe means, in plain Python. The verdict and the training both call it, so that they agree.

Imports neither torch, lightning nor lerobot.
"""
