"""The seed that is drawn for a recipe without one is written into its text."""

import pytest
import yaml

from getiaction.spec.seed import with_seed

SECTIONS = "model: {a: 1}  # kept\ntrainer: {max_steps: 2}\n"


@pytest.mark.parametrize(
    "text",
    [
        SECTIONS,
        f"---\n{SECTIONS}",
        f"# a comment\n\n--- # the recipe\n{SECTIONS}",
        f"%YAML 1.1\n---\n{SECTIONS}",
        f"seed: null\n{SECTIONS}",
        f"{SECTIONS}seed:   # drawn\n",
        f'"seed": ~\n{SECTIONS}',
        '{"seed": null, "model": {"a": 1}}',
        "{model: {a: 1}}",
        "model:\n  seed: null\n",
        "",
    ],
)
def test_the_seed_is_written_whatever_the_form_of_the_recipe(text: str) -> None:
    written = with_seed(text, 7)
    assert yaml.safe_load(written) == {**(yaml.safe_load(text) or {}), "seed": 7}
    assert ("# kept" in written) == ("# kept" in text)
    assert written.count("drawn for this run") == (0 if text.startswith("{") else 1)
