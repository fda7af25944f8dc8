"""The docs say what the program does: help texts, rule pages, the README's commands and its example in Python."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()


def _generate() -> object:
    spec = importlib.util.spec_from_file_location("generate", REPOSITORY / "docs/generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["cli", "rules", "exit_codes", "recipe", pytest.param("formats", marks=pytest.mark.slow)]
)
def test_generated_documents_are_up_to_date(name: str) -> None:
    written = (REPOSITORY / "docs" / f"{name}.md").read_text()
    assert written == getattr(_generate(), name)(), "run: python docs/generate.py"


def test_every_json_document_begins_with_its_version() -> None:
    """docs/formats.md is generated from the commands' own output; `validate`, `test` and `predict` are `evaluate`."""
    page = (REPOSITORY / "docs/formats.md").read_text()
    shapes = re.findall(r"^## (\S+).*--format json\n\n\| key \| type \|\n\|---\|---\|\n\| `(\w+)` ", page, re.MULTILINE)
    assert {first for _, first in shapes} == {"version"}
    help_texts = re.findall(
        r"^## (\S+)\n\n```text\n(.*?)```", (REPOSITORY / "docs/cli.md").read_text(), re.M | re.DOTALL
    )
    writing = {name for name, text in help_texts if re.search(r"--format <[a-z|]*json", text)}
    assert writing == {name for name, _ in shapes} | {"validate", "test", "predict"}
    assert page.count("--format json\n") == len(shapes)


def test_every_command_that_the_readme_names_exists() -> None:
    cli = (REPOSITORY / "docs/cli.md").read_text()
    commands = set(re.findall(r"^## ([a-z-]+)$", cli, re.MULTILINE))
    named = set(re.findall(r"getiaction ([a-z]+(?:-[a-z]+)*)", README))
    assert commands <= named, "the README tells of every command"
    assert named - commands <= set(), "and of no other"


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for document in [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *REPOSITORY.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            assert target.startswith("http") or (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_readme_shows_the_quickstart_as_it_is() -> None:
    shown = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown
    recipe = (REPOSITORY / "recipes/quickstart.yaml").read_text()
    without_comments = re.compile(r"\s*#.*$", re.MULTILINE)
    assert without_comments.sub("", shown[1]).split() == without_comments.sub("", recipe).split()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_example_in_python_runs(page: str, tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", (REPOSITORY / page).read_text(), re.DOTALL)
    assert example
    text = re.sub(r"max_steps=\d+", "max_steps=2", example[1]).replace("range(10)", "range(1)")
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
