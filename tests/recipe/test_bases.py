"""Recipes in several files: what is merged, where places point, and which files a fix may edit."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from getiaction_cli.checking.recipe_context import verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Change
from getiaction_cli.recipe import edits_for, read

ACT = "getiaction.policies.lerobot.ACT"
BASE = f"""\
model:
  class_path: {ACT}
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
  callbacks: [a, b]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "act.yaml").write_text(BASE)
    return tmp_path


def found(code: str, recipe: Any) -> list[tuple[str, int, str]]:
    """The places and messages of the findings with a code: file, line, message."""
    report = verdict(recipe, select=(code,))
    return [(d.file, d.span.line if d.span else 0, d.message) for d in report.diagnostics]


def test_sections_merge_and_values_are_replaced(folder: Path) -> None:
    (folder / "long.yaml").write_text(
        "base: act.yaml\nmodel:\n  init_args: {chunk_size: 20}\ntrainer: {callbacks: [c]}\n"
    )
    recipe = read("long.yaml", overrides=[("steps", "7")])
    expected = yaml.safe_load(BASE)
    expected["model"]["init_args"]["chunk_size"] = 20
    expected["trainer"] = {"max_steps": 7, "callbacks": ["c"]}
    assert recipe.plain() == expected
    assert recipe.place("model.init_args.n_action_steps").file == "act.yaml"  # type: ignore[union-attr]
    assert recipe.place("model.init_args.chunk_size").file == "long.yaml"  # type: ignore[union-attr]
    assert recipe.place("trainer.max_steps").file == "<command line>"  # type: ignore[union-attr]


def test_later_bases_and_later_configs_win(folder: Path) -> None:
    for name, steps in (("one", 1), ("two", 2)):
        (folder / f"{name}.yaml").write_text(f"trainer: {{max_steps: {steps}}}\n")
    (folder / "both.yaml").write_text("base: [act.yaml, two.yaml, one.yaml]\n")
    assert read("both.yaml").get("trainer.max_steps") == 1
    assert read("two.yaml", under=("act.yaml", "one.yaml")).get("trainer.max_steps") == 2


def test_a_base_is_found_beside_the_file_that_names_it(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep/middle.yaml").write_text("base: ../act.yaml\ntrainer: {max_step: 3}\n")
    (folder / "top.yaml").write_text("base: deep/middle.yaml\n")
    [(file, line, _)] = found("GA111", read("top.yaml"))
    assert (file, line) == ("deep/middle.yaml", 2)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("nope.yaml", "there is no recipe at nope.yaml"),
        ("/etc/hosts.yaml", "must be a path relative to"),
        ("~/act.yaml", "must be a path relative to"),
        ("secrets.txt", "is not a .yaml file"),
        ("pipe.yaml", "can't be read: Not a regular file"),
        ("folder.yaml", "is a folder, not a recipe"),
        ("me.yaml", "includes itself: me.yaml → me.yaml"),
        ("round.yaml", "includes itself: me.yaml → round.yaml → me.yaml"),
        ("{a: 1}", "takes the path of a recipe"),
        ("", "takes the path of a recipe"),
        ("3", "takes the path of a recipe"),
    ],
)
def test_a_base_that_cannot_be_used_is_an_error_at_its_entry(folder: Path, entry: str, message: str) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    (folder / "secrets.txt").write_text("token: 1\n")
    (folder / "round.yaml").write_text("# back again\nbase: me.yaml\n")
    (folder / "me.yaml").write_text(f"seed: 1\nbase: {entry}\n")
    report = verdict(read("me.yaml"))
    [finding] = report.diagnostics
    assert finding.code == "GA156" and message in finding.message
    assert finding.span and finding.span.line == 2
    assert finding.file == ("round.yaml" if entry == "round.yaml" else "me.yaml")


def test_a_tree_of_bases_that_multiplies_is_stopped(folder: Path) -> None:
    for number in range(20):
        below = f"n{number + 1}.yaml"
        (folder / f"n{number}.yaml").write_text(f"base: [{below}, {below}]\n")
    (folder / "n20.yaml").write_text("seed: 1\n")
    assert any("at most 32 files" in message for _, _, message in found("GA156", read("n0.yaml")))


def test_what_is_wrong_in_a_base_is_shown_there_and_fixed_there(folder: Path) -> None:
    (folder / "act.yaml").write_text(BASE.replace("max_steps: 100", "max_steps: 1e2  # short"))
    (folder / "top.yaml").write_text("base: act.yaml\n")
    recipe = read("top.yaml")
    [finding] = verdict(recipe, select=("GA120",)).diagnostics
    assert (finding.file, finding.span.line if finding.span else 0) == ("act.yaml", 11)
    assert finding.fix and finding.fix.file == "act.yaml" and finding.fix.safe
    start = BASE.index("max_steps: ") + len("max_steps: ")
    assert [(edit.start, edit.text) for edit in finding.fix.edits] == [(start, "100")]


