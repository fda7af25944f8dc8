"""The output of `list-policies`: all policies, one policy with its parameters, or the policies for a dataset."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from getiaction.spec import facts
from getiaction_cli.diagnostics import Unavailable
from getiaction_cli.policies import Field, PolicyClass, PolicyConfig, Rejected, Unjudgeable, plain, to_policy_features
from getiaction_cli.policies.size import parameters, training_bytes
from getiaction_cli.policies.source_docs import GROUP_ORDER
from getiaction_cli.rendering.json_text import json_text
from getiaction_cli.rendering.text import Paint, clean, cut, wrap
from getiaction_cli.units import size

_NAME = 16
_TYPE = 34
_MAX_STEPS = 6


def render_all(policies: Sequence[PolicyClass], cached: Mapping[str, bool | None], *, columns: int, color: bool) -> str:
    """Return a table of the policies; those that can be trained on this machine come first.

    Args:
        policies: the policies to show.
        cached: policy name → whether its downloads are on this machine; None if it has none.
        columns: the width of the terminal.
        color: with ANSI colours.
    """
    paint = Paint(color)
    # Policies without a language model come first: they train on any machine.
    policies = sorted(policies, key=lambda policy: (bool(policy.reads.get("language")), policy.name))
    ready = [policy for policy in policies if policy.trainable and policy.installed]
    lacking = [policy for policy in policies if policy.trainable and not policy.installed]
    other = [policy for policy in policies if not policy.trainable]
    lines: list[str] = []
    for heading, group in (
        ("Ready to train", ready),
        ("Packages are missing", lacking),
        ("Not trained from demonstrations", other),
    ):
        if group:
            head = _row(heading, *_HEAD, columns, functools.partial(paint, "bold"))
            lines += ["", paint("bold", heading)] if lines else [head]
            for policy in group:
                style = "good" if policy.trainable and policy.installed else "bold"
                cells = (*_count(policy), _WEIGHTS[cached.get(policy.name)], _inputs(policy), policy.summary)
                lines.append(_row(f"  {policy.name}", *cells, columns, functools.partial(paint, style)))
                lines += _remarks(policy, columns)
    if not lines:
        return "no policies match\n"
    about = "~ depends on the dataset: shown for one camera of 96x96 pixels and two joints"
    least = (
        "memory: the least GPU memory that training all parameters takes, before activations; LoRA adapters take less"
    )
    lines += ["", *(paint("dim", wrap(remark, columns, "  ")) for remark in (about, least))]
    return "\n".join(lines) + "\n"


_HEAD = ("params", "memory", "weights", "inputs", "")
_WEIGHTS = {None: "none", True: "cached", False: "to download"}
_CAMERAS = {"none": "", "exactly one": "1 camera", "one square one": "1 camera", "one to three": "1-3 cameras"}
_LEAST_SUMMARY = 40  # columns: below that the summary is left to the policy's own page


def _row(
    name: str,
    params: str,
    memory: str,
    weights: str,
    inputs: str,
    summary: str,
    columns: int,
    paint: Callable[[str], str],
) -> str:
    head = f"{name:<{_NAME + 2}}"
    line = f"{params:>8} {memory:>9}  {weights:<11}  {inputs:<24}"
    room = columns - len(head) - len(line) - 2
    return (paint(head) + line + (f"  {cut(summary, room)}" if room >= _LEAST_SUMMARY else "")).rstrip()


def _count(policy: PolicyClass) -> tuple[str, str]:
    """Return the number of parameters and the minimum training memory; with "~" if they depend on the dataset."""
    count, by_dataset = _parameters_by_default(policy)
    if count is None or not policy.trainable:
        return "-", "-"
    about = "~" if by_dataset else ""
    short = f"{count / 1e9:.2g} B" if count >= 1e9 else f"{count / 1e6:.3g} M"
    return about + short, about + size(training_bytes(count, gpu=True))


def _parameters_by_default(policy: PolicyClass) -> tuple[int | None, bool]:
    """Return the number of parameters on a small dataset, and whether it depends on the dataset."""
    if policy.unreadable or policy.entry.plugin:
        return None, False
    if (count := _published(policy)) is not None:
        return count, False
    shapes = {"observation.image": [96, 96, 3], "observation.state": [2], "action": [2]}
    small = {key: {"dtype": "float32", "shape": shape} for key, shape in shapes.items()}
    small["observation.image"] |= {"dtype": "video", "names": ["height", "width", "channels"]}
    try:
        return parameters(policy.configure({}, *to_policy_features(small))), True
    except (Rejected, Unavailable, Unjudgeable):
        return None, True


def _published(policy: PolicyClass) -> int | None:
    """Return the published number of parameters; None if it depends on the dataset, and for plugins."""
    billions = None if policy.entry.plugin else facts.value(policy.name, "billions")
    return None if billions is None else int(billions * 1e9)


def _inputs(policy: PolicyClass) -> str:
    """Return a short list of the inputs; empty for a plugin."""
    known = policy.reads
    if not known:
        return ""
    kind = known["cameras"].partition(",")[0].partition(" of ")[0]
    parts = [_CAMERAS.get(kind, "cameras"), "state" if known["state"] != "not read" else ""]
    return ", ".join(filter(None, [*parts, *(word for word in ("language", "reward") if known[word])]))


def _remarks(policy: PolicyClass, columns: int) -> list[str]:
    """Return notes on why a policy can't be trained yet."""
    remarks = [
        _unread(policy) if policy.unreadable else "",
        "" if policy.installed else f"install with: {policy.install_command}",
        policy.why_not,
    ]
    return ["      " + wrap(words, columns, "      ") for words in remarks if words]


