"""Reading: values, places, and going on after a mistake."""

import tracemalloc
from pathlib import Path

import pytest
import yaml
from cpu_time import timed
from hypothesis import given, settings
from hypothesis import strategies as st

from getiaction_cli.errors import RecipeNotFound
from getiaction_cli.recipe import Recipe, read

RECIPE = """# what it is
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: &args
    chunk_size: 10   # frames
    learning_rate: 1e-5
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      action: [0.0, 0.1, ..., 0.9]
      observation.images.top:
        - 0
        - 1
trainer: {max_steps: 10, callbacks: [{class_path: a.B}]}
"""


def codes(recipe: Recipe) -> list[str]:
    return [code for code, _ in recipe.findings]


def at(recipe: Recipe, route: str, on: str = "value") -> str:
    span = recipe.span(route, on)
    assert span is not None
    return recipe.text[span.start : span.end]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        ("1.5e3", 1500.0),
        ("+.5", 0.5),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("0", 0),
        ("-0.0", -0.0),
        (".inf", float("inf")),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("no", False),
        ("On", True),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("'10'", "10"),
        ("!!str 10", "10"),
        ("!!float 3", 3.0),
        ("16-mixed", "16-mixed"),
        ("...x", "...x"),
        ("1e", "1e"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_word_is_read_as_what_it_plainly_is(word: str, value: object) -> None:
    read_value = read(text=f"seed: {word}\n").get("seed")
    assert read_value == value and type(read_value) is type(value)


def test_values_and_places() -> None:
    recipe = read(text=RECIPE)
    assert recipe.findings == ()
    assert recipe.policy_name == "act"
    assert recipe.params() == {"chunk_size": 10}
    assert recipe.repo_id == "lerobot/pusht"
    assert at(recipe, "model.init_args.chunk_size") == "10"
    assert at(recipe, "model.init_args.chunk_size", "key") == "chunk_size"
    assert at(recipe, "data.init_args.delta_timestamps.observation.images.top.1") == "1"
    assert at(recipe, "trainer.callbacks.0.class_path") == "a.B"
    assert at(recipe, "model.init_args.absent") == "init_args"
    assert recipe.data("delta_timestamps")["action"] == [round(0.1 * i, 9) for i in range(10)]
    assert recipe.param_route("dim_model") == "model.init_args.dim_model"


@pytest.mark.parametrize("name", ["vqbet", "pi0_fast", "multi_task_dit", "wall_x", "lingbot_va"])
def test_the_policy_of_a_class_is_found_without_a_table(name: str) -> None:
    from getiaction_cli import policies

    class_path = f"getiaction.policies.lerobot.{policies.load(name).class_name}"
    assert read(text=f"model:\n  class_path: {class_path}\n").policy_name == name


def test_overrides_have_their_own_place() -> None:
    overrides = [
        ("model.dim_model", "256"),
        ("trainer.max_steps", "5"),
        ("data.delta_timestamps.observation.state", "[0]"),
    ]
    recipe = read(text=RECIPE, overrides=overrides)
    assert recipe.get("model.init_args.dim_model") == 256
    assert recipe.get("data.init_args.delta_timestamps")["observation.state"] == [0]
    place = recipe.place("trainer.max_steps")
    assert place and (place.file, place.lines) == ("<command line>", ("--trainer.max_steps 5",))
    wrapped = "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n  init_args: {policy_name: act}\n"
    recipe = read(text=wrapped, overrides=[("model.chunk_size", "5"), ("model.learning_rate", "1e-4")])
    assert recipe.get("model.init_args") == {
        "policy_name": "act",
        "config_kwargs": {"chunk_size": 5},
        "learning_rate": 1e-4,
    }
    assert codes(read(text=RECIPE, overrides=[("trainer.max_steps", "[")])) == ["GA101"]


@pytest.mark.parametrize(
    ("text", "line", "broken"),
    [
        ("model:\n  a: b: c\ndata:\n  x: 1\n", 2, {"model"}),
        ("model:\n  a: [1, 2\ndata:\n  x: 1\n", 2, {"model"}),
        ("model:\n\ta: 1\ndata:\n  x: 1\n", 2, {"model"}),
        ("model:\n  a: 'b\ndata:\n  x: 1\n", 2, {"model"}),
        ("model:\n  a: @b\ndata:\n  x: 1\n", 2, {"model"}),
        ("model:\n  a: *b\ndata:\n  x: 1\n", 2, {"model"}),
        ("data:\n  x: 1\nmodel:\n  a: 1\n   b: 2\n", 5, {"model"}),
    ],
)
def test_one_slip_does_not_hide_the_rest(text: str, line: int, broken: set[str]) -> None:
    recipe = read(text=text)
    assert [(code, f.span and f.span.line) for code, f in recipe.findings] == [("GA101", line)]
    assert recipe.broken == broken
    assert recipe.get("data.x") == 1


def test_several_slips_are_all_told_one_a_section() -> None:
    text = "model:\n  x: [1\n  y: 2\ndata:\n  - a\n  b: 1\ntrainer:\n  z: 'q\n"
    assert [f.span and f.span.line for _, f in read(text=text).findings] == [2, 6, 8]


def test_duplicates_documents_tags_and_odd_files(tmp_path: Path) -> None:
    assert codes(read(text="seed: 1\nseed: 2\n")) == ["GA102"]
    assert codes(read(text="seed: 1\n---\nseed: 2\n")) == ["GA103"]
    tagged = read(text="seed: !!python/object/apply:os.system ['true']\n")
    assert codes(tagged) == ["GA104"] and tagged.get("seed") == ["true"]
    for content in (b"", b"# nothing\n", b"- a\n", b"word", b"\xff\xfea\x00", b"a: \xe9\n", b"x" * 2_000_000):
        file = tmp_path / "r.yaml"
        file.write_bytes(content)
        assert codes(read(file)) == ["GA103"], content[:10]
    file.write_bytes(b"\xef\xbb\xbfseed: 1\r\nmodel:\r\n  a: 2\r\n")
    recipe = read(file)
    assert recipe.get("model.a") == 2 and recipe.span("model.a").line == 3  # type: ignore[union-attr]


def test_what_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "act.yaml").write_text("")
    with pytest.raises(RecipeNotFound) as missing:
        read(tmp_path / "atc.yaml")
    assert "act.yaml" in missing.value.hint
    with pytest.raises(RecipeNotFound):
        read(tmp_path)
    with pytest.raises(RecipeNotFound):
        read("a\0b")


