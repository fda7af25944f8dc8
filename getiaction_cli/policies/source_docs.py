"""Read documentation of parameters from LeRobot's source: comments, docstrings, section headings, allowed values."""

from __future__ import annotations

import ast
import enum
import functools
import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Groups by parameter name, which take precedence because LeRobot's headings differ between files.
_GROUPS = (
    ("timing", r"n_obs_steps|chunk_size|horizon|action_horizon|n_action_steps|n_action_repeats|n_action_pred_token"),
    ("timing", r"action_chunk_size|drop_n_last_frames|num_video_frames|action_video_freq_ratio|frame_chunk_size"),
    ("timing", r"action_per_frame|attn_window"),
    ("normalization", r"normalization_mapping|dataset_stats"),
    ("training preset", r"(optimizer|scheduler)_.*|warmup_ratio"),
    (
        "loading and sharing",
        r"pretrained_(path|revision|name_or_path)|load_vlm_weights|push_to_hub|repo_id|private|tags",
    ),
    (
        "loading and sharing",
        r"license|base_model.*|checkpoint_.*|wan_pretrained_path|reinit_modules|vlm_base|vlm_config",
    ),
    ("loading and sharing", r".*model_name(_or_path)?|(model|tokenizer_model|text_encoder_model)_id|florence_config"),
    ("loading and sharing", r"(text_)?tokenizer_name|action_tokenizer_(name|path)|.*_encoder_name"),
    ("fine-tuning", r"freeze_.*|train_.*|tune_.*|finetune_.*|lora_.*|enable_lora.*|use_peft"),
    ("fine-tuning", r"apply_training_stage_defaults|training_stage"),
    ("machine", r"device|.*_device|use_amp|(.*_)?dtype|compile_.*|.*gradient_checkpointing.*|.*flash_att.*|attn_mode"),
    ("machine", r".*attn_implementation|fp32_attention|force_fp32_autocast|use_bf16|model_params_fp32"),
    ("language", r"tokenizer_.*|.*text_.*|task_field|pad_language_to|max_sequence_length|context_len|.*prompt.*"),
    (
        "vision",
        r"crop_.*|.*resize_.*|image_.*|vision_.*|.*camera.*|obs_cam_keys|pretrained_backbone_weights|height|width",
    ),
    ("vision", r"use_group_norm|replace_final_stride.*|spatial_softmax.*|use_separate_rgb.*|max_views|num_image_views"),
    ("vision", r"max_random_shift_ratio"),
    ("inference", r"num_inference_.*|temporal_ensemble_coeff|rtc_.*|num_(denois\w*|integration)_steps|num_steps"),
    ("inference", r"use_(kv_)?cache|max_decoding_steps|temperature|inference_.*|.*guidance_scale|.*cfg_scale|use_mpc"),
    ("inference", r"cem_.*|n_(elites|pi_samples|gaussian_samples)|save_predicted_video"),
    ("loss", r".*loss.*|kl_weight|.*_coeff|expectile_weight|discount|advantage_scaling"),
    ("features", r"input_features|output_features|max_(state|action)_dim|(action|proprio|state)_dim|.*feature_names"),
    ("features", r"used_action_channel_ids|use_relative_actions|relative_exclude_joints|.*gripper.*|.*embodiment.*"),
    ("features", r"adapt_to_pi_aloha|use_delta_.*|action_mode"),
)
GROUP_ORDER = (
    "timing",
    "features",
    "normalization",
    "vision",
    "language",
    "architecture",
    "loss",
    "training preset",
    "fine-tuning",
    "inference",
    "machine",
    "loading and sharing",
    "no longer used",
)
_UNUSED = "no longer used"
# Help for parameters that most policies share and LeRobot does not document.
_COMMON = {
    "n_obs_steps": "Number of observation steps that one sample holds, the current one included.",
    "chunk_size": "Number of action steps predicted at once.",
    "n_action_steps": "Number of predicted action steps that are executed before the policy is asked again.",
    "normalization_mapping": "How each kind of feature is normalized with the dataset's statistics.",
    "optimizer_lr": "Learning rate.",
    "optimizer_betas": "Decay rates of the optimizer's running averages.",
    "optimizer_eps": "Term added to the optimizer's denominator for numerical stability.",
    "optimizer_weight_decay": "Weight decay.",
    "optimizer_grad_clip_norm": "Norm above which gradients are clipped.",
    "scheduler_name": "Name of the learning rate schedule, as diffusers names it.",
    "scheduler_warmup_steps": "Training steps over which the learning rate rises from zero.",
    "scheduler_decay_steps": "Training steps after which the learning rate has fallen to its last value.",
    "scheduler_decay_lr": "The last value of the learning rate.",
    "max_state_dim": "Width to which shorter states are padded.",
    "max_action_dim": "Width to which shorter actions are padded.",
}
_ARGUMENT = re.compile(r"^    (\w+)(?: \([^)]*\))?: +(.+)$")
_HEADING_SKIP = re.compile(r"\b(of|the|for|to|will|is|are|whether|number|add|path|used|must|see)\b", re.IGNORECASE)


