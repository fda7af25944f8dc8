"""GA4xx: faults of a dataset itself, for any policy.

GA40x files and format · GA41x counts · GA42x tables and videos · GA43x statistics · GA44x time · GA45x tasks ·
GA46x features · GA47x and GA48x the data itself, only with ``inspect-dataset --deep``.

"LeRobot" in these pages is lerobot 0.6.1; the behaviour described here was observed on the damaged datasets of
``tests/corruptions.py`` (``tests/datasets/test_lerobot_agrees.py`` runs it again).
"""