def memory(policy: PolicyClass) -> str:
    """Describe the minimum GPU memory for training; empty if the policy has no published size."""
    count = _published(policy) if policy.trainable else None
    if count is None:
        return ""
    whole, frozen = training_bytes(count, gpu=True), training_bytes(count, adapters=True)
    return f"training all of it takes at least {size(whole)} of GPU memory, adapters {size(frozen)}"


def _unread(policy: PolicyClass) -> str:
    return f"its parameters are not known before it trains: {policy.unreadable}"


def reads(policy: PolicyClass) -> str:
    """Describe the inputs; empty for a plugin, whose inputs are not known."""
    known = policy.reads
    if not known:
        return ""
    parts = [] if known["cameras"] == "none" else [f"cameras ({known['cameras']})"]
    if known["state"] != "not read":
        parts.append("state" if known["state"] == "needed" else f"state ({known['state'].removeprefix('needed, ')})")
    parts += [word for word in ("language", "reward") if known[word]]
    return ", ".join(parts)


def _default(policy: PolicyClass) -> PolicyConfig | None:
    try:
        return policy.configure({})
    except Exception:  # a plugin whose defaults need its own libraries
        return None


def render_one(policy: PolicyClass, *, grep: str = "", columns: int, color: bool) -> str:
    """Return the details of one policy: description, inputs, time steps, a recipe, and its parameters by group.

    With ``grep``, return only the parameters that match it.
    """
    paint = Paint(color)
    if grep:
        return _parameters(policy, grep, columns, paint)
    lines = [paint("bold", f"{policy.name}  {policy.title}"), wrap(policy.description or policy.summary, columns, "")]
    rows = [
        ("class path", policy.class_path),
        ("paper", policy.paper),
        ("reads", reads(policy)),
        ("downloads", "; ".join(_download(policy, download) for download in policy.downloads) or _none_known(policy)),
        ("base weights", policy.base),
        ("memory", memory(policy)),
        ("installed", "yes" if policy.installed else f"no: {policy.install_command}"),
        ("trainable", "yes" if policy.trainable else f"no: {policy.why_not}"),
    ]
    lines += ["", *(f"{key:<14}{wrap(value, columns, ' ' * 14)}" for key, value in rows if value)]
    if config := _default(policy):
        lines += ["", paint("bold", "Timing by default, in frames from the current one")]
        lines += [f"  {key:<15}{value}" for key, value in _timing(config)]
        lines += ["", paint("bold", "Training preset")]
        lines += [f"  {key:<15}{wrap(value, columns, ' ' * 17)}" for key, value in _preset(config)]
    if policy.trainable:
        lines += ["", paint("bold", "A recipe"), *(f"  {line}" for line in recipe_for(policy).splitlines())]
    return "\n".join(lines) + "\n\n" + _parameters(policy, "", columns, paint)


def _none_known(policy: PolicyClass) -> str:
    """Return "nothing" for LeRobot's own policies; the downloads of plugins are not known."""
    return "" if policy.entry.plugin else "nothing"


def _download(policy: PolicyClass, download: Any) -> str:
    config = _default(policy)  # some configurations replace None by a default
    named = config.get(download.parameter) if download.parameter and config else download.repo_id
    where = f" ({named})" if named else ""
    return download.what + where + (", gated: accept its licence on the Hub" if download.gated else "")