@dataclass(slots=True)
class Notes:
    """The documentation of the parameters of one class, by parameter name."""

    help: dict[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)
    choices: dict[str, tuple[Any, ...]] = field(default_factory=dict)


def read(config_class: type, paths: list[Path]) -> Notes:
    """Read the documentation of a configuration class.

    Args:
        config_class: the class.
        paths: the files of the class and its bases, the class first.
    """
    notes = Notes()
    names = [kind.__name__ for kind in config_class.__mro__]
    for path in paths:
        for name, own in _in_file(path).items():
            if name in names:
                notes.help = own.help | notes.help
                notes.headings = own.headings | notes.headings
                notes.choices = own.choices | notes.choices
    return notes


@functools.cache
def _in_file(path: Path) -> dict[str, Notes]:
    """The documentation of every class of a file; cached, because all policies share the file of their base."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    found: dict[str, Notes] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            notes = found[node.name] = Notes()
            _read_class(node, text.splitlines(), notes)
            for name, values in _memberships(node, tree):
                notes.choices.setdefault(name, values)
    return found


def _read_class(node: ast.ClassDef, lines: list[str], notes: Notes) -> None:
    documented = _documented(ast.get_docstring(node) or "")
    heading = ""
    above: tuple[str, str, int] = ("", "", 0)  # the last field with a comment above it: name, comment, line
    for item in node.body:
        if not (isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)):
            continue
        name = item.target.id
        block, stands_alone = _comment_above(lines, item.lineno - 1)
        if block and block[0].startswith("TODO"):
            heading, block = _UNUSED if "deprecated" in " ".join(block) else heading, []
        while block and heading != _UNUSED and (stands_alone or _is_heading(block)):
            heading, block = _clean(block[0]), [] if stands_alone else block[1:]
        comment = " ".join(block)
        if comment:
            above = (name, comment, item.end_lineno or 0)
        elif above[2] == item.lineno - 1 and _alike(above[0], name):
            comment = above[1]
            above = (name, comment, item.end_lineno or 0)
        end = lines[(item.end_lineno or item.lineno) - 1].encode()[item.end_col_offset or 0 :].decode()
        trailing = end.strip().removeprefix("#").strip() if end.strip().startswith("#") else ""
        text = documented.get(name) or " ".join(filter(None, (comment, trailing)))
        if documented.get(name) and comment.startswith("Note"):
            text = f"{documented[name]} {comment}"
        text = "" if text.startswith(("type: ignore", "TODO")) else text
        text = text or _COMMON.get(name, "")
        notes.help.setdefault(name, text)
        notes.headings.setdefault(name, heading)


def _comment_above(lines: list[str], index: int) -> tuple[list[str], bool]:
    """The comment block before a line, and whether an empty line separates them."""
    at = index - 1
    stands_alone = at >= 0 and not lines[at].strip()
    if stands_alone:
        at -= 1
    block: list[str] = []
    while at >= 0 and lines[at].strip().startswith("#"):
        block.insert(0, lines[at].strip().lstrip("#").strip())
        at -= 1
    return [line for line in block if line], stands_alone


def _is_heading(block: list[str]) -> bool:
    """Whether a comment block starts with a section heading, and not with text about its parameter."""
    line = block[0]
    cleaned = _clean(line)
    if not cleaned or len(cleaned.split()) > 5 or "," in cleaned or _HEADING_SKIP.search(cleaned):
        return False
    after_colon = line.partition(":")[2].strip()
    ends = len(block) == 1 or line.endswith((".", ":"))
    return after_colon.startswith("see ") or (ends and not after_colon)


def _clean(line: str) -> str:
    return re.sub(r":.*$|\(.*\)", "", line.strip("-= ")).strip(" .")


def _alike(first: str, second: str) -> bool:
    """Whether one comment is about two parameters, such as max_state_dim and max_action_dim."""
    one, two = first.split("_"), second.split("_")
    return len(one) > 2 and one[0] == two[0] and one[-1] == two[-1]


def _documented(docstring: str) -> dict[str, str]:
    """The entries of a docstring's `Args:` section."""
    found: dict[str, str] = {}
    name = ""
    inside = False
    for line in inspect.cleandoc(docstring).splitlines():
        if line.strip() == "Args:":
            inside = True
        elif inside and line and not line.startswith(" "):
            inside = False
        elif inside and (match := _ARGUMENT.match(line)):
            name = match[1]
            found[name] = match[2].strip()
        elif inside and name and line.strip():
            found[name] += " " + line.strip()
    return found


