"""Texts of strangers: one value in YAML, harmless on a terminal, and no script in a page."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import make_dataset
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from getiaction_cli.control import CleanStream, clean, escaped
from getiaction_cli.datasets import locate, read
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.recipe import read as read_recipe
from getiaction_cli.recipe.writing import write, write_block

GETIACTION = [sys.executable, "-m", "getiaction_cli.main"]
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")

# What has broken a recipe before, and whatever else a key of JSON may be.
NAMES = st.one_of(
    st.sampled_from(
        [
            'observation.state\n    pretrained_path: "stranger/act"',
            "observation.state #2",
            "observation.state: left",
            "observation.images.a\u2028    pretrained_path: b",
            "observation.images.a\x85    pretrained_path: b",
            "- x", "? x", "{a: b}", "[a]", "&a", "*a", "!!python/object:os.system", "%YAML", "@x", "`x`", "'", '"', "",
            " ", "null", "yes", "1e3", "0x1", "2020-01-01", "=", "<<", "...", "---", "a\tb", hostile.ESCAPES, "\ufeff",
        ]
    ),
    st.text(max_size=40),
    st.text(alphabet=" \n\t:#-'\"\\{}[],&*!|>%@`\x85\u2028\u2029\x00\x1b", max_size=12),
)  # fmt: skip


# YAML ----------------------------------------------------------------------------------------------------------------


@given(st.recursive(NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)))
def test_what_is_written_is_read_again(value: Any) -> None:
    text = f"key: {write(value)}\nafter: 1\n"
    assert yaml.safe_load(text) == {"key": value, "after": 1}
    recipe = read_recipe("recipe.yaml", text=text)
    assert (recipe.get("key"), recipe.get("after")) == (value, 1)


@given(NAMES, NAMES)
def test_so_are_keys(outer: str, inner: str) -> None:
    text = write_block([outer, inner], 3, 0, "\n")
    assert yaml.safe_load(text) == {outer: {inner: 3}}


def renamed(root: Path, folder: Path, names: dict[str, str], **info: Any) -> Path:
    """A copy of a dataset's metadata whose features have other names."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root, folder)
    for file in ("info.json", "stats.json"):
        path = folder / "meta" / file
        content = json.loads(path.read_text())
        table = content["features"] if file == "info.json" else content
        for old, new in names.items():
            if old in table:
                table[new] = table.pop(old)
        if file == "info.json":
            content |= info
        path.write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("policy", ["act", "diffusion"])
def test_a_draft_has_the_keys_that_were_meant(
    policy: str, toy_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from getiaction_cli import policies
    from getiaction_cli.checking import drafting
    from getiaction_cli.checking.recipe_context import SharedInputs

    known = policies.load(policy)
    base = tmp_path_factory.mktemp("drafts")
    plain = {"policy_name", "config_kwargs", "learning_rate", "input_features", "rename_map"}

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(state=NAMES, camera=NAMES)
    def check(state: str, camera: str) -> None:
        names = {
            "observation.state": f"observation.state{state}",
            "observation.images.top": f"observation.images.{camera}",
        }
        dataset = read(locate(str(renamed(toy_root, base / "set", names)), folders=True))
        text = drafting.draft(dataset, known, _shared(dataset)).text
        found = yaml.safe_load(text)
        assert found.keys() == {"seed", "model", "data", "trainer"}
        arguments = found["model"]["init_args"]
        assert arguments.keys() <= plain | set(known.parameter_names) - {"pretrained_path"}
        assert set(arguments.get("input_features", [])) <= set(names.values()) | set(dataset.features)
        assert found["data"]["init_args"]["root"] == str(dataset.root)
        assert found["trainer"].keys() == {"max_steps"}

    def _shared(dataset: Dataset) -> SharedInputs:
        shared = SharedInputs()
        shared.add(dataset)
        return shared

    check()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["state\n    pretrained_path: stranger", "state #2", "state: left"])