def _timing(config: PolicyConfig) -> list[tuple[str, str]]:
    rows = [
        ("observations", _steps(config.observation_delta_indices)),
        ("actions", _steps(config.action_delta_indices)),
        ("rewards", _steps(config.reward_delta_indices) if config.reward_delta_indices else ""),
        ("executed", f"{config.get('n_action_steps')} per call" if config.get("n_action_steps") else ""),
        ("left out", f"the last {config.drop_n_last_frames} frames of an episode" if config.drop_n_last_frames else ""),
    ]
    return [row for row in rows if row[1]]


def _steps(steps: list[int] | None) -> str:
    if steps is None:
        return "the current frame"
    if len(steps) <= _MAX_STEPS:
        return ", ".join(map(str, steps))
    return f"{steps[0]}, {steps[1]}, …, {steps[-1]} ({len(steps)} steps)"


def _preset(config: PolicyConfig) -> list[tuple[str, str]]:
    def words(preset: dict[str, Any]) -> str:
        kind = preset["type"].removesuffix("Config")
        return kind + ": " + ", ".join(f"{key} {_short(value)}" for key, value in preset.items() if key != "type")

    return [
        ("optimizer", words(config.optimizer)),
        ("schedule", words(config.scheduler) if config.scheduler else "none: the learning rate stays what it is"),
        ("normalization", ", ".join(f"{kind} {mode}" for kind, mode in config.normalization.items())),
    ]


def recipe_for(policy: PolicyClass) -> str:
    """Return a recipe for this policy with a placeholder for the dataset."""
    from getiaction_cli.recipe.layout import DATAMODULE, WRAPPER  # imports PyYAML, which the list does not need

    arguments = []
    if policy.class_path == WRAPPER:
        arguments.append(f"    policy_name: {policy.name}")
    if policy.base:
        arguments.append(f"    pretrained_path: {policy.base}")
    init_args = ["  init_args:", *arguments] if arguments else []
    return "\n".join(
        [
            "model:",
            f"  class_path: {policy.class_path}",
            *init_args,
            "data:",
            f"  class_path: {DATAMODULE}",
            "  init_args:",
            "    repo_id: your/dataset",
            "trainer:",
            "  max_steps: 100000",
        ]
    )


def _matching_parameters(policy: PolicyClass, word: str) -> list[Field]:
    """Return the parameters whose name, help or group contains the word, ignoring case."""
    wanted = word.lower()
    return [
        field
        for field in policy.fields.values()
        if wanted in field.name.lower() or wanted in field.help.lower() or wanted in field.group
    ]


def _parameters(policy: PolicyClass, grep: str, columns: int, paint: Paint) -> str:
    found = _matching_parameters(policy, grep)
    if policy.unreadable:
        return wrap(_unread(policy), columns, "") + "\n"
    if not found:
        return f"no parameter of {policy.name} matches {grep!r}\n"
    lines = [] if grep else [paint("bold", "Parameters")]
    for group in GROUP_ORDER:
        members = [field for field in found if field.group == group]
        if members:
            lines += [*([""] if lines else []), paint("info", group)]
            for field in members:
                lines += _parameter(field, columns, paint)
    return "\n".join(lines) + "\n"


def _parameter(field: Field, columns: int, paint: Paint) -> list[str]:
    head = f"  {field.name}".ljust(_TYPE - 2) + "  "
    kind = f"{field.type} = {_short(field.default)}"
    lines = [paint("bold", head) + wrap(kind, columns, " " * _TYPE)]
    if field.choices:
        only = "one of " if len(field.choices) > 1 else "only "
        lines.append(f"      {only}" + wrap(", ".join(map(_short, field.choices)), columns, " " * 13))
    if field.help:
        lines.append("      " + paint("dim", wrap(field.help, columns, " " * 6)))
    return lines


def _short(value: Any) -> str:
    value = plain(value)
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, float):
        return f"{value:g}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def to_json(
    policies: Sequence[PolicyClass],
    lerobot: str,
    cached: Mapping[str, bool | None],
    *,
    grep: str = "",
    by_policy: dict[str, dict[str, Any]] | None = None,
) -> str:
    """Return version 1 of the JSON. Keys may be added, but not changed or removed.

    Args:
        policies: the policies to show.
        lerobot: the installed version of LeRobot.
        cached: policy name → whether its downloads are on this machine; None if it has none.
        grep: only include parameters that match this word.
        by_policy: policy name → result of its check with the dataset of ``--for``.
    """
    shown = [
        _as_json(policy, grep, cached) | ({"for": by_policy[policy.name]} if by_policy else {}) for policy in policies
    ]
    return json_text({"lerobot": lerobot, "policies": shown})


