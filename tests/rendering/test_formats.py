"""What programs read: the frozen JSON, SARIF, GitHub's commands and one line a finding."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Assumed, Diagnostic, Edit, Fix, Frame, NotRun, Report, Severity, Span
from getiaction_cli.rendering import concise, github, json_v1, sarif, terminal, text

SPAN = Span(9, 14, 9, 16, 120, 122)
FOUND = Diagnostic(
    code="GA110",
    name="unknown-key",
    severity=Severity.ERROR,
    message="ACT has no key `chunk_sise`",
    file="recipes/a b.yaml",
    path="model.init_args.chunk_sise",
    span=SPAN,
    label="did you mean `chunk_size`?",
    lines=("    chunk_sise: 10",),
    related=(
        Frame("/data/meta/info.json", "10 frames per second", "fps", Span(3, 12, 3, 14, 40, 42), ('    "fps": 10,',)),
    ),
    help="100 % sure",
    fix=Fix("rename it", (Edit(108, 118, "chunk_size"),), safe=True),
)
VAGUE = replace(FOUND, severity=Severity.WARNING, span=None, fix=None, related=())
IN_DATASET = replace(VAGUE, file="/data/meta/info.json", assuming=(Assumed("model.init_args.horizon", "16"),))
REPORT = Report("recipes/a b.yaml", (FOUND, VAGUE), (NotRun("GA301", "the dataset could not be found"),))

PLACE = {name: {"type": ["integer", "null"], "minimum": 1} for name in ("line", "column", "end_line", "end_column")}


def closed(properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


STRING = {"type": "string"}
SCHEMA = closed(
    {
        "version": {"const": 1},
        "verdict": {"enum": ["ok", "error"]},
        "diagnostics": {
            "type": "array",
            "items": closed(
                {
                    "code": {"type": "string", "pattern": r"^GA\d{3}$"},
                    "name": STRING,
                    "severity": {"enum": ["error", "warning", "info"]},
                    "message": STRING,
                    "file": STRING,
                    "path": STRING,
                    **PLACE,
                    "related": {
                        "type": "array",
                        "items": closed({"file": STRING, "path": STRING, "message": STRING, **PLACE}),
                    },
                    "help": STRING,
                    "fix": {
                        "anyOf": [
                            {"type": "null"},
                            closed(
                                {
                                    "title": STRING,
                                    "safe": {"type": "boolean"},
                                    "file": STRING,
                                    "edits": {
                                        "type": "array",
                                        "items": closed(
                                            {"start": {"type": "integer"}, "end": {"type": "integer"}, "text": STRING}
                                        ),
                                    },
                                }
                            ),
                        ]
                    },
                    "recipe": STRING,
                    "assuming": {"type": "array", "items": closed({"path": STRING, "value": STRING})},
                }
            ),
        },
        "not_run": {"type": "array", "items": closed({"rule": STRING, "reason": STRING, "recipe": STRING})},
        "summary": closed({name: {"type": "integer"} for name in ("errors", "warnings", "infos")}),
    }
)


def test_json_keeps_its_shape() -> None:
    document = json.loads(json_v1.render([REPORT, replace(REPORT, subject="b.yaml")]))
    jsonschema.validate(document, SCHEMA)
    assert document["verdict"] == "error" and document["summary"] == {"errors": 2, "warnings": 2, "infos": 0}
    assert [(entry["rule"], entry["recipe"]) for entry in document["not_run"]] == [
        ("GA301", "recipes/a b.yaml"),
        ("GA301", "b.yaml"),
    ]
    assert document["diagnostics"][0]["fix"]["edits"] == [{"start": 108, "end": 118, "text": "chunk_size"}]
    assert document["diagnostics"][0]["help"].startswith("did you mean `chunk_size`?")
    empty = json.loads(json_v1.render([Report("a")]))
    jsonschema.validate(empty, SCHEMA)
    assert empty["verdict"] == "ok"


def test_json_names_the_recipe_of_a_finding_about_a_dataset() -> None:
    document = json.loads(json_v1.render([REPORT, Report("b.yaml", (IN_DATASET,))]))
    jsonschema.validate(document, SCHEMA)
    assert [entry["recipe"] for entry in document["diagnostics"]] == ["recipes/a b.yaml"] * 2 + ["b.yaml"]
    assert document["diagnostics"][-1]["assuming"] == [{"path": "model.init_args.horizon", "value": "16"}]


def test_sarif_brings_the_pages() -> None:
    document = json.loads(sarif.render([REPORT], load_rules(), "0.1.0"))
    run = document["runs"][0]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["GA110"]
    assert "## Example" in run["tool"]["driver"]["rules"][0]["help"]["markdown"]
    first = run["results"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "recipes/a%20b.yaml"
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 9
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]["charLength"] == 10
    assert run["invocations"][0]["toolExecutionNotifications"][0]["associatedRule"]["id"] == "GA301"


def test_github_escapes() -> None:
    first, second = github.render([REPORT]).splitlines()
    assert first.startswith(
        "::error file=recipes/a b.yaml,line=9,title=GA110 unknown-key,endLine=9,col=14,endColumn=16::"
    )
    assert "%0A100 %25 sure%0Arename it" in first
    assert second.startswith("::warning file=recipes/a b.yaml,line=1,")


def test_concise_is_one_line_each() -> None:
    lines = concise.render([REPORT]).splitlines()
    assert (
        lines[0]
        == "recipes/a b.yaml:9:14: error[GA110] ACT has no key `chunk_sise` (did you mean `chunk_size`?) [fixable]"
    )
    assert lines[1].startswith("recipes/a b.yaml: warning[GA110] ACT has no key `chunk_sise`")


def test_nothing_of_a_recipe_steers_the_terminal() -> None:
    evil = replace(
        FOUND, message="\x1b[31mred\r\n\x07", file="\x1b]0;title\x07", label="\x9b", lines=("a\x1b[2J: \t\x08",)
    )
    for shown in (terminal.render([Report("r", (evil,))]), concise.render([Report("r", (evil,))])):
        assert not set(shown) & {"\x1b", "\x07", "\x08", "\x9b", "\r"}


@pytest.mark.parametrize("columns", [40, 60, 100, 300])
@pytest.mark.parametrize("line", ["k: " + "x" * 500, "機械" * 100 + ": 1", "\t\tkey: value", "é" * 3 + "\u0301: 1"])
def test_frames_fit_the_terminal_and_carets_the_text(line: str, columns: int) -> None:
    for start in range(0, min(len(line), 300), 7):
        span = Span(9, start + 1, 9, start + 4, 0, 3)
        shown = terminal.render(
            [Report("r", (replace(FOUND, span=span, lines=(line,), related=(), label=""),))], columns=columns
        )
        source, carets = (row.partition("| ")[2] for row in shown.splitlines()[3:5])
        assert text.width(source) <= columns
        assert carets.strip("^ ") == "" and "^" in carets
        assert text.width(carets) <= text.width(source) + 1


def test_colours_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in terminal.render([REPORT]) and "\x1b[1;31merror[GA110]" in terminal.render([REPORT], color=True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert text.wants_color()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not text.wants_color()


def test_the_closing_line_counts() -> None:
    assert terminal.render([REPORT]).splitlines()[-1] == "1 error, 1 warning (1 fixable with --fix)"
    assert terminal.render([Report("a", suppressed=2)]).splitlines()[-1] == "nothing wrong, 2 ignored"
    assert terminal.render([REPORT, Report("b")]).splitlines()[-1].endswith("in 2 recipes, 1 of them wrong")
    assert "not run: GA301, because the dataset could not be found" in terminal.render([REPORT])


def test_a_dataset_line_is_shown_as_the_other_half() -> None:
    shown = terminal.render([REPORT])
    assert "::: /data/meta/info.json:3:12" in shown and "-- 10 frames per second" in shown


def test_cases_are_json_too(tmp_path: Path) -> None:
    from getiaction_cli.checking.recipe_context import SharedInputs, verdict
    from getiaction_cli.recipe import read

    for file in sorted((Path(__file__).parents[1] / "cases" / "err").glob("*.yaml")):
        report = verdict(read(file), SharedInputs(offline=True), select=("GA1",))
        jsonschema.validate(json.loads(json_v1.render([report])), SCHEMA)
        sarif.render([report], load_rules(), "0")


def test_a_help_in_lines_stays_in_lines() -> None:
    shown = terminal.render([replace(REPORT, diagnostics=(replace(FOUND, help="data:\n  class_path: x"),))])
    assert "  = help: data:\n            class_path: x\n" in shown
