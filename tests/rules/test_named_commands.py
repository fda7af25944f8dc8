"""Every command that a message or a page names exists, with the operation or the options that it is given."""

import re
from pathlib import Path

import pytest

PACKAGES = [Path(__file__).parents[2] / name for name in ("getiaction", "getiaction_cli", "docs", "README.md")]


def texts() -> str:
    """The sources and pages, with what Python joins over lines joined."""
    files = [file for path in PACKAGES for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    read = [file.read_text(encoding="utf-8") for file in files if file.suffix in (".py", ".md", ".toml")]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(read))


def test_operations_of_lerobot_edit_dataset_exist() -> None:
    import lerobot

    source = (Path(lerobot.__file__).parent / "scripts" / "lerobot_edit_dataset.py").read_text(encoding="utf-8")
    there = set(re.findall(r'register_subclass\("(\w+)"\)', source))
    named = set(re.findall(r"--operation\.type[=\s]+`?(\w+)", texts()))
    assert named
    assert named <= there
    options = {option for option in re.findall(r"--operation\.(\w+)", texts()) if option != "type"}
    assert options <= set(re.findall(r"^    (\w+): ", source, re.MULTILINE))


@pytest.mark.parametrize("word", sorted(set(re.findall(r"`(lerobot-[\w-]+)", texts()))))
def test_commands_of_lerobot_exist(word: str) -> None:
    from importlib.metadata import entry_points

    assert word in {script.name for script in entry_points(group="console_scripts")}


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (lerobot(?:\.\w+)+)", texts()))))
def test_modules_of_lerobot_exist(module: str) -> None:
    import lerobot

    path = Path(lerobot.__file__).parent.joinpath(*module.split(".")[1:])
    # Datasets of v2.0 need an older LeRobot, whose name of the module it is.
    assert path.with_suffix(".py").is_file() or "v20_to_v21" in module


def test_subcommands_of_getiaction_exist() -> None:
    from typer.main import get_command

    from getiaction_cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`getiaction (?:--\w+ )*([a-z][a-z-]+)\b", texts()))
    assert named <= known, named - known
