"""Reference pages made from the program: keys of a recipe, output formats with their JSON, exit codes."""

from __future__ import annotations

import contextlib
import html
import json
import re
import subprocess
import sys
import tempfile
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
_HEAD = "Written by `docs/generate.py`."
Schema = dict[str, Any]

# -- the keys of a recipe ----------------------------------------------------------------------------------------------


def recipe() -> str:
    """Every key of a recipe with its type, default and meaning."""
    from getiaction_cli import policies
    from getiaction_cli.rendering.schema import recipe_schema

    known = [policy for name in policies.names() if (policy := policies.load(name)).trainable]
    schema = recipe_schema(known)
    sections = schema["properties"]
    own = {
        case["if"]["properties"]["class_path"]["const"]: case["then"]["properties"]["init_args"]
        for case in sections["model"]["allOf"]
    }
    tables = {policy.name: _properties(own.get(policy.class_path, {}), schema) for policy in known}
    tables = {name: found for name, found in tables.items() if found}
    first = next(iter(tables.values()))
    common = {key: value for key, value in first.items() if all(t.get(key) == value for t in tables.values())}
    top = {key: value for key, value in sections.items() if key not in ("model", "data", "trainer", "evaluation")}
    parts = [
        "# The keys of a recipe",
        "",
        f"{_HEAD} `getiaction schema` prints the same as a JSON Schema, from the installed LeRobot and Lightning.",
        "A key that is left out has its default. Any key can be set on the command line: `--trainer.max_steps 2000`.",
        *_keys("Top level", "", top),
        *_keys("data", "data.init_args", sections["data"]["properties"]["init_args"]["properties"]),
        *_keys("trainer", "trainer", sections["trainer"]["properties"], "The arguments of Lightning's Trainer."),
        *_keys("evaluation", "evaluation", sections["evaluation"]["properties"], "Rollouts in simulation."),
        *_keys("model: every policy", "model.init_args", common, "These keys are the same for all policies."),
    ]
    for policy in known:
        if policy.name in tables:
            rest = {key: value for key, value in tables[policy.name].items() if key not in common}
            parts += _keys(f"model: {policy.name}", "model.init_args", rest, f"`class_path: {policy.class_path}`")
    return "\n".join(parts) + "\n"


def _properties(schema: Schema, whole: Schema) -> Schema:
    """The keys of an object, of all that it is composed of."""
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= _properties(part, whole)
    return found


def _keys(title: str, route: str, properties: Schema, intro: str = "") -> Iterator[str]:
    yield from ["", f"## {title}", ""]
    words = " ".join(filter(None, (intro, f"The keys are in `{route}`." if route else "")))
    if words:
        yield from [words, ""]
    yield from ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, schema in properties.items():
        default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
        cells = (f"`{key}`", _type(schema), default, _plain(schema.get("description", "")))
        yield f"| {' | '.join(map(_cell, cells))} |"


def _type(schema: Schema) -> str:
    return " or ".join(dict.fromkeys(_types(schema))) or "any"