def test_aliases_and_merges() -> None:
    recipe = read(text="shared: &b {x: 1, y: 2}\nmodel:\n  <<: *b\n  y: 3\ndata: *b\n")
    assert recipe.plain() == {"shared": {"x": 1, "y": 2}, "model": {"y": 3, "x": 1}, "data": {"x": 1, "y": 2}}
    assert at(recipe, "data") == "*b"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 3000))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        CHAIN,
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "a: &a [*a]",
        "x: [" + "1," * 400_000 + "]",
        "? " * 9999,
    ],
    ids=["laughs", "chain", "brackets", "braces", "dashes", "itself", "long", "keys"],
)
def test_hostile_texts_are_bounded(text: str) -> None:
    recipe, seconds = timed(lambda: read(text=text))
    assert recipe.findings
    assert seconds < 1
    tracemalloc.start()
    read(text=text).plain()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@`#,? \n\t0.e…é🤖\r\0"), max_size=60))
def test_any_text_is_read(text: str) -> None:
    recipe = read(text=text)
    recipe.plain()
    for _, finding in recipe.findings:
        if finding.span:
            assert 0 <= finding.span.start <= finding.span.end <= max(len(text), finding.span.start + 1)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=80))
def test_any_bytes_are_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(data)
    read(file).plain()


@given(st.integers(0, len(RECIPE)))
def test_a_truncated_recipe_is_read(length: int) -> None:
    read(text=RECIPE[:length]).plain()


leaf = (
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.floats(allow_nan=False, width=16)
    | st.text("ab é🤖#:-'\"\\", max_size=6)
)
tree = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc. ", max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(["model", "data", "é"]), tree, min_size=1), st.booleans())
def test_what_pyyaml_writes_is_read_back_with_right_places(value: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    recipe = read(text=text)
    assert recipe.plain() == value
    for route, node in recipe.walk():
        if route and node.value is not None and not node.quoted and not node.items and not node.pairs:
            assert (
                recipe.text[node.start : node.end] in (node.raw, "[]", "{}")
                or "\n" in recipe.text[node.start : node.end]
            )


def test_ignore_comments() -> None:
    head = "# getiaction: ignore[GA5]\n"
    text = head + "model:\n  # getiaction: ignore[GA301, GA2]\n  a: 1\n  b: 2 # getiaction: ignore[GA1]\n"
    recipe = read(text=text)
    assert recipe.ignores("GA501", 4) and recipe.ignores("GA301", 4) and recipe.ignores("GA211", 4)
    assert recipe.ignores("GA110", 5) and not recipe.ignores("GA110", 4) and not recipe.ignores("GA301", 5)


def test_numbers_stay_numbers_as_keys() -> None:
    recipe = read("recipe.yaml", text="a: {0: 2, '1': 3, b: [{2: x}]}")
    assert recipe.plain() == {"a": {0: 2, "1": 3, "b": [{2: "x"}]}}
    assert recipe.get("a.0") == 2
