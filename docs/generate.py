"""Writes what is made from the program: python docs/generate.py [cli|rules|completions|schema|formats|pictures …]

`cli` includes the exit codes, and `schema` the keys of a recipe.

All but the pictures are compared with the program by the tests. Each picture is the screen of a real run,
recorded in a pseudo-terminal; they are made anew when the look of a command changes.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
import reference

DOCS = Path(__file__).parent
COLUMNS = 110
SEED_RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: diffusion
    learning_rate: 1e-4
    config_kwargs:
      pretrained_backbone_weights: null
      horizon: 16
      n_action_step: 8
      down_dims: [128, 256, 512]

data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-demo
    delta_timestamps:
      action: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]

trainer:
  max_steps: 1000
"""
PICTURES = {
    "train": ["train", "recipes/quickstart.yaml"],
    "validate": ["validate-config", "wrong.yaml"],
    "inspect": ["inspect-dataset", "getiaction/pusht-demo"],
}


def commands() -> dict[str, str]:
    """The help of every command, as the program prints it."""
    names = re.findall(r"^  ([a-z-]+)  ", _help().split("Commands:")[1], re.MULTILINE)
    return {name: _help(name) for name in names}


def cli() -> str:
    """The page of the commands and their options."""
    parts = [
        "# The command line",
        "",
        "Written by `docs/generate.py` from `--help`.",
        "",
        *_block("getiaction", _help()),
    ]
    parts += ["", *_short_options()]
    for name, text in commands().items():
        parts += ["", f"## {name}", "", *_block(f"getiaction {name}", text)]
    return "\n".join(parts) + "\n"


def _short_options() -> list[str]:
    """The table of short options, and the syntax that overrides share with LightningCLI."""
    from getiaction_cli.short_forms import SHORT_FORMS

    rows = [f"| {', '.join(f'`--{name}`' for name in s.names)} | `{s.route}` | {s.help} |" for s in SHORT_FORMS]
    return [
        "## Short options",
        "",
        "`train`, `fit` and `validate-config` take any key of a recipe as an option, such as",
        "`--trainer.max_steps 2000`. These keys also have short options; `-` and `_` are the same in them,",
        "except in `--output_dir`.",
        "",
        "| option | key | what it is |",
        "|---|---|---|",
        *rows,
        "",
        "The rest is LightningCLI's syntax. A class goes by its name, and its arguments follow:",
        "`--trainer.logger WandbLogger --trainer.logger.project pusht`. `--trainer.callbacks+=EarlyStopping`",
        "adds to a list. A key that takes true or false needs no value: `--trainer.fast_dev_run`. `--config` can",
        "be repeated, and later files win; without any file, `--model` and `--dataset` are enough.",
    ]


def _output(*words: str) -> str:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    environment = os.environ | {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def _help(*words: str) -> str:
    return _output(*words, "--help").replace("python -m getiaction_cli.main", "getiaction").rstrip()


def _block(command: str, text: str) -> list[str]:
    return ["```text", f"$ {command} --help", text, "```"]


def rules() -> str:
    """Every rule's page, by code."""
    from getiaction_cli.checking.runner import load_rules

    parts = [
        "# The rules",
        "",
        "Written by `docs/generate.py` from the rules; `getiaction explain CODE` prints the same.",
        "",
    ]
    loaded = load_rules()
    parts += ["| code | name | severity | what it finds |", "|---|---|---|---|"]
    for code, rule in loaded.items():
        title = rule.page.split("\n")[0]
        parts.append(f"| [{code}](#{code.lower()}) | {rule.name} | {rule.severity.value} | {title} |")
    for code, rule in loaded.items():
        title, _, rest = rule.page.partition("\n")
        body = re.sub(r"^## ", "**", rest.strip(), flags=re.MULTILINE)
        body = re.sub(r"^(\*\*.*)$", r"\1**", body, flags=re.MULTILINE)
        parts += ["", f"## {code}", "", f"*{rule.name}*, {rule.severity.value}. {title}", "", body]
    return "\n".join(parts) + "\n"


def exit_codes() -> str:
    """The page of the exit codes."""
    return reference.exit_codes(commands())


def recipe() -> str:
    """The page of a recipe's keys."""
    return reference.recipe()


def formats() -> str:
    """The page of the output formats."""
    return reference.formats()


def pictures(names: list[str]) -> None:
    """Record the screens and write them as SVG."""
    repository = DOCS.parent
    for name in names or PICTURES:
        words = PICTURES[name]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(repository / "recipes", Path(folder) / "recipes")
            (Path(folder) / "wrong.yaml").write_text(SEED_RECIPE)
            screen = _record(words, Path(folder))
        (DOCS / f"{name}.svg").write_text(_svg(screen, "getiaction " + " ".join(words)))


def _record(words: list[str], folder: Path) -> str:
    """What a terminal shows after the command, as text with colours."""
    import pyte

    screen = pyte.Screen(COLUMNS, 120)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 120, COLUMNS, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm-256color", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        stream.feed(data)
    process.wait()
    lines = []
    for row in range(screen.lines):
        style, line = "", ""
        for cell in (screen.buffer[row][column] for column in range(screen.columns)):
            now = _style(cell)
            line += (now if now != style else "") + cell.data
            style = now
        lines.append(line.rstrip() + "\x1b[0m")
    text = "\n".join(lines)
    return re.sub(r"(\s|\x1b\[[\d;]*m)+$", "", text).replace(str(DOCS.parent), "~/getiaction")


_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def _style(cell: object) -> str:
    codes = ["0"]
    if cell.bold:  # type: ignore[attr-defined]
        codes.append("1")
    colour = cell.fg  # type: ignore[attr-defined]
    if colour in _NAMES:
        codes.append(str(30 + _NAMES.index(colour)))
    elif colour.startswith("bright") and colour[6:] in _NAMES:
        codes.append(str(90 + _NAMES.index(colour[6:])))
    elif re.fullmatch(r"[0-9a-f]{6}", colour):
        codes.append("38;2;" + ";".join(str(int(colour[at : at + 2], 16)) for at in (0, 2, 4)))
    return f"\x1b[{';'.join(codes)}m"


def _svg(text: str, command: str) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title=command, unique_id="screen")
    # The fonts would be fetched from another site; every machine has a monospaced one.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> None:
    """Write what is named; without words, everything that the tests compare."""
    wanted = sys.argv[1:] or ["cli", "rules", "completions", "schema", "formats"]
    if "cli" in wanted:
        (DOCS / "cli.md").write_text(cli())
        (DOCS / "exit_codes.md").write_text(exit_codes())
    if "rules" in wanted:
        (DOCS / "rules.md").write_text(rules())
    if "completions" in wanted:
        for shell in ("bash", "zsh", "fish"):
            text = _output("--shell", shell, "--show-completion")
            (DOCS.parent / "completions" / f"getiaction.{shell}").write_text(text)
    if "schema" in wanted:
        (DOCS.parent / "recipes/recipe.schema.json").write_text(_output("schema"))
        (DOCS / "recipe.md").write_text(recipe())
    if "formats" in wanted:
        (DOCS / "formats.md").write_text(formats())
    if "pictures" in wanted:
        pictures([name for name in wanted if name in PICTURES])


if __name__ == "__main__":
    main()
