"""Every way to break a dataset is reported under its code and file, alone; healthy datasets are silent."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from corruptions import CORRUPTIONS, INFO

from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.runner import check
from getiaction_cli.datasets import locate, read
from getiaction_cli.datasets.deep import look
from getiaction_cli.diagnostics import Report

SHALLOW = sorted(name for name, corruption in CORRUPTIONS.items() if not corruption.deep)
DEEP = sorted(name for name, corruption in CORRUPTIONS.items() if corruption.deep)

# Damages of different files and features, of which none can be the cause of another.
APART = [
    "broken-link",
    "data-path-old",
    "fps-zero",
    "image-names-null",
    "image-stats-255",
    "index-feature-missing",
    "names-too-many",
    "openpi-state",
    "quantiles-turned",
    "splits-beyond",
    "stats-nan",
    "stats-short",
    "tasks-cut",
    "total-frames-wrong",
    "version-nonsense",
    "video-empty",
    "table-empty",
]


def judge(root: Path, *, deep: bool = False) -> Report:
    dataset = read(locate(str(root), folders=True))
    return check(DatasetContext(dataset, look(dataset) if deep else None))


@pytest.mark.parametrize("name", SHALLOW)
def test_damage_is_named_with_its_file(damaged: Callable[[str], Path], name: str) -> None:
    wanted = CORRUPTIONS[name]
    root = damaged(name)
    report = judge(root)
    assert not [d.message for d in report.diagnostics if "crashed" in d.message]
    named = [d for d in report.diagnostics if d.code == wanted.code]
    assert named, [(d.code, d.message) for d in report.diagnostics]
    assert str(root / wanted.file) in [d.file for d in named]
    others = {(d.code, d.message) for d in report.diagnostics} - {(d.code, d.message) for d in named}
    allowed = {"GA404"} if wanted.base in ("v20", "v21") else set()
    assert {code for code, _ in others} <= allowed, others


def test_no_damage_hides_another(damaged: Callable[[str], Path]) -> None:
    """Seventeen at once, each of another kind and in another place: all are told, and nothing else is."""
    first, *others = APART
    root = damaged(first)
    for name in others:
        CORRUPTIONS[name].apply(root)
    assert {d.code for d in judge(root).diagnostics} == {CORRUPTIONS[name].code for name in APART}


WRONG_VALUES = (None, 0, -1, 3.7, "x", [], {}, True, 10**9, [1, 2])


@pytest.mark.slow
def test_one_wrong_value_is_told_once(damaged: Callable[[str], Path], toy_root: Path) -> None:
    """Every value of info.json, replaced by one of every kind: no crash, and never two codes for the one cause."""
    healthy = json.loads((toy_root / INFO).read_text())
    root = damaged("info-cut")
    for route in _routes(healthy):
        for value in WRONG_VALUES:
            info = copy.deepcopy(healthy)
            place = info
            for key in route[:-1]:
                place = place[key]
            place[route[-1]] = value
            (root / INFO).write_text(json.dumps(info))
            diagnostics = judge(root).diagnostics
            assert len({d.code for d in diagnostics}) <= 1, (route, value, [(d.code, d.message) for d in diagnostics])
            assert not [d.message for d in diagnostics if "crashed" in d.message], (route, value)


def _routes(tree: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _routes(value, (*above, key))


@pytest.mark.parametrize("name", DEEP)
def test_damage_inside_the_files_is_named_by_a_deep_look(damaged: Callable[[str], Path], name: str) -> None:
    wanted = CORRUPTIONS[name]
    root = damaged(name)
    shallow = judge(root)
    assert shallow.diagnostics == ()
    assert wanted.code in {entry.rule for entry in shallow.not_run}
    report = judge(root, deep=True)
    named = [d for d in report.diagnostics if d.code == wanted.code]
    assert named, [(d.code, d.message) for d in report.diagnostics]
    assert str(root / wanted.file) in [d.file for d in named]
    assert {d.code for d in report.diagnostics} == {wanted.code}, [(d.code, d.message) for d in report.diagnostics]


@pytest.mark.parametrize("name", SHALLOW)
def test_a_deep_look_survives_what_a_shallow_one_reports(damaged: Callable[[str], Path], name: str) -> None:
    root = damaged(name)
    report = judge(root, deep=True)
    assert CORRUPTIONS[name].code in {d.code for d in report.diagnostics}
    assert not [d.message for d in report.diagnostics if "crashed" in d.message]


@pytest.mark.parametrize("name", ["fps-zero", "shape-text", "version-future", "stats-nan", "data-path-old", "info-cut"])
def test_damage_in_json_is_shown_by_its_line(damaged: Callable[[str], Path], name: str) -> None:
    diagnostic = next(d for d in judge(damaged(name)).diagnostics if d.code == CORRUPTIONS[name].code)
    assert diagnostic.span is not None
    assert diagnostic.lines
    text = Path(diagnostic.file).read_text()
    assert diagnostic.lines[0] == text.splitlines()[diagnostic.span.line - 1]


def test_a_json_file_of_one_line(damaged: Callable[[str], Path]) -> None:
    import json

    root = damaged("fps-zero")
    (root / INFO).write_text(json.dumps(json.loads((root / INFO).read_text())))
    (diagnostic,) = judge(root).diagnostics
    assert diagnostic.span is not None
    assert (root / INFO).read_text()[diagnostic.span.start : diagnostic.span.end] == "0"


def test_healthy_sets_are_silent(healthy_root: Path) -> None:
    report = judge(healthy_root, deep=True)
    assert [(d.code, d.message) for d in report.diagnostics] == []
    assert report.not_run == ()


def test_the_demo_is_silent() -> None:
    dataset = read(locate("getiaction/pusht-demo"))
    assert check(DatasetContext(dataset, look(dataset))).diagnostics == ()


def test_only_meta_here_is_not_called_missing(toy_root: Path, tmp_path: Path) -> None:
    """A cached copy of which only meta/ was fetched: tables and videos were not looked at, and the report says so."""
    from getiaction_cli.datasets import Location

    shutil.copytree(toy_root / "meta", tmp_path / "meta")
    report = check(DatasetContext(read(Location("owner/toy", tmp_path, "hub", "v3.0"))))
    assert report.diagnostics == ()
    assert {"GA414", "GA421", "GA422", "GA423", "GA424"} <= {entry.rule for entry in report.not_run}


def test_a_folder_that_may_not_be_opened_is_told_once(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    """What it holds is not called missing."""
    from getiaction_cli.datasets.files import Listing

    root = copy_of(toy_root)
    dataset = read(locate(str(root), folders=True))
    seen = {name: size for name, size in dataset.listing.sizes.items() if not name.startswith(("data/", "videos/"))}
    vars(dataset)["listing"] = Listing(seen, unreadable=["data/chunk-000", "videos"])  # as if read
    assert [d.code for d in check(DatasetContext(dataset)).diagnostics] == ["GA426"]


def test_a_cached_copy_is_completed(damaged: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that broke off, or was of some episodes only: an error is that offline alone."""
    from getiaction_cli.datasets import Location

    dataset = read(Location("made/toy", damaged("video-missing"), "lerobot cache", "main"))
    assert len(dataset.lacking(range(len(dataset.episodes)))) == 1
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    report = check(DatasetContext(dataset))
    assert report.diagnostics == ()
    assert {"GA421", "GA423"} <= {entry.rule for entry in report.not_run}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    dataset.judged.clear()
    assert [d.code for d in check(DatasetContext(dataset)).diagnostics] == ["GA423"]


def test_counts_that_are_wrong_by_themselves_are_both_reported(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    info = json.loads((root / INFO).read_text())
    (root / INFO).write_text(json.dumps(info | {"total_episodes": 9, "total_frames": 999}))
    assert {diagnostic.code for diagnostic in judge(root).diagnostics} == {"GA411", "GA412"}


def test_the_statistics_of_one_feature_hide_nothing_of_another(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    stats = json.loads((root / "meta/stats.json").read_text())
    stats["action"]["mean"][0] = float("nan")
    for name in ("min", "max", "mean", "q01", "q10", "q50", "q90", "q99"):
        stats["observation.state"][name][0] = stats["observation.state"]["mean"][0]
    stats["observation.state"]["std"][0] = 0.0
    (root / "meta/stats.json").write_text(json.dumps(stats))
    found = {diagnostic.code: diagnostic.path for diagnostic in judge(root).diagnostics}
    assert found["GA433"] == "action.mean" and found["GA436"] == "observation.state.std"
