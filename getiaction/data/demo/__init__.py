"""The PushT demonstrations that ship with the package, so that the first training needs no download.

They were recorded in the gym-pusht physics by a scripted pusher (`record.py`) and have the features, frame rate and
task of `lerobot/pusht`: a recipe that trains on one trains on the other.
"""

from pathlib import Path

from getiaction.spec.dataset_layout import DEMO_FOLDER, DEMO_ID

REPO_ID = DEMO_ID
PATH = Path(__file__).parents[2] / DEMO_FOLDER
