"""The PushT demonstrations that ship with the package, so that the first training needs no download.

They were recorded in the gym-pusht physics by a scripted pusher (`record.py`) and have the features, frame rate and
task of `lerobot/pusht`: a recipe that trains on one trains on the other.
"""

from pathlib import Path

REPO_ID = "getiaction/pusht-demo"
PATH = Path(__file__).with_name("pusht-demo")
