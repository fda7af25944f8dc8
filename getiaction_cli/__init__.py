"""The command line of getiaction. Its modules import no torch, lightning or lerobot; functions that need them do."""
