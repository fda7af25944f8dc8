"""The command line of getiaction. Nothing in here imports torch, lightning or lerobot (see ``commands/train.py``)."""
