"""A value of the wrong type.

## What it finds

Text where a number is wanted, a number where a list is wanted, a list of the wrong length, `1e5` where a whole number
is wanted, and so on: every value is compared with the type that LeRobot, Lightning or getiaction declares for it.

## Why it matters

It fails when the policy, the data module or the trainer is built, with a message that names neither the key nor the
line; or it does not fail, and has another meaning.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: ten
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.type_errors import STRICT, Mistake, mistaken, variables
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import IMAGE_TRANSFORMS
from getiaction_cli.recipe.nodes import Kind, Node
from getiaction_cli.recipe.scalars import Note, plain
from getiaction_cli.recipe.types import Type
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules import rule

# Other rules check these routes.
_TOLD_ELSEWHERE = {
    "data.init_args.repo_id": (list, str),
    **dict.fromkeys(("model", "data", "model.class_path", "data.class_path", IMAGE_TRANSFORMS), (str,)),
}

# What Lightning only compares with a count; the others must be whole numbers to the letter. A benchmark holds these
# and STRICT against training.
_COUNTS = frozenset(
    f"trainer.{name}"
    for name in (
        "max_steps",
        "min_steps",
        "min_epochs",
        "accumulate_grad_batches",
        "log_every_n_steps",
        "num_sanity_val_steps",
    )
)
_READ_FROM_TEXT: dict[str, Any] = {"seed": int, "model.init_args.learning_rate": int | float}


@rule("GA120", in_itself=True, help="write a value of this type")
def wrong_type(recipe: Recipe) -> Iterator[Finding]:
    """Report values with a type that their key does not accept."""
    for route, mistake in mistaken(recipe).items():
        value = mistake.node.plain()
        if value is None or (mistake.key.type.choices and isinstance(value, str)):
            continue
        if route in variables(recipe) or isinstance(value, _TOLD_ELSEWHERE.get(route, ())):
            continue
        if mistake.node.note is Note.WORD_BOOLEAN and not mistake.key.wrong(mistake.node.raw):
            continue
        glued = isinstance(value, str) and not mistake.node.quoted and "#" in value
        yield Finding(
            f"`{mistake.name}` takes {mistake.expected}, not {_shown(mistake.node, value)}",
            at=route,
            help="a comment begins with a blank before its `#`" if glued else "",
            fix=_fix(route, mistake, value),
            severity=Severity.WARNING if _is_accepted(route, mistake, value) else None,
        )


def _is_accepted(route: str, mistake: Mistake, value: Any) -> bool:
    """True if the value works despite its type: 4.0 steps, 1 for true."""
    kind = mistake.key.type
    if {option.kind for option in kind.options or (kind,)} <= {"bool", "none", "literal"}:
        lightning = route.startswith("trainer.") or route == "data.init_args.use_imagenet_stats"
        as_number = isinstance(value, int | float) and value in (0, 1)
        return lightning and route not in STRICT and (as_number or str(value).lower() in ("true", "yes", "on"))
    if route in _READ_FROM_TEXT:
        return isinstance(value, str) and isinstance(plain(value.strip())[0], _READ_FROM_TEXT[route])
    return route in _COUNTS and isinstance(value, float) and value.is_integer()


def _shown(node: Node, value: Any) -> str:
    if node.kind is Kind.MAP:
        return "a section"
    if node.kind is Kind.LIST:
        short = len(node.items) <= 6 and all(item.kind is Kind.SCALAR for item in node.items)
        return write(value) if short else "a list"
    if isinstance(value, str) and node.quoted:
        return f'the text "{value[:60]}"'
    return f"`{node.raw[:60]}`"


def _fix(route: str, mistake: Mistake, value: Any) -> Change | None:
    """Return a fix that converts the value to the right type; safe if the conversion is unambiguous."""
    for candidate, safe in _candidates(mistake.node, value):
        kind = mistake.key.type
        free = _is_free_text(kind) and not route.endswith("class_path")
        if isinstance(candidate, str) and candidate not in kind.choices and not free:
            continue  # a quoted number is neither a name nor a class
        if isinstance(candidate, list) and _other_items(candidate, mistake.key.default):
            continue
        if mistake.key.wrong(candidate) is None:
            return Change(f"write it as {write(candidate)}", set=((route, candidate),), safe=safe)
    return None


def _other_items(items: list[Any], default: Any) -> bool:
    """True for text if the default contains numbers: LeRobot's types don't always give the items of a tuple."""
    numbers = isinstance(default, list | tuple) and all(isinstance(item, int | float) for item in default)
    return bool(numbers and default) and any(isinstance(item, str) for item in items)


def _is_free_text(kind: Type) -> bool:
    return all(option.kind in ("str", "none", "any") for option in kind.options or (kind,))


def _candidates(node: Node, value: Any) -> Iterator[tuple[Any, bool]]:
    if isinstance(value, str):
        if value.strip():
            yield plain(value.strip())[0], True
        if value.strip().lower() in ("true", "false"):
            yield value.strip().lower() == "true", True
        if value.strip().lower() == "none":
            yield None, True
        if "," in value:
            yield [plain(part.strip())[0] for part in value.strip("()[] ").split(",")], True
        if re.fullmatch(r"\d+ ?[x×] ?\d+", value):
            yield [int(part) for part in re.findall(r"\d+", value)], False
        if per_cent := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value):
            yield float(per_cent[1]) / 100, False
    if isinstance(value, float) and value.is_integer():
        yield int(value), True
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield node.raw or str(value), True
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield [plain(item)[0] for item in value], True
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        yield [int(item) if float(item).is_integer() else item for item in value], True
    if isinstance(value, list) and len(value) == 1:
        yield value[0], False
    if not isinstance(value, list | dict):
        yield [value], False
