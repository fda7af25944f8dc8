"""A dataset that every policy of the fast tests can be trained on in seconds."""

from pathlib import Path

import make_dataset
import pytest


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One square camera of 48 pixels on video, a state and an action of 2, a reward; 3 episodes. Shared: read only."""
    return make_dataset.make(
        tmp_path_factory.mktemp("made") / "small",
        cameras={"observation.image": (48, 48)},
        reward=True,
        codec="h264",
    )
