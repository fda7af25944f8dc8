"""Four guards on what imports what: the linter's, the layers', and a fresh interpreter's own word."""

import ast
import graphlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Set
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "torchvision",
    "lightning",
    "lightning_fabric",
    "lerobot",
    "transformers",
    "pandas",
    "datasets",
}
ASK = """
import json, sys
sys.argv = ["getiaction", *{words!r}]
from getiaction_cli.main import main
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def loaded(*words: str) -> set[str]:
    """The modules in a fresh interpreter after one command."""
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(words=list(words))],
        capture_output=True,
        text=True,
        env=os.environ,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def commands() -> list[str]:
    from getiaction_cli.main import app

    return [command.name or "" for command in app.registered_commands]


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in commands())], ids=" ".join)
def test_help_is_light(words: list[str]) -> None:
    packages = loaded(*words)
    assert not packages & (HEAVY | {"numpy", "pyarrow", "yaml", "huggingface_hub"})


def test_validate_config_never_imports_the_core(lerobot_home: Path) -> None:
    recipe = ROOT / "tests" / "cases" / "ok" / "act.yaml"
    packages = loaded("validate-config", str(recipe))
    assert "pyarrow" in packages  # it did look at the dataset
    assert not packages & HEAVY
    core = {name for name in packages if name.partition(".")[0] == "getiaction"}
    plain = ("getiaction.spec", "getiaction.files", "getiaction.trust", "getiaction.errors")
    assert all(name == "getiaction" or name.startswith(plain) for name in core), core


def test_the_linter_is_content() -> None:
    subprocess.run([sys.executable, "-m", "ruff", "check", "-q", str(ROOT)], check=True)


def test_imports_go_downward_only() -> None:
    code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports inside functions count: a circle that they hide is still one. Imports for types alone do not."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ("getiaction", "getiaction_cli")
        for path in (ROOT / package).rglob("*.py")
    }
    graph = {module: set(imports(path, files.keys())) - {module} for module, path in files.items()}
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the modules


def imports(path: Path, modules: Set[str]) -> Iterator[str]:
    """Which of `modules` a file imports while it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in names if {name, node.module} & modules)
