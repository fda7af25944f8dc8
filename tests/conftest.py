"""One home for LeRobot's datasets per test session, away from the user's own, with no way to the network.

The variables are set before anything imports LeRobot, which reads them once; processes that tests start inherit them,
and so do xdist's workers, which share the datasets that the first of them to ask has made.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import make_dataset
import pytest
from corruptions import CORRUPTIONS
from session_cache import HOME, once


def pytest_configure(config: pytest.Config) -> None:
    # Before torch starts: networks this small gain nothing from threads, and the threads of several workers fight.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if HOME in os.environ:
        return
    home = Path(tempfile.mkdtemp(prefix="getiaction-tests-"))
    config.add_cleanup(lambda: _forget(home))
    os.environ |= {
        HOME: str(home),
        "HF_LEROBOT_HOME": str(home / "lerobot"),
        "HF_HOME": str(home / "huggingface"),
        "GETIACTION_CACHE": str(home / "getiaction"),
        "HF_HUB_OFFLINE": "1",
    }


def _forget(home: Path) -> None:
    os.environ.pop(HOME, None)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium, through playwright; the test is skipped where none is installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def pusht_root() -> Path:
    """`lerobot/pusht` in small: 3 episodes of about 30 frames. Shared by all tests: read only."""
    return once("lerobot/lerobot/pusht", make_dataset.pusht)


@pytest.fixture(scope="session")
def aloha_root() -> Path:
    """`lerobot/aloha_sim_transfer_cube_human` in small: 110 and 64 frames. Shared: read only."""
    name = "lerobot/aloha_sim_transfer_cube_human"
    return once(f"lerobot/{name}", lambda root: make_dataset.aloha(root, name))


@pytest.fixture(scope="session")
def insertion_root() -> Path:
    """`lerobot/aloha_sim_insertion_human` in small: 110 and 64 frames. Shared: read only."""
    name = "lerobot/aloha_sim_insertion_human"
    return once(f"lerobot/{name}", lambda root: make_dataset.aloha(root, name))


@pytest.fixture(scope="session")
def lerobot_home(pusht_root: Path, aloha_root: Path, insertion_root: Path) -> Path:
    """HF_LEROBOT_HOME with the three Hub datasets that the recipes name. Shared: read only."""
    return pusht_root.parents[1]


@pytest.fixture(scope="session")
def toy_root() -> Path:
    """The smallest set with a camera, a state and an action: 24, 20 and 22 frames. Shared: read only."""
    return once("made/toy", make_dataset.make)


@pytest.fixture(scope="session")
def cameras_root() -> Path:
    """Colour cameras of two sizes, and a depth camera. Shared: read only."""
    cameras = {"observation.images.top": (32, 48), "observation.images.wrist": (48, 64)}
    return once(
        "made/cameras",
        lambda root: make_dataset.make(root, cameras=cameras, depth={"observation.images.depth": (32, 48)}),
    )


@pytest.fixture(scope="session")
def v21_root(pusht_root: Path) -> Path:
    """The small `lerobot/pusht` in the v2.1 layout. Shared: read only."""
    return once("made/pusht_v21", lambda root: make_dataset.v21(pusht_root, root))


@pytest.fixture(scope="session")
def v20_root(pusht_root: Path) -> Path:
    """The small `lerobot/pusht` in the v2.0 layout. Shared: read only."""
    return once("made/pusht_v20", lambda root: make_dataset.v20(pusht_root, root))


@pytest.fixture(autouse=True)
def _nothing_left_of_a_training() -> Iterator[None]:
    """Lightning leaves its process group open and its variables set: a later training would take them for its own."""
    before = dict(os.environ)
    yield
    if (distributed := sys.modules.get("torch.distributed")) and distributed.is_initialized():
        distributed.destroy_process_group()
    for name in os.environ.keys() - before.keys() - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]
    os.environ |= {name: value for name, value in before.items() if os.environ.get(name) != value}


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """`copy_of(root)` is a copy of that dataset which the test may damage."""

    def copy(root: Path) -> Path:
        return Path(shutil.copytree(root, tmp_path / root.name))

    return copy


@pytest.fixture
def no_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty HF_LEROBOT_HOME for code that reads the variable when asked (LeRobot itself reads it at import)."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "nothing"))
    yield tmp_path / "nothing"


HEALTHY: dict[str, dict[str, Any]] = {
    "image": {"storage": "image"},
    "two": {
        "cameras": {"observation.images.top": (32, 48), "observation.images.wrist": (48, 64)},
        "tasks": ["Open the drawer.", "Close the drawer."],
    },
    "depth": {"depth": {"observation.images.depth": (32, 48)}},
    "one-number": {"state": 1, "action": 1},
    "many-numbers": {"state": 32, "action": 32, "fps": 30},
    "one-episode": {"lengths": (40,)},
    "kinds": {
        "others": {
            f"observation.{name}": (name.partition("-")[0], shape)
            for name, shape in {
                "float64": (4,),
                "float16": (3,),
                "int32": (2,),
                "bool": (1,),
                "bool-3": (3,),
                "string": (1,),
                "uint8-rows": (2, 2),
                "float32-rows": (2, 3),
                "float32-layers": (2, 3, 2),
            }.items()
        },
    },
    "long": {"lengths": (150, 150), "state": 4, "action": 4},
    "no-camera": {"cameras": {}, "extra": {"observation.environment_state": 4}},
    "many-episodes": {"cameras": {}, "lengths": (3,) * 100},
    "a-thousand-episodes": {"cameras": {}, "lengths": (3,) * 1000},
    "files": {"lengths": (24,) * 6, "data_files_size_in_mb": 0.004, "video_files_size_in_mb": 0.002},
}


@pytest.fixture(
    scope="session",
    params=[pytest.param(n, marks=pytest.mark.slow) if n == "a-thousand-episodes" else n for n in sorted(HEALTHY)],
)
def healthy_root(request: pytest.FixtureRequest) -> Path:
    """Healthy datasets of every kind, one after the other. Shared: read only."""
    return once(f"made/{request.param}", lambda root: make_dataset.make(root, **HEALTHY[request.param]))


@pytest.fixture
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path]:
    """`damaged("stats-nan")` is a copy of a dataset that is broken in that way (see corruptions.py)."""

    def damage(name: str) -> Path:
        corruption = CORRUPTIONS[name]
        if corruption.base in HEALTHY:
            base = once(f"made/{corruption.base}", lambda root: make_dataset.make(root, **HEALTHY[corruption.base]))
        else:
            base = request.getfixturevalue(f"{corruption.base}_root")
        root = Path(shutil.copytree(base, tmp_path / name))
        corruption.apply(root)
        return root

    return damage