def test_a_change_is_tried_on_all_the_files_that_the_command_line_names(folder: Path) -> None:
    (folder / "top.yaml").write_text("trainer: {max_steps: 7}\nseed: 1\n")
    recipe = read("top.yaml", under=("act.yaml",))
    [edit] = edits_for(recipe, Change("shorten", set=(("model.init_args.chunk_size", 5),)))
    assert (edit.start, edit.text) == (BASE.index("10"), "5")  # in act.yaml
    assert edits_for(recipe, Change("remove seed", remove=("seed",)))
    # Without the key in top.yaml, that of act.yaml would hold.
    assert not edits_for(recipe, Change("remove max_steps", remove=("trainer.max_steps",)))


def test_no_file_outside_the_folder_of_the_recipe_is_edited(folder: Path) -> None:
    (folder / "act.yaml").write_text(BASE.replace("max_steps: 100", "max_steps: 1e2"))
    (folder / "in").mkdir()
    (folder / "in/top.yaml").write_text("base: ../act.yaml\n")
    (folder / "in/linked.yaml").symlink_to(folder / "act.yaml")
    (folder / "in/link.yaml").write_text("base: linked.yaml\n")
    for name, file in (("in/top.yaml", "act.yaml"), ("in/link.yaml", "in/linked.yaml")):
        [finding] = verdict(read(name), select=("GA120",)).diagnostics
        assert finding.fix is None
        assert finding.help == f"write it as 100 in {file} (--fix edits no file outside the folder of {name})"


def test_no_edit_where_a_later_file_hides_it(folder: Path) -> None:
    (folder / "top.yaml").write_text("base: act.yaml\ntrainer: {max_steps: 5}\n")
    recipe = read("top.yaml")
    assert edits_for(recipe, Change("", remove=("trainer.max_steps",))) == ()  # the base's would come to light
    assert edits_for(recipe, Change("", set=(("trainer.max_steps", 6),)))


def test_ignore_comments_hold_for_their_file(folder: Path) -> None:
    (folder / "act.yaml").write_text(BASE.replace("  max_steps", "  # getiaction: ignore[GA110]\n  max_stepz"))
    (folder / "top.yaml").write_text("base: act.yaml\ntrainer:\n\n\n\n\n\n\n\n\n\n  max_stepy: 1\n")
    assert [place[:2] for place in found("GA110", read("top.yaml"))] == [("top.yaml", 12)]


def test_the_page_of_a_replaced_class(folder: Path) -> None:
    """Both files of the page's Example, and its Instead."""
    page = load_rules()["GA157"].page
    act, other, instead = re.findall(r"```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (folder / "act.yaml").write_text(act)
    (folder / "top.yaml").write_text(other)
    [(file, line, message)] = found("GA157", read("top.yaml"))
    assert (file, line) == ("top.yaml", 3)
    assert message == "`VQBeT` replaces `ACT`, and the arguments for `ACT` are dropped: `chunk_size`, `n_action_steps`"
    assert read("top.yaml").params() == {}
    (folder / "top.yaml").write_text(instead)
    assert found("GA157", read("top.yaml")) == [] and read("top.yaml").params()["chunk_size"] == 20


def test_another_policy_by_name_drops_the_parameters_of_the_first(folder: Path) -> None:
    wrapper = "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n  init_args:\n    policy_name: {}\n"
    (folder / "one.yaml").write_text(wrapper.format("act") + "    config_kwargs: {chunk_size: 3}\n")
    (folder / "two.yaml").write_text("base: one.yaml\n" + wrapper.format("diffusion"))
    assert read("two.yaml").params() == {}
    (folder / "two.yaml").write_text("base: one.yaml\n" + wrapper.format("act"))
    assert read("two.yaml").params() == {"chunk_size": 3}


VALUES = st.recursive(
    st.integers(0, 3) | st.none() | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=8,
)
FILES = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1, max_size=3), min_size=1, max_size=3)


def over(lower: Any, upper: Any) -> Any:
    """Merge plain values as LightningCLI merges configurations."""
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    return lower | {key: over(lower[key], value) if key in lower else value for key, value in upper.items()}


@given(FILES)
def test_any_files_merge_as_their_values_do(files: list[dict[str, Any]]) -> None:
    texts = {f"{number}.yaml": yaml.safe_dump(file) for number, file in enumerate(files)}
    expected: Any = {}
    for file in files:
        expected = over(expected, file)
    *under, last = texts
    assert read(last, under=under, texts=texts).plain() == expected
