"""A recipe for a dataset and a policy: drafted from what they ask for, then fixed by the rules' own fixes.

There is no second table of what a policy needs of a dataset: a draft is judged as any recipe is, and where a rule
has a fix, the fix is made and the rule's reason is written beside it. What no fix can fix is why the policy does not
suit the dataset.
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

# A draft that more fixes than this have not fixed goes round in circles.
_MAX_FIXES = 20
# A fix may ask for another: weights to start from know the cameras by other names.
_IN_A_ROW = 2
# What no recipe can fix: the dataset's own faults, and this machine's. The latter does not count against a policy.
_NOT_THE_POLICY = ("GA4", "GA5")
_MACHINE = ("GA5",)
_STEPS = 100_000
# What a draft calls itself until it is written.
FILE = "recipe.yaml"
_WIDTH = 79
_LONGEST_NAME = 100  # characters of a dataset's name in a file's
_COMMAND = re.compile(rf"^(#     getiaction [\w-]+ ){re.escape(FILE)}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suit:
    """How a policy suits a dataset.

    Args:
        policy: the policy.
        text: the drafted recipe, fixed as far as the rules can.
        changes: what had to be set for this dataset, each with the finding that asked for it.
        reasons: the errors that no fix fixes, the dataset's own last; empty when the policy can train on it.
        machine: errors of this machine alone (an extra or weights that are missing here).
        unreadable: what of the installed LeRobot could not be read, so that this is not known; empty for nothing.
    """

    policy: PolicyClass
    text: str
    changes: tuple[Diagnostic, ...]
    reasons: tuple[Diagnostic, ...]
    machine: tuple[Diagnostic, ...]
    unreadable: str = ""

    @property
    def trainable(self) -> bool:
        """True when the drafted recipe can train on the dataset, here or on a machine that has what is missing."""
        return not self.reasons and not self.unreadable


def suit(dataset: Dataset, policy: PolicyClass, shared: SharedInputs) -> Suit:
    """Draft a recipe that trains ``policy`` on ``dataset`` and judge it.

    Args:
        dataset: what to train on.
        policy: the policy.
        shared: where datasets already read are found.
    """
    from getiaction_cli.policies import Unjudgeable

    changes: list[Diagnostic] = []
    try:
        recipe = read(FILE, text=_draft(dataset, policy))
    except Unjudgeable as reason:
        return Suit(policy, "", (), (), (), str(reason))
    report = _judge(recipe, shared)
    for _ in range(_MAX_FIXES):
        mended = _mended(recipe, report, shared, _weight(report), _IN_A_ROW)
        if mended is None:
            break
        recipe, report, made = mended
        changes += made
    errors = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is Severity.ERROR]
    reasons = [error for error in errors if not matches(error.code, _MACHINE)]
    return Suit(
        policy,
        recipe.text,
        tuple(changes),
        tuple(sorted(reasons, key=lambda error: matches(error.code, _NOT_THE_POLICY))),
        tuple(error for error in errors if matches(error.code, _MACHINE)),
        next((entry.reason for entry in report.not_run if entry.lerobot), ""),
    )


def suits(dataset: Dataset, shared: SharedInputs) -> list[Suit]:
    """Every policy that learns from demonstrations, judged on a dataset: those that can train first."""
    from getiaction_cli import policies

    known = [policies.load(name) for name in policies.names()]
    judged = [suit(dataset, policy, shared) for policy in known if policy.trainable]
    return sorted(judged, key=_least_effort)


def _least_effort(suit: Suit) -> tuple[bool, bool, bool, bool, int]:
    """What trains here and now comes first, then what lacks a package or a download, then what can't be judged."""
    policy = suit.policy
    return not suit.trainable, bool(policy.unreadable), not policy.installed, bool(suit.machine), len(suit.changes)


def _judge(recipe: Recipe, shared: SharedInputs) -> Report:
    context = RecipeContext(recipe, shared)
    try:
        return check(context)
    finally:
        # Its arrays have a number for each episode, and would wait for the garbage collector.
        vars(context).pop("fit", None)


def _mended(
    recipe: Recipe, report: Report, shared: SharedInputs, weight: tuple[int, int], in_a_row: int
) -> tuple[Recipe, Report, list[Diagnostic]] | None:
    """The first fix, or the shortest row of them, that leaves less to say than ``weight``.

    Returns:
        The recipe with it, its report, and what was fixed; None when no row of ``in_a_row`` fixes does.
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
        if diagnostic.code not in {said.code for said in judged.diagnostics}:
            onward.append((after, judged, diagnostic))
    for after, judged, diagnostic in onward if in_a_row > 1 else ():
        further = _mended(after, judged, shared, weight, in_a_row - 1)
        if further is not None:
            return further[0], further[1], [diagnostic, *further[2]]
    return None


def _weight(report: Report) -> tuple[int, int]:
    """Errors and warnings, those of the machine left out: weights that are unavailable here are as good as none."""
    said = [diagnostic.severity for diagnostic in report.diagnostics if not matches(diagnostic.code, _NOT_THE_POLICY)]
    return said.count(Severity.ERROR), said.count(Severity.WARNING)


def _with_reason(before: str, after: str, diagnostic: Diagnostic) -> str:
    """The text after a fix, with what it would be without it above the first line that it changed."""
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


def _draft(dataset: Dataset, policy: PolicyClass) -> str:
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
    """The id of a dataset, its folder, or both: a folder outside of LeRobot's home has no id."""
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
    """The cameras and states by name, so that one can be taken out by deleting its line."""
    from getiaction_cli import policies

    try:
        inputs, _ = policies.to_policy_features({key: feature.raw for key, feature in dataset.features.items()})
    except policies.Rejected:  # the dataset's own rules say why
        return []
    if not inputs:
        return []
    return [
        "    input_features:  # what it reads; delete a line to leave one out",
        *(f"      - {write(key)}" for key in inputs),
    ]


def _parameters(policy: PolicyClass) -> list[str]:
    """The parameters of the timing and the learning rate at their defaults: what a user will want to change."""
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
    """The text with a recipe's file name in the commands at its head."""
    name = shlex.quote(str(file))
    return _COMMAND.sub(lambda match: match[1] + name, text) if name.isprintable() else text


def name_of(policy: str, repo_id: str) -> str:
    """What a recipe for a policy and a dataset is called, without a suffix: "act_pusht"."""
    return f"{policy}_" + re.sub(r"[^\w.]+", "_", repo_id.rsplit("/", 1)[-1])[:_LONGEST_NAME]


def free_name(policy: str, repo_id: str) -> Path:
    """A file name for a recipe of a policy and a dataset that is not taken in this folder."""
    stem = re.sub(r"[^\w.]+", "_", name_of(policy, repo_id))[: 2 * _LONGEST_NAME]
    names = (Path(f"{stem}{f'_{number}' if number else ''}.yaml") for number in range(1000))
    return next(name for name in names if not name.exists())