def test_a_draft_reads_a_feature_by_its_whole_name(name: str, tmp_path: Path) -> None:
    root = make_dataset.make(
        tmp_path / "recipe.yaml\n- x: y",
        cameras={},
        extra={"observation.environment_state": 3, f"observation.{name}": 3},
    )
    command = [*GETIACTION, "init", str(root), "--policy", "diffusion"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    (file,) = (file for file in tmp_path.iterdir() if file.is_file())
    found = yaml.safe_load(file.read_text())
    assert f"observation.{name}" in found["model"]["init_args"]["input_features"], done
    assert "pretrained_path" not in found["model"]["init_args"]
    assert found["data"]["init_args"]["root"] == str(root) and "\n" not in file.name


# Terminals -----------------------------------------------------------------------------------------------------------


class Kept(list[str]):
    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


@given(st.lists(st.one_of(st.text(max_size=20), st.sampled_from(["\x1b[31m", "\x1b[0m", hostile.ESCAPES])), max_size=5))
def test_nothing_steers_but_our_own_colours(parts: list[str]) -> None:
    kept = Kept()
    CleanStream(kept, ["\x1b[0m"]).write("".join(parts))  # type: ignore[arg-type]
    (written,) = kept
    assert not STEERING.search(written.replace("\x1b[0m", ""))


@given(st.text())
def test_json_says_the_same(text: str) -> None:
    document = escaped(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(document) == {"text": text}
    assert not STEERING.search(document) and clean(text).isprintable()


@pytest.fixture(scope="module")
def steering(toy_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose every text steers a terminal; its folder's name too."""
    bad = hostile.ESCAPES
    folder = tmp_path_factory.mktemp("sets") / f"set{bad}"
    names = {"observation.state": f"observation.state{bad}", "observation.images.top": f"observation.images.{bad}"}
    renamed(toy_root, folder, names, robot_type=f"robot{bad}", codebase_version="v3.0")
    info = json.loads((folder / "meta/info.json").read_text())
    info["features"][f"observation.odd{bad}"] = {"dtype": f"float32{bad}", "shape": [1], "names": [bad]}
    (folder / "meta/info.json").write_text(json.dumps(info))
    return folder


COMMANDS: dict[str, Callable[[str, str], list[str]]] = {
    "inspect": lambda data, recipe: ["inspect-dataset", data],
    "inspect deep": lambda data, recipe: ["inspect-dataset", data, "--deep"],
    "inspect json": lambda data, recipe: ["inspect-dataset", data, "--format", "json"],
    "policies": lambda data, recipe: ["list-policies", "--for", data],
    "policies json": lambda data, recipe: ["list-policies", "--for", data, "--format", "json"],
    "init": lambda data, recipe: ["init", data, "--policy", "act", "-o", "-"],
    "init unasked": lambda data, recipe: ["init", data],
    "train": lambda data, recipe: ["train", recipe],
    "stores": lambda data, recipe: ["frame-stores", data],
    **{
        f"validate {name}": lambda data, recipe, name=name: ["validate-config", recipe, "--format", name]
        for name in ("text", "concise", "json", "sarif", "github")
    },
    "diff": lambda data, recipe: ["validate-config", recipe, "--diff", "--unsafe-fixes"],
    "no such command": lambda data, recipe: [hostile.ESCAPES],
    "no such file": lambda data, recipe: ["validate-config", f"{hostile.ESCAPES}.yaml"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_lets_a_terminal_be_steered(name: str, steering: Path, tmp_path: Path) -> None:
    bad = hostile.ESCAPES
    recipe = tmp_path / f"recipe{bad}.yaml"
    init = {"repo_id": "a/b", "root": str(steering), f"odd{bad}": 1}
    model = {"class_path": f"getiaction.policies.lerobot.ACT{bad}", "init_args": {"input_features": [bad]}}
    given = {"model": model, "data": {"class_path": bad, "init_args": init}, f"x{bad}": bad}
    recipe.write_text(yaml.safe_dump(given), encoding="utf-8")
    coloured = {**os.environ, "FORCE_COLOR": "1"}
    done = subprocess.run(
        [*GETIACTION, *COMMANDS[name](str(steering), str(recipe))],
        capture_output=True, cwd=tmp_path, env=coloured, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    for stream in (done.stdout, done.stderr):
        text = stream.decode()
        assert not STEERING.search(COLOURS.sub("", text)), text
        assert "Traceback" not in text, text
    assert done.stdout or done.stderr
    if "json" in name or "sarif" in name:
        json.loads(done.stdout)


# Pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_name_like_a_mark_of_the_template_is_a_name(toy_root: Path, tmp_path: Path) -> None:
    root = renamed(toy_root, tmp_path / "@TITLE@", {"observation.state": "observation.@TITLE@@BODY@"})
    info = json.loads((root / "meta/info.json").read_text())
    for feature in info["features"].values():
        if isinstance(feature.get("names"), list) and feature["dtype"] == "float32":
            feature["names"] = ["@BODY@", "</script><script>alert(1)</script>"][: feature["shape"][0]]
    (root / "meta/info.json").write_text(json.dumps(info))
    page = tmp_path / "page.html"
    done = subprocess.run(
        [*GETIACTION, "inspect-dataset", str(root), "--html", str(page)], capture_output=True, text=True, check=False
    )
    assert page.exists(), done.stderr
    text = page.read_text()
    own = ['<script type="application/json" id="clips">', "<script>"]  # which play episodes
    assert re.findall(r"<script[^>]*>", text) == own and "alert(1)</script>" not in text
    assert "@TITLE@" in text and text.count("<section>") < 20
    assert "observation.@TITLE@@BODY@" in text
