"""`inspect-dataset --html`: a page that draws itself in a real browser without the network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

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
    assert pictures == [[96, 96]] * 4
    assert "26" in page.inner_text("header") and "Nothing wrong was found" in page.inner_text("body")
    page.close()


@pytest.mark.slow
def test_a_strangers_texts_stay_texts(browser: object, tmp_path: Path) -> None:
    cameras = {"observation.images.top": (64, 64)}
    root = make_dataset.make(tmp_path / "set", lengths=[12, 14], tasks=[HOSTILE, "b"], cameras=cameras)
    found = datasets.read(datasets.locate(str(root), folders=True))
    page_file = tmp_path / "page.html"
    page_file.write_text(dataset_html.render(Inspection(found, Report("set")), take(found)))
    page = browser.new_page()  # type: ignore[attr-defined]
    page.goto(page_file.as_uri())
    assert page.title() == found.repo_id
    page.close()


def test_what_can_not_be_read_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(datasets.locate("getiaction/pusht-demo").root, root)
    next(root.glob("videos/**/*.mp4")).write_bytes(b"no video")
    found = datasets.read(datasets.locate(str(root), folders=True))
    sample = take(found)
    assert len(sample.trajectories) == 3 and sample.pictures == ()
    assert all("no picture" in problem for problem in sample.problems) and len(sample.problems) == 4
    first = sample.trajectories[0]
    assert first.values["action"].shape == (len(first.seconds), 2)
