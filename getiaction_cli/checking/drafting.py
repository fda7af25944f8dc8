"""Draft a recipe for a dataset and a policy, and improve it by the fixes of the rules.

There is no second table of what a policy requires of a dataset: a draft is checked like any recipe. If a rule has a
fix, the fix is applied and the rule's reason is written as a comment. The errors that no fix removes are the reasons
why the policy can't train on the dataset.
"""

from __future__ import annotations

import difflib
import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from getiaction_cli import shipped
from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import check, matches
from getiaction_cli.control import clean
from getiaction_cli.diagnostics import Diagnostic, Report, Severity
from getiaction_cli.recipe import Recipe, apply_edits, read
from getiaction_cli.recipe.layout import DATAMODULE, WRAPPER
from getiaction_cli.recipe.writing import write

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.policies import PolicyClass

# A draft that still has errors after this many fixes never gets rid of them.
_MAX_FIXES = 20
# A fix may require another one: pretrained weights have other names for the cameras.
_IN_A_ROW = 2
# Errors of the dataset and of this machine, which no recipe can fix. Those of the machine don't rule out a policy.
_NOT_THE_POLICY = ("GA4", "GA5")
_MACHINE = ("GA5",)
_STEPS = 100_000
# File name of a draft until it is written.
FILE = "recipe.yaml"
_WIDTH = 79
_LONGEST_NAME = 100  # characters of a dataset's name in a file's
_COMMAND = re.compile(rf"^(#     getiaction [\w-]+ ){re.escape(FILE)}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted recipe, and whether it can train.

    Args:
        policy: the policy.
        text: the recipe after the fixes of the rules.
        changes: the findings whose fixes were applied.
        reasons: the errors that no fix removes, the dataset's own last; empty if the policy can train on it.
        machine: errors of this machine (a missing extra or missing weights).
        unreadable: which part of the installed LeRobot could not be read, so that the result is unknown; else empty.
    """

    policy: PolicyClass
    text: str
    changes: tuple[Diagnostic, ...]
    reasons: tuple[Diagnostic, ...]
    machine: tuple[Diagnostic, ...]
    unreadable: str = ""

    @property
    def trainable(self) -> bool:
        """Whether the recipe can train on the dataset, here or on a machine that meets the requirements."""
        return not self.reasons and not self.unreadable


def draft(dataset: Dataset, policy: PolicyClass, shared: SharedInputs) -> Draft:
    """Draft a recipe that trains ``policy`` on ``dataset`` and check it.

    Args:
        dataset: what to train on.
        policy: the policy.
        shared: inputs shared with other recipes, such as datasets read before.
    """
    from getiaction_cli.policies import Unjudgeable

    changes: list[Diagnostic] = []
    try:
        recipe = read(FILE, text=_draft_text(dataset, policy))
    except Unjudgeable as reason:
        return Draft(policy, "", (), (), (), str(reason))
    report = _judge(recipe, shared)
    for _ in range(_MAX_FIXES):
        fixed = _fixed_once(recipe, report, shared, _weight(report), _IN_A_ROW)
        if fixed is None:
            break
        recipe, report, made = fixed
        changes += made
    errors = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is Severity.ERROR]
    reasons = [error for error in errors if not matches(error.code, _MACHINE)]
    return Draft(
        policy,
        recipe.text,
        tuple(changes),
        tuple(sorted(reasons, key=lambda error: matches(error.code, _NOT_THE_POLICY))),
        tuple(error for error in errors if matches(error.code, _MACHINE)),
        next((entry.reason for entry in report.not_run if entry.lerobot), ""),
    )


def drafts(dataset: Dataset, shared: SharedInputs) -> list[Draft]:
    """Draft a recipe for every policy that learns from demonstrations; those that can train come first."""
    from getiaction_cli import policies

    known = [policies.load(name) for name in policies.names()]
    judged = [draft(dataset, policy, shared) for policy in known if policy.trainable]
    return sorted(judged, key=_least_effort)


def _least_effort(draft: Draft) -> tuple[bool, bool, bool, bool, int]:
    """Sort key: policies that can train now, then those that lack a package or a download, then unknown ones."""
    policy = draft.policy
    return not draft.trainable, bool(policy.unreadable), not policy.installed, bool(draft.machine), len(draft.changes)


def _judge(recipe: Recipe, shared: SharedInputs) -> Report:
    context = RecipeContext(recipe, shared)
    try:
        return check(context)
    finally:
        # Frees its arrays, which have a number for each episode, before the garbage collector would.
        vars(context).pop("fit", None)


def _fixed_once(
    recipe: Recipe, report: Report, shared: SharedInputs, weight: tuple[int, int], in_a_row: int
) -> tuple[Recipe, Report, list[Diagnostic]] | None:
    """Apply the first fix, or the shortest sequence of fixes, that leaves fewer findings than ``weight``.

    Returns:
        The new recipe, its report, and the fixed findings; None if no sequence of ``in_a_row`` fixes helps.
    """
    onward: list[tuple[Recipe, Report, Diagnostic]] = []
    for diagnostic in report.diagnostics:
        if diagnostic.fix is None or not diagnostic.fix.edits or matches(diagnostic.code, _NOT_THE_POLICY):
            continue
        text = apply_edits(recipe.text, list(diagnostic.fix.edits))
        after = read(recipe.file, text=_with_reason(recipe.text, text, diagnostic))
        if after.broken:
            continue
        judged = _judge(after, shared)
        if _weight(judged) < weight:
            return after, judged, [diagnostic]
        if diagnostic.code not in {remaining.code for remaining in judged.diagnostics}:
            onward.append((after, judged, diagnostic))
    for after, judged, diagnostic in onward if in_a_row > 1 else ():
        further = _fixed_once(after, judged, shared, weight, in_a_row - 1)
        if further is not None:
            return further[0], further[1], [diagnostic, *further[2]]
    return None


def _weight(report: Report) -> tuple[int, int]:
    """Number of errors and warnings, without those of the dataset and of the machine."""
    found = [diagnostic.severity for diagnostic in report.diagnostics if not matches(diagnostic.code, _NOT_THE_POLICY)]
    return found.count(Severity.ERROR), found.count(Severity.WARNING)


def _with_reason(before: str, after: str, diagnostic: Diagnostic) -> str:
    """The text after a fix, with a comment above the first changed line: the finding without the fix."""
    old, new = before.splitlines(), after.splitlines()
    for kind, _, _, start, end in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind in ("replace", "insert") and start < end:
            indent = new[start][: len(new[start]) - len(new[start].lstrip())]
            reason = f"Without it: {diagnostic.message} ({diagnostic.code})"
            return "\n".join([*new[:start], *_comment(reason, indent), *new[start:], ""])
    return after


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(clean(text), _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


# -- the draft -------------------------------------------------------------------------------------------------------


def _draft_text(dataset: Dataset, policy: PolicyClass) -> str:
    downloads = "; ".join(download.what for download in policy.downloads)
    lines = [
        shipped.schema_line(),
        *_comment(f"{policy.class_name} on {dataset.repo_id}: {_size(dataset)}."),
        *_comment(policy.summary),
        *(_comment(f"Downloads when it starts: {downloads}.") if downloads else []),
        "#",
        f"#     getiaction validate-config {FILE}",
        f"#     getiaction train {FILE}",
        f"#     getiaction list-policies {policy.name}        every parameter",
        "",
        "seed: 42  # two runs with the same seed give the same losses",
        "",
        "model:",
        f"  class_path: {policy.class_path}",
        "  init_args:",
        *_policy_name(policy),
        *_features(dataset, policy),
        *_parameters(policy),
        "",
        "data:",
        f"  class_path: {DATAMODULE}",
        "  init_args:",
        *_named(dataset),
        "    train_batch_size: 8  # as large as the memory of the machine allows",
        *(["    val_split: 0.1  # share of episodes held out to measure the policy"]
          if len(dataset.episodes) >= 20 and len(dataset.tasks) <= 1 else []),
        "    # delta_timestamps follow from the policy's steps and the dataset's fps",
        "",
        "trainer:",
        f"  max_steps: {_STEPS}",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _named(dataset: Dataset) -> list[str]:
    """The lines that name a dataset: its id, its folder, or both. A folder outside of LeRobot's home has no id."""
    in_folder = dataset.place.origin in ("folder", "root")
    has_id = not in_folder or "/" in dataset.repo_id
    return [
        *([f"    repo_id: {write(dataset.repo_id)}"] if has_id else []),
        *([f"    root: {write(str(dataset.root))}"] if in_folder else []),
    ]


def _size(dataset: Dataset) -> str:
    count = len(dataset.episodes)
    rate = f" at {dataset.fps:g} fps" if dataset.fps else ""
    episodes = f"{count:,} {'episode' if count == 1 else 'episodes'}"
    return f"{episodes}, {int(dataset.episodes.length.sum()):,} frames" + rate


def _policy_name(policy: PolicyClass) -> list[str]:
    return [f"    policy_name: {write(policy.name)}"] if policy.class_path == WRAPPER else []


def _features(dataset: Dataset, policy: PolicyClass) -> list[str]:
    """List the cameras and states, so that the user can remove one by deleting its line."""
    from getiaction_cli import policies

    try:
        inputs, _ = policies.to_policy_features({key: feature.raw for key, feature in dataset.features.items()})
    except policies.Rejected:  # reported by the rules about the dataset
        return []
    if not inputs:
        return []
    return [
        "    input_features:  # what it reads; delete a line to leave one out",
        *(f"      - {write(key)}" for key in inputs),
    ]


def _parameters(policy: PolicyClass) -> list[str]:
    """The timing parameters and the learning rate with their defaults, because users often change them."""
    lines: list[str] = []
    indent = "    "
    wrapped = bool(_policy_name(policy))
    for field in policy.fields.values():
        if field.group == "timing" and isinstance(field.default, int) and not isinstance(field.default, bool):
            if not lines and wrapped:
                lines.append("    config_kwargs:")
                indent = "      "
            value = f"{indent}{field.name}: {write(field.default)}"
            lines.append(f"{value}  # {_first_sentence(field.help, _WIDTH - len(value) - 4)}".rstrip(" #"))
    rate: Any = policy.fields["optimizer_lr"].default if "optimizer_lr" in policy.fields else None
    if isinstance(rate, float):
        lines.append(f"    learning_rate: {write(rate)}")
    return lines


def _first_sentence(text: str, room: int) -> str:
    return textwrap.shorten(" ".join(text.split()).split(". ")[0].rstrip("."), max(room, 20), placeholder="…")


def with_name(text: str, file: Path) -> str:
    """Replace the file name in the commands at the head of a draft."""
    name = shlex.quote(str(file))
    return _COMMAND.sub(lambda match: match[1] + name, text) if name.isprintable() else text


def name_of(policy: str, repo_id: str) -> str:
    """The name of a recipe for a policy and a dataset, without suffix: "act_pusht"."""
    return f"{policy}_" + re.sub(r"[^\w.]+", "_", repo_id.rsplit("/", 1)[-1])[:_LONGEST_NAME]


def free_name(policy: str, repo_id: str) -> Path:
    """A file name for a recipe of a policy and a dataset that does not exist in this folder."""
    stem = re.sub(r"[^\w.]+", "_", name_of(policy, repo_id))[: 2 * _LONGEST_NAME]
    names = (Path(f"{stem}{f'_{number}' if number else ''}.yaml") for number in range(1000))
    return next(name for name in names if not name.exists())