def _memberships(node: ast.ClassDef, tree: ast.Module) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the parameters that a method compares with a list of allowed values before it raises."""
    constants = _constants(tree.body)
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        known = constants | _constants(method.body)
        for branch in ast.walk(method):
            if not (isinstance(branch, ast.If) and isinstance(branch.test, ast.Compare)):
                continue
            if not any(isinstance(statement, ast.Raise) for statement in branch.body):
                continue
            left, operator, right = branch.test.left, branch.test.ops[0], branch.test.comparators[0]
            if not (isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name) and left.value.id == "self"):
                continue
            values = known.get(right.id) if isinstance(right, ast.Name) else _literal(right)
            if isinstance(operator, ast.NotIn) and isinstance(values, (list, tuple, set)):
                yield left.attr, tuple(sorted(values, key=str) if isinstance(values, set) else values)
            elif isinstance(operator, ast.NotEq) and values is not None and branch in method.body:
                yield left.attr, (values,)


def _constants(body: list[ast.stmt]) -> dict[str, Any]:
    return {
        target.id: value
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and (value := _literal(statement.value)) is not None
    }


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def group(name: str, heading: str) -> str:
    """The group a parameter is shown in."""
    if heading == _UNUSED:
        return heading
    for label, pattern in _GROUPS:
        if re.fullmatch(pattern, name):
            return label
    lowered = heading.lower()
    if "inference" in lowered:
        return "inference"
    return "loss" if "loss" in lowered else "architecture"


def choices(hint: Any) -> tuple[Any, ...]:
    """The allowed values of a Literal or enum type; empty for other types."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [found for argument in typing.get_args(hint) if (found := choices(argument))]
        return inner[0] if len(inner) == 1 else ()
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return tuple(member.name for member in hint)
    return ()


def type_text(hint: Any) -> str:
    """Format a type as in LeRobot's source."""
    if isinstance(hint, type) and typing.get_origin(hint) is None:
        return hint.__name__
    text = re.sub(r"<class '([^']+)'>", r"\1", str(hint)).replace("typing.", "").replace("NoneType", "None")
    return re.sub(r"[\w:]+\.(?=[A-Z]\w*)|pathlib\.", "", re.sub(r"getiaction_light:[\w.]+\.(\w+)", r"\1", text))
