"""Edits: what is meant happens, and everything else stays as it was."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from getiaction_cli.diagnostics import Change
from getiaction_cli.recipe import apply_edits, edits_for, read
from getiaction_cli.recipe.edits import _same
from getiaction_cli.recipe.writing import write

RECIPE = """# hello
model:
  class_path: getiaction.policies.lerobot.ACT   # act
  init_args:
    chunk_size: 10   # c
    # above
    learning_rate: 1e-5
    config_kwargs:
data:
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      action: [0.0, 0.1, ..., 1.5] # 16
      observation.images.top:
        - 0   # first
        - 1
trainer: {max_steps: 10, x: 2,
   callbacks: [{class_path: a.b}]}   # tr
"""


def changed(text: str, **how: object) -> tuple[set[str], set[str]]:
    """The lines that went and those that came."""
    edits = edits_for(read("r", text=text), Change("", **how))  # type: ignore[arg-type]
    before, after = text.splitlines(), apply_edits(text, edits).splitlines()
    return set(before) - set(after), set(after) - set(before)


@pytest.mark.parametrize(
    ("how", "gone", "new"),
    [
        ({"set": (("model.init_args.chunk_size", 20),)}, {"    chunk_size: 10   # c"}, {"    chunk_size: 20   # c"}),
        ({"set": (("model.init_args.config_kwargs.horizon", 4),)}, set(), {"      horizon: 4"}),
        ({"set": (("model.init_args.dim_model", 4),)}, set(), {"    dim_model: 4"}),
        ({"set": (("data.class_path", "a.B"),)}, set(), {"  class_path: a.B"}),
        ({"set": (("seed", 1),)}, set(), {"seed: 1"}),
        (
            {"set": (("data.init_args.delta_timestamps.observation.state", [0.0]),)},
            set(),
            {"      observation.state: [0.0]"},
        ),
        (
            {"set": (("data.init_args.delta_timestamps.observation.images.top", [0, 2, 3]),)},
            {"        - 1"},
            {"        - 2", "        - 3"},
        ),
        (
            {"rename": (("model.init_args.learning_rate", "lr"),)},
            {"    learning_rate: 1e-5"},
            {"    lr: 1e-5"},
        ),
        (
            {"remove": ("trainer.x",)},
            {"trainer: {max_steps: 10, x: 2,", "   callbacks: [{class_path: a.b}]}   # tr"},
            {"trainer: {max_steps: 10, callbacks: [{class_path: a.b}]}   # tr"},
        ),
        (
            {"set": (("trainer.callbacks.0.init_args.every", 3),)},
            {"   callbacks: [{class_path: a.b}]}   # tr"},
            {"   callbacks: [{class_path: a.b, init_args: {every: 3}}]}   # tr"},
        ),
    ],
)
def test_only_what_is_meant_changes(how: dict[str, object], gone: set[str], new: set[str]) -> None:
    assert changed(RECIPE, **how) == (gone, new)


def test_an_emptied_section_goes_with_its_last_key() -> None:
    text = "a: 1\nb:\n  c:\n    d: 2\n"
    edits = edits_for(read("r", text=text), Change("", remove=("b.c.d",)))
    assert apply_edits(text, edits) == "a: 1\n"


def test_what_can_not_be_edited_is_not() -> None:
    aliased = read("r", text="a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n")
    assert edits_for(aliased, Change("", set=(("b.k", 2),))) == ()
    assert edits_for(aliased, Change("", remove=("c.k",))) == ()
    merged = edits_for(aliased, Change("", set=(("c.k", 2),)))
    assert apply_edits(aliased.text, merged).endswith("c:\n  <<: *x\n  k: 2\n") or merged == ()
    overridden = read("r", text="trainer:\n  max_steps: 1\n", overrides=[("trainer.max_steps", "ten")])
    assert edits_for(overridden, Change("", set=(("trainer.max_steps", 10),))) == ()


def test_line_ends_are_kept() -> None:
    text = "a:\r\n  b: 1\r\n"
    edits = edits_for(read("r", text=text), Change("", set=(("a.c", 2),)))
    assert apply_edits(text, edits) == "a:\r\n  b: 1\r\n  c: 2\r\n"


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8).filter(str.isprintable),
    st.lists(st.integers(0, 9) | st.floats(0, 1), max_size=4),
)  # fmt: skip
ROUTES = [route for route, _ in read("r", text=RECIPE).walk() if route]
NEW = ["seed", "model.new", "model.init_args.new", "trainer.new.deep", "data.init_args.delta_timestamps.a.b", "x.y.z"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(ROUTES + NEW), values)
def test_a_value_set_is_read_back_and_comments_survive(route: str, value: object) -> None:
    recipe = read("r", text=RECIPE)
    edits = edits_for(recipe, Change("", set=((route, value),)))
    if not edits:
        return
    text = apply_edits(RECIPE, edits)
    after = read("r", text=text)
    assert not after.findings and _same(after.get(route), value)
    inside = recipe.span(route) if recipe.has(route) else None
    kept = RECIPE if inside is None else RECIPE[: inside.start] + RECIPE[inside.end :]
    for comment in re.findall(r"# .*", kept):
        assert comment in text


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(ROUTES))
def test_a_key_removed_is_gone_and_the_rest_stays(route: str) -> None:
    recipe = read("r", text=RECIPE)
    edits = edits_for(recipe, Change("", remove=(route,)))
    if edits:
        after = read("r", text=apply_edits(RECIPE, edits))
        assert not after.findings
        others = [
            r for r in ROUTES if not r.startswith(route) and not route.startswith(r) and ".0" not in r and ".1" not in r
        ]
        assert all(after.get(other) == recipe.get(other) for other in others)


@given(values)
def test_what_is_written_every_yaml_reader_reads(value: object) -> None:
    import yaml

    assert _same(yaml.safe_load(write(value)), value)
    assert _same(read("r", text=f"a: {write(value)}").get("a"), value)


def test_a_key_can_t_join_brackets_that_hold_another_section_alone() -> None:
    recipe = read(text="data: &a {x: 1}\nmodel: {<<: *a}\n")
    assert edits_for(recipe, Change("set it", set=(("model.y", 2),))) == ()