def _as_json(policy: PolicyClass, grep: str, cached: Mapping[str, bool | None]) -> dict[str, Any]:
    config = _default(policy)
    return {
        "name": policy.name,
        "class_path": policy.class_path,
        "title": policy.title,
        "summary": policy.summary,
        "paper": policy.paper,
        "reads": policy.reads,
        "steps": None
        if config is None
        else {
            "observation": config.observation_delta_indices,
            "action": config.action_delta_indices,
            "reward": config.reward_delta_indices,
            "executed": config.get("n_action_steps"),
        },
        "downloads": [download.what for download in policy.downloads],
        "base": policy.base,
        "weights_cached": cached.get(policy.name),
        "parameter_count": None if policy.unreadable else _published(policy),
        "extra": policy.extra,
        "installed": policy.installed,
        "install": policy.install_command,
        "trainable": policy.trainable,
        "why_not": policy.why_not,
        "unreadable": policy.unreadable,
        "parameters": [
            {
                "name": field.name,
                "type": field.type,
                "default": field.default,
                "choices": list(field.choices),
                "help": field.help,
                "group": field.group,
            }
            for field in _matching_parameters(policy, grep)
        ],
    }


def _common_reasons(found: Sequence[Sequence[dict[str, str]]]) -> list[dict[str, str]]:
    """Return the reasons that all of two or more policies have: errors of the dataset, shown once."""
    return [reason for reason in found[0] if all(reason in other for other in found)] if len(found) > 1 else []


# Removed from each reason, and explained once below the policies.
_OFFLINE = ", and HF_HUB_OFFLINE is set"


def render_for(
    dataset: str,
    policies: Sequence[PolicyClass],
    rows: dict[str, dict[str, Any]],
    *,
    columns: int,
    color: bool,
) -> str:
    """Return the policies grouped by whether they can train on a dataset, with the changes or reasons.

    Args:
        dataset: name of the dataset.
        policies: the policies to show.
        rows: policy name → result of its check with the dataset.
        columns: the width of the terminal.
        color: with ANSI colours.
    """
    paint = Paint(color)
    dataset = clean(dataset)
    indent = " " * (_NAME + 2)
    titles = {
        "as it is": f"Can train on {dataset} as it is",
        "set": f"Can train on {dataset} with these parameters set",
        "unknown": f"May train on {dataset}",
        "no": f"Can't train on {dataset}",
        "unreadable": "Not checked, because LeRobot could not be read",
    }
    groups: dict[str, list[PolicyClass]] = {heading: [] for heading in titles}
    for policy in policies:
        row = rows[policy.name]
        heading = "unknown" if policy.unreadable else "set" if row["changes"] else "as it is"
        groups["unreadable" if row["unreadable"] else heading if row["trainable"] else "no"].append(policy)
    lines: list[str] = []
    offline = False
    common = _common_reasons([rows[policy.name]["reasons"] for policy in groups["no"]])
    for heading, group in groups.items():
        if not group:
            continue
        lines += [*([""] if lines else []), paint("bold", titles[heading])]
        if heading == "no" and common:
            lines += ["  " + wrap(f"{r['code']}: {r['reason']}", columns, "    ") for r in common]
            lines.append("  These errors concern all of these policies:")
        for policy in group:
            row = rows[policy.name]
            ready = policy.installed and not row["machine"]
            style = "error" if heading in ("no", "unreadable") else "good" if ready else "warning"
            summary = policy.summary or _unread(policy)
            lines.append("  " + paint(style, policy.name.ljust(_NAME)) + wrap(summary, columns, indent))
            lines += [
                indent + wrap(f"{c['code']}: {c['change'] or c['reason']}", columns, indent) for c in row["changes"]
            ]
            reasons = [reason for reason in row["reasons"] if heading != "no" or reason not in common]
            lines += [indent + wrap(f"{r['code']}: {r['reason']}", columns, indent) for r in reasons]
            if heading != "no":
                here = "on this machine: "
                offline |= any(m["reason"].endswith(_OFFLINE) for m in row["machine"])
                texts = [f"{here}{m['code']}: {m['reason'].removesuffix(_OFFLINE)}" for m in row["machine"]]
                notes = [wrap(text, columns, indent) for text in texts]
                lines += [indent + paint("dim", here) + text.removeprefix(here) for text in notes]
    if offline:
        note = "HF_HUB_OFFLINE is set: what is not cached is not downloaded. `HF_HUB_OFFLINE=0 getiaction fetch RECIPE`"
        lines += ["", wrap(f"{note} downloads what a recipe needs.", columns, "")]
    return "\n".join(lines) + "\n"