def _types(schema: Schema) -> Iterator[str]:
    if "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from _types(part)
    elif "enum" in schema:
        yield from (f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`" for value in schema["enum"])
    elif "class_path" in schema.get("properties", {}):
        yield "class"
    else:
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind == "array":
                inner = _type(schema.get("items", {})) if isinstance(schema.get("items", {}), dict) else "any"
                yield "list" if inner == "any" else f"list of {inner}"
            elif kind == "object":
                more = schema.get("additionalProperties")
                inner = _type(more) if isinstance(more, dict) else "any"
                yield "mapping" if inner == "any" else f"mapping to {inner}"
            else:
                yield kind


def _plain(words: str) -> str:
    """A docstring's words without Sphinx's roles."""
    words = re.sub(r":\w+:`~?([^`]+)`", lambda role: f"`{role[1].rpartition('.')[2]}`", words)
    return words.replace("``", "`")


def _cell(words: str) -> str:
    """Words for a cell of a table: code as it is, all else without markup."""
    words = " ".join(words.split()).replace("|", "\\|")
    parts = re.split(r"(`[^`]*`)", words)
    return "".join(
        part if i % 2 else re.sub(r"([*_\[\]])", r"\\\1", html.escape(part, quote=False))
        for i, part in enumerate(parts)
    )


# -- exit codes --------------------------------------------------------------------------------------------------------


def exit_codes(helps: dict[str, str]) -> str:
    """What each command's exit code means.

    Args:
        helps: the help of each command, by name.
    """
    from getiaction_cli import errors

    about = re.search(r"Exit codes: (.*)", errors.__doc__ or "", re.DOTALL)
    assert about is not None
    usual, _, signals = " ".join(about[1].split()).partition("; ")
    parts = ["# Exit codes", "", _HEAD, "", "| code | meaning |", "|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in re.findall(r"(\d+) ([^,]+)", usual)]
    parts += ["", f"A signal has the code that a shell gives it: {signals.partition(': ')[2]}", ""]
    parts += ["These commands have a meaning of their own for some codes:", "", "| command | exit codes |", "|---|---|"]
    for command, text in helps.items():
        if said := re.search(r"Exit codes: (.*?)\.(?:\s{2,}|\n\n|\s*\Z)", text, re.DOTALL):
            parts.append(f"| `getiaction {command}` | {_cell(said[1])} |")
    return "\n".join(parts) + "\n"


# -- output formats ----------------------------------------------------------------------------------------------------

_RECIPE = """\
seed: 1
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {chunk_size: 8, n_action_step: 16}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {repo_id: getiaction/pusht-demo}
trainer: {max_steps: 100}
"""
_LEROBOT = "policy: {type: act}\ndataset: {repo_id: getiaction/pusht-demo}\nsteps: 100\n"


def formats() -> str:
    """The output formats, and the shape of each command's JSON, from its own output."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        (folder / "recipe.yaml").write_text(_RECIPE)
        (folder / "lerobot.yaml").write_text(_LEROBOT)
        report = _json("validate-config", "recipe.yaml")
        shapes = {
            "inspect-dataset DATASET --format json": [_json("inspect-dataset", "getiaction/pusht-demo")],
            "list-policies --format json": [_json("list-policies"), _json("list-policies", "act")],
            "list-policies --for DATASET --format json": [_json("list-policies", "--for", "getiaction/pusht-demo")],
            "migrate FILE --format json": [_json("migrate", "lerobot.yaml", "-o", "migrated.yaml")],
            "runs --format json": [_runs()],
            "evaluate RUN --format json": [_evaluation()],
            "evaluate RUN --env ENV --format json": [_rollouts()],
            "frame-stores --format json": [_stores()],
        }
    return _formats(report, shapes)


def _formats(report: Any, shapes: dict[str, list[Any]]) -> str:
    from getiaction_cli.rendering.json_v1 import ReportV1

    first = next(found for found in report["diagnostics"] if found["fix"])
    example = {**report, "diagnostics": [first], "not_run": []}
    parts = [
        "# Output formats",
        "",
        _HEAD,
        "",
        "| `--format` | of | for |",
        "|---|---|---|",
        "| `text` | all commands | terminals; the default |",
        "| `json` | the commands below | scripts |",
        "| `concise` | `validate-config` | one line per finding: `file:line:column: severity[code] message` |",
        "| `github` | `validate-config` | annotations at the lines of a pull request |",
        "| `sarif` | `validate-config` | SARIF 2.1.0, for code scanning |",
        "",
        "A document goes to stdout; progress and notes go to stderr. Each JSON document begins with `version`. Keys",
        "may be added to a version, none is removed or renamed. A number that is not finite is `null`. Lines and",
        "columns count from 1; the offsets of an edit count characters from 0. `.*` is a key that is data, such as the",
        "name of a feature, and `[]` is each item of a list.",
        "",
        "A report of `validate-config`, shortened to one finding:",
        "",
        "```json",
        json.dumps(example, indent=2, ensure_ascii=False),
        "```",
    ]
    routes = {"validate-config RECIPE… --format json": dict(_declared("", ReportV1))}
    routes |= {command: _shape(documents) for command, documents in shapes.items()}
    for command, found in routes.items():
        parts += ["", f"## {command}", "", "| key | type |", "|---|---|"]
        parts += [f"| `{route}` | {' or '.join(kinds)} |" for route, kinds in found.items()]
    return "\n".join(parts) + "\n"


def _json(*words: str) -> Any:
    command = [sys.executable, "-m", "getiaction_cli.main", *words, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return json.loads(done.stdout)


def _runs() -> Any:
    from getiaction_cli.rendering.runs import document
    from getiaction_cli.runs import read

    run = Path("outputs/act/first")
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text(_RECIPE)
    (run / "run.json").write_text(json.dumps({"started": "2026-01-01T12:00:00"}))
    (run / "metrics.csv").write_text("step,train/loss,val/loss,eval/success_rate\n9,0.5,,\n9,,0.6,\n9,,,0.1\n")
    found = read(run)
    return json.loads(document([found, found], [("seed", [1, 2])]))


def _evaluation() -> Any:
    sys.path.append(str(REPOSITORY / "tests"))
    import made_evaluation

    from getiaction_cli.diagnostics import Report
    from getiaction_cli.rendering import evaluation_json

    return json.loads(evaluation_json.render(made_evaluation.evaluation(), Report("run")))


def _rollouts() -> Any:
    from getiaction.evaluation.rollouts import Report
    from getiaction.lerobot.environments import Episode

    episode = Episode("pusht_0", seed=1000, success=True, sum_reward=1.5, max_reward=1.0, steps=100, video="first.mp4")
    silent = Episode("pusht_0", seed=1001, success=False, sum_reward=0.5, max_reward=0.5, steps=300)
    return {**Report({"type": "pusht"}, (episode, silent), 1.0, step=100).plain(), "folder": "rollouts"}


def _stores() -> Any:
    from getiaction_cli.commands.frame_stores import document
    from getiaction_cli.datasets.frame_stores import Store

    return json.loads(document([Store("name/data", "data", Path("store"), ("camera",), 1, 1, 0.0, False, ("file",))]))


_KINDS: Sequence[tuple[type, str]] = (
    (type(None), "null"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "list"),
    (dict, "object"),
)
_NAMED = re.compile(r"^[a-z_0-9]+$")  # keys that are names of the format; others are data


def _declared(route: str, kind: Any) -> Iterator[tuple[str, list[str]]]:
    """The types at each route of a TypedDict."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if route:
        yield route, [_name(each) for each in kinds]
    for each in kinds:
        if typing.get_origin(each) is list:
            yield from _declared(f"{route}[]", typing.get_args(each)[0])
        elif typing.is_typeddict(each):
            for key, value in typing.get_type_hints(each).items():
                yield from _declared(f"{route}.{key}".lstrip("."), value)


def _name(kind: Any) -> str:
    kind = dict if typing.is_typeddict(kind) else typing.get_origin(kind) or kind
    return next(name for each, name in _KINDS if each is kind)


def _shape(documents: Iterable[Any]) -> dict[str, list[str]]:
    """The types at each route of these documents."""
    found: dict[str, list[str]] = {}

    def walk(route: str, value: Any, add: Callable[[str, str], None]) -> None:
        add(route, next(name for kind, name in _KINDS if isinstance(value, kind)))
        if isinstance(value, list):
            for item in value:
                walk(f"{route}[]", item, add)
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(f"{route}.{key if _NAMED.match(key) else '*'}", item, add)

    def add(route: str, kind: str) -> None:
        kinds = found.setdefault(route, [])
        if kind not in kinds:
            kinds.append(kind)

    for document in documents:
        for key, value in document.items():
            walk(key, value, add)
    return found
