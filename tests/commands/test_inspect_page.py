"""`inspect-dataset --html`: a page that draws itself in a real browser without the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import make_dataset
import pytest

from getiaction_cli import datasets
from getiaction_cli.datasets.inspection import Inspection
from getiaction_cli.datasets.sample import take
from getiaction_cli.diagnostics import Report
from getiaction_cli.rendering import dataset_html

HOSTILE = '</script><script>document.title="taken over"</script><img src=x onerror=alert(1)>'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "scheme", "background"),
    [
        (1200, 900, "light", "rgb(255, 255, 255)"),
        (1200, 900, "dark", "rgb(17, 19, 21)"),
        (390, 800, "light", "rgb(255, 255, 255)"),
    ],
)
def test_the_page_draws_itself_without_the_network(
    browser: object, width: int, height: int, scheme: str, background: str, tmp_path: Path
) -> None:
    page_file = tmp_path / "page.html"
    command = [sys.executable, "-m", "getiaction_cli.main", "inspect-dataset", "getiaction/pusht-demo"]
    done = subprocess.run([*command, "--html", str(page_file)], capture_output=True, text=True, check=True)
    assert f"wrote {page_file}" in done.stderr

    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[attr-defined]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(page_file.as_uri())
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing hangs over the edge"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    assert page.locator(".chart svg").count() == 5 and page.locator(".ranges").count() == 2
    assert page.locator(".chart polyline").count() == 4 * 3, "three episodes in each of the two joints, twice"
    pictures = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.naturalHeight])")
    assert pictures == [[96, 96]] * 5, "one in the episode browser, four in the section of the cameras"
    assert "26" in page.inner_text("header") and "Nothing wrong was found" in page.inner_text("body")
    page.close()


def opened(browser: object, root: Path, width: int = 390) -> tuple[Any, list[str]]:
    """The page of a dataset in a browser of this width, and the errors of its script."""
    found = datasets.read(datasets.locate(str(root), folders=True))
    page_file = root.parent / "page.html"
    page_file.write_text(dataset_html.render(Inspection(found, Report("set")), take(found)))
    page = browser.new_page(viewport={"width": width, "height": 800})  # type: ignore[attr-defined]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(page_file.as_uri())
    return page, errors


@pytest.mark.slow
def test_the_pictures_of_an_episode_play_in_step_with_its_curves(browser: object, tmp_path: Path) -> None:
    cameras = {"observation.images.top": (64, 64), "observation.images.wrist": (48, 64)}
    root = make_dataset.make(tmp_path / "set", lengths=[20, 31], cameras=cameras)  # at 10 fps
    from playwright.sync_api import expect

    page, errors = opened(browser, root)

    def moments() -> list[float]:
        """The second of each camera's picture, and of the line in each chart."""
        return page.evaluate("""
            [...document.querySelectorAll('#cameras img')].map(i => Number(i.dataset.second)).concat(
            [...document.querySelectorAll('.head')].map(h => {
              const { low, high, from, to } = h.dataset, moved = h.transform.baseVal[0].matrix.e;
              return Math.round(100 * (Number(low) + moved / (to - from) * (high - low))) / 100;
            }))""")

    count = 2 + page.locator(".head").count()
    assert count == 2 + page.locator("#episodes svg").count() >= 4 and moments() == [0] * count
    first = page.get_attribute("#cameras img >> nth=0", "src")
    page.evaluate("time.value = 1.2; time.dispatchEvent(new Event('input'))")
    assert moments() == [1.2] * count
    assert page.get_attribute("#cameras img >> nth=0", "src") != first
    page.click("#play")
    assert page.inner_text("#play") == "Pause"
    expect(page.locator("#play")).to_have_text("Play")  # 0.7 s later it is at the end
    assert moments() == [1.9] * count
    page.select_option("#episode", "episode 1")
    assert moments() == [0] * count
    assert page.evaluate("getComputedStyle(document.querySelector('#episodes polyline.c0')).opacity") == "0.3"
    assert page.evaluate("getComputedStyle(document.querySelector('#episodes polyline.c1')).opacity") == "1"
    page.click("#play")
    expect(page.locator("#clock")).to_have_text(re.compile("0.[5-9]|[123]"))
    page.click("#play")
    shown = moments()
    assert shown[0] == shown[1] <= shown[2] + 0.01 and shown[2] < shown[0] + 0.11, "a picture stays for 0.1 s"
    box = page.locator("#episodes svg").last.bounding_box()
    page.locator("#episodes svg").last.click(position={"x": box["width"] * 0.99, "y": 20})
    assert moments() == [3.0] * count, "a click into a chart goes to its moment"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and errors == []
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["table-missing", "video-cut", "info-missing", "openpi-keys"])
def test_a_broken_dataset_is_readable_on_a_phone(
    browser: object, damaged: Callable[[str], Path], damage: str, tmp_path: Path
) -> None:
    page_file = tmp_path / "page.html"
    command = [sys.executable, "-m", "getiaction_cli.main", "inspect-dataset", str(damaged(damage))]
    done = subprocess.run([*command, "--html", str(page_file)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    page = browser.new_page(viewport={"width": 360, "height": 740})  # type: ignore[attr-defined]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    assert errors == [] and page.evaluate("document.documentElement.scrollWidth") <= 360
    words = page.inner_text("body")
    assert "Errno" not in words and "Next:" not in words and page.locator("li.error").count() >= 1
    page.close()


@pytest.mark.slow
def test_a_strangers_texts_stay_texts(browser: object, tmp_path: Path) -> None:
    cameras = {"observation.images.top": (64, 64)}
    root = make_dataset.make(tmp_path / "set", lengths=[12, 14], tasks=[HOSTILE, "b"], cameras=cameras)
    info = json.loads((root / "meta/info.json").read_text())
    state = info["features"]["observation.state"]
    state["names"] = [HOSTILE] * state["shape"][0]
    info["robot_type"] = HOSTILE
    (root / "meta/info.json").write_text(json.dumps(info))
    page, errors = opened(browser, root)
    assert page.title() == "set" or page.title().endswith("/set")
    assert HOSTILE in page.inner_text("#episodes") and errors == []
    page.close()


def test_a_picture_outside_the_dataset_is_not_shown(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    root = make_dataset.make(
        tmp_path / "set", lengths=[12], cameras={"observation.images.top": (64, 64)}, storage="image"
    )
    Image.new("RGB", (64, 64)).save(tmp_path / "private.png")
    file = next((root / "data").rglob("*.parquet"))
    table = pq.read_table(file)
    at = table.column_names.index("observation.images.top")
    stolen = pa.array([{"bytes": None, "path": "../private.png"}] * len(table), table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), stolen), file)
    sample = take(datasets.read(datasets.locate(str(root), folders=True)))
    assert not sample.pictures and not sample.clips
    assert sample.problems == (
        "observation.images.top, episode 0: no picture: its picture is not in the dataset's folder",
    )


def test_the_clips_of_long_episodes_stay_small(tmp_path: Path) -> None:
    cameras = {"observation.images.top": (64, 64), "observation.images.wrist": (64, 64)}
    root = make_dataset.make(tmp_path / "set", lengths=[1200, 600], cameras=cameras)
    found = datasets.read(datasets.locate(str(root), folders=True))
    clips = take(found, episodes=[1]).clips
    assert [(clip.key, clip.episode) for clip in clips] == [(key, 1) for key in cameras]
    assert all(len(clip.jpegs) <= 450 and clip.seconds[-1] > 59 for clip in clips)


def test_what_can_not_be_read_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(datasets.locate("getiaction/pusht-demo").root, root)
    next(root.glob("videos/**/*.mp4")).write_bytes(b"no video")
    found = datasets.read(datasets.locate(str(root), folders=True))
    sample = take(found)
    assert len(sample.trajectories) == 3 and sample.pictures == () and sample.clips == ()
    assert all(": no " in problem for problem in sample.problems)
    assert len(sample.problems) == 5, "four pictures, and the video of an episode that has none of them"
    first = sample.trajectories[0]
    assert first.values["action"].shape == (len(first.seconds), 2)
