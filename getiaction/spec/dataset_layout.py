"""Names that all LeRobot datasets share, and the ids of the demo datasets that ship with getiaction."""

# The columns that LeRobot adds to every dataset (lerobot/utils/constants.py, DEFAULT_FEATURES).
INDEX_KEYS = ("timestamp", "frame_index", "episode_index", "index", "task_index")

# Default templates of file paths, which a dataset's info.json can override (lerobot/datasets/utils.py).
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

# Demo datasets and their folders in the package: one with images, one with the corners of the T as a state.
DEMO_ID = "getiaction/pusht-demo"
KEYPOINTS_ID = "getiaction/pusht-keypoints-demo"
DEMOS = {DEMO_ID: "data/demo/pusht-demo", KEYPOINTS_ID: "data/demo/pusht-keypoints-demo"}
