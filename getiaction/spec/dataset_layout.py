"""What is the same in every LeRobot dataset, and the one that comes with getiaction."""

# The columns that LeRobot writes by itself (lerobot/utils/constants.py, DEFAULT_FEATURES).
INDEX_KEYS = ("timestamp", "frame_index", "episode_index", "index", "task_index")

# Where files are, unless a dataset's info.json says otherwise (lerobot/datasets/utils.py).
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

# The demonstrations that ship with the package, and their folders in it: with pictures, with the corners of the T.
DEMO_ID = "getiaction/pusht-demo"
KEYPOINTS_ID = "getiaction/pusht-keypoints-demo"
DEMOS = {DEMO_ID: "data/demo/pusht-demo", KEYPOINTS_ID: "data/demo/pusht-keypoints-demo"}
