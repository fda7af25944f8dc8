"""The PushT demo datasets that ship with the package, so that the first training needs no download.

A scripted pusher recorded them in the gym-pusht physics (`record.py`). `pusht-demo` has images, and the features of
`lerobot/pusht`; `pusht-keypoints-demo` has the corners of the T instead, and the features of `lerobot/pusht_keypoints`.
"""

from pathlib import Path

from getiaction.spec.dataset_layout import DEMO_ID, DEMOS, KEYPOINTS_ID

_PACKAGE = Path(__file__).parents[2]
REPO_ID = DEMO_ID
PATH = _PACKAGE / DEMOS[DEMO_ID]
KEYPOINTS_PATH = _PACKAGE / DEMOS[KEYPOINTS_ID]

__all__ = ["KEYPOINTS_ID", "KEYPOINTS_PATH", "PATH", "REPO_ID"]
