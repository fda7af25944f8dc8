"""The pages of GA4xx: each names a damaged dataset of corruptions.py as its example, on which it alone fires.

That it does is tried in tests/datasets/test_corruptions.py for all damages; here, that none is left out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from corruptions import CORRUPTIONS

from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import check, load_rules
from getiaction_cli.datasets import Location, locate, read
from getiaction_cli.diagnostics import Severity

RULES = {code: rule for code, rule in load_rules().items() if code.startswith("GA4")}
# What these speak of is not in the dataset's files.
ABOUT_THE_PLACE = {"GA406", "GA407"}


@pytest.mark.parametrize("code", RULES)
def test_the_example_is_a_damage_that_this_rule_names(code: str) -> None:
    name = RULES[code].dataset
    if code in ABOUT_THE_PLACE:
        assert name is None
    else:
        assert name is not None and CORRUPTIONS[name].code == code


def test_every_damage_has_its_rule() -> None:
    assert {corruption.code for corruption in CORRUPTIONS.values()} == RULES.keys() - ABOUT_THE_PLACE


@pytest.mark.parametrize("code", RULES)
def test_the_page_shows_an_example_and_its_mending(code: str) -> None:
    page = RULES[code].page
    for heading in ("## Example", "## Instead"):
        section = page.partition(heading)[2].partition("## ")[0]
        assert section.strip(), heading


def codes(place: Location) -> list[str]:
    return [diagnostic.code for diagnostic in check(DatasetContext(read(place))).diagnostics]


def test_an_untagged_dataset(toy_root: Path) -> None:
    assert codes(Location("made/toy", toy_root, "hub", "main", tagged=False)) == ["GA406"]
    assert codes(Location("made/toy", toy_root, "hub", "v3.0")) == []


def test_a_copy_that_lerobot_does_not_trust(toy_root: Path, copy_of: Callable[[Path], Path]) -> None:
    root = copy_of(toy_root)
    (root / ".cache/huggingface/download").mkdir(parents=True)
    assert codes(Location("made/toy", root, "lerobot home")) == ["GA407"]
    assert codes(Location("made/toy", root, "root")) == []


def test_a_recipe_hears_of_its_datasets_faults(
    pusht_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In validate-config the same rules run, and point into the dataset's own files."""
    from getiaction_cli.recipe import read as read_recipe

    root = Path(shutil.copytree(pusht_root, tmp_path / "pusht"))
    stats = json.loads((root / "meta/stats.json").read_text())
    stats["action"]["mean"][0] = float("nan")
    (root / "meta/stats.json").write_text(json.dumps(stats))
    (root / "meta/info.json").write_text((root / "meta/info.json").read_text().replace('"fps": 10', '"fps": 30', 1))
    text = f"""
model:
  class_path: getiaction.policies.lerobot.ACT
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    root: {root}
trainer:
  max_steps: 10
"""
    report = verdict(read_recipe("recipe.yaml", text=text), SharedInputs(offline=True), ignore=("GA5",))
    fps = next(diagnostic for diagnostic in report.diagnostics if diagnostic.code == "GA441")
    assert fps.severity is Severity.ERROR
    assert fps.file == str(root / "meta/info.json")
    assert fps.lines and "30" in fps.lines[0]


@pytest.mark.parametrize(("policy", "severity"), [("ACT", Severity.WARNING), ("SmolVLA", Severity.ERROR)])
def test_wrong_task_texts_stop_the_policies_that_read_them(
    policy: str, severity: Severity, damaged: Callable[[str], Path]
) -> None:
    from getiaction_cli.recipe import read as read_recipe

    text = f"""
model: {{class_path: getiaction.policies.lerobot.{policy}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: made/two, root: {damaged("tasks-order")}}}
trainer: {{max_steps: 10}}
"""
    report = verdict(read_recipe("recipe.yaml", text=text), SharedInputs(offline=True), select=("GA452",))
    assert [diagnostic.severity for diagnostic in report.diagnostics] == [severity]


def test_locating_is_not_judging(toy_root: Path) -> None:
    """The same dataset, named by its folder or as a root, is judged alike."""
    by_folder = check(DatasetContext(read(locate(str(toy_root), folders=True))))
    by_root = check(DatasetContext(read(locate("made/toy", root=toy_root))))
    assert by_folder.diagnostics == by_root.diagnostics == ()
