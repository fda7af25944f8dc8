"""report.html while training: when it is drawn, that it is up to date, and that a failure costs nothing."""

import re
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import test_run

from getiaction.train import run_page
from getiaction.train.run_page import RunPage
from getiaction.train.summary import Summary
from getiaction_cli.commands import run_report


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(12, 10, 11))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(root: Path, draw: Any) -> Summary:
    given = test_run.recipe(root, data={"val_split": 0.4}, val_check_interval=2, check_val_every_n_epoch=None)
    return test_run.run(given, draw=draw)


def validations(folder: Path) -> int:
    return len(test_run.losses(folder, "val/loss"))


def test_it_is_drawn_at_each_validation_and_at_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_page, "SHARE", 1e9)
    seen: list[tuple[int, bool]] = []
    run(root, lambda folder: seen.append((validations(folder), (folder / ".run.holder.json").exists())))
    assert seen == [(1, True), (2, True), (3, True), (3, False)], "each validation is logged; the last page is released"


def test_the_page_shows_the_run_as_it_ended(root: Path) -> None:
    summary = run(root, run_report.write)
    assert summary.folder is not None
    text = summary.folder.report.read_text()
    assert "<dd>finished</dd>" in text and f"<dd>{summary.steps}</dd>" in text
    assert f"<dd>{summary.final_loss:.4g}</dd>" in text
    captions = re.findall("<figcaption>(.*?)</figcaption>", text)
    assert captions[:4] == ["loss over steps", "learning rate", "samples per second", "gradient norm before clipping"]
    assert "<dt>processor</dt>" in text and "<dt>lerobot</dt>" in text
    assert ("report", f"{summary.folder.report} (open it in a browser)") in [
        tuple(re.split(r"  +", line, maxsplit=1)) for line in summary.text().splitlines()
    ]


def test_a_page_that_fails_ends_no_training(root: Path) -> None:
    def fails(folder: Path) -> None:
        raise RuntimeError("no room")

    summary = run(root, fails)
    assert summary.steps == 6 and summary.folder is not None
    assert summary.folder.pretrained_model.is_dir()
    assert not summary.folder.report.exists() and "report.html" not in summary.text()


def test_a_failure_is_reported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from getiaction.train.folder import RunFolder
    from getiaction.train.screen import Screen

    def fails(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    page = RunPage(RunFolder(tmp_path), fails, Screen())
    page.update(last=True)
    page.update(last=True)
    assert capsys.readouterr().err.count("report.html could not be written: OSError: [Errno 28]") == 1


def test_slow_drawing_is_done_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from getiaction.train.folder import RunFolder
    from getiaction.train.screen import Screen

    clock = [0.0]
    drawn: list[float] = []

    def draw(folder: Path) -> None:
        drawn.append(clock[0])
        clock[0] += 1.0

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    page = RunPage(RunFolder(tmp_path), draw, Screen(quiet=True))
    while clock[0] < 500:
        page.update()
        clock[0] += 10
    assert sum(1.0 for _ in drawn) <= 6 and drawn[0] == 0
    page.update(last=True)
    assert drawn[-1] >= 500
