"""Convert a configuration of lerobot-train to a recipe with equal windows, batches, optimizer, schedule and losses."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from getiaction.spec.hub_cache import hub_cache
from getiaction.spec.publishing import name_problem
from getiaction_cli import policies
from getiaction_cli.analysis import checkpoint
from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.ledger import Ledger
from getiaction_cli.analysis.renamed_keys import COUNTERPARTS, UPLOAD, counterpart
from getiaction_cli.analysis.spelling import closest
from getiaction_cli.policies import NOT_PARAMETERS, PolicyClass, Rejected, Unjudgeable
from getiaction_cli.policies.catalog import light_lerobot
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import DATAMODULE, MODEL_SECTIONS, WRAPPER, WRAPPER_ARGUMENTS
from getiaction_cli.recipe.signatures import REQUIRED, read_signature

DEFAULT = "the default, here too"
OFF = "it asks for nothing"
# A section with at least this share of its possible keys was written by a program, including defaults.
_WRITTEN_WHOLE = 0.8
_UNKNOWN: Any = object()
# Prefix of the features that LeRobot adds for cameras that a dataset lacks.
_MADE_UP = "observation.images.empty_camera"
_PRECISIONS = {"bf16": "bf16-mixed", "fp16": "16-mixed"}
_SECTIONS = ("dataset", "policy", "env", "eval", "env_eval_freq", "wandb", "launch", "environment")


def convert(recipe: Recipe) -> Ledger:
    """Decide on every key of a lerobot-train configuration."""
    ledger = Ledger(recipe.plain(), {"seed": None, "model": {}, "data": {"class_path": DATAMODULE}, "trainer": {}})
    policy = _policy(ledger)
    _dataset(ledger)
    _training(ledger, policy)
    _rollouts(ledger, recipe)
    _wandb(ledger)
    for path in list(ledger.undecided()):
        ledger.lose(path, _unknown(path))
    if ledger.recipe["seed"] is None:
        del ledger.recipe["seed"]
    for section in (ledger.recipe["model"], ledger.recipe["data"]):
        if not section.get("init_args", True):
            del section["init_args"]
    return ledger


def _unknown(path: tuple[str, ...]) -> str:
    names = [key for home, key in COUNTERPARTS if not home] + list(_fields("TrainPipelineConfig"))
    near = closest(path[0], names) if len(path) == 1 else ()
    return "lerobot-train has no such key" + (f"; did you mean `{near[0]}`?" if near else "")


# -- LeRobot's own defaults --------------------------------------------------------------------------------------------


@cache
def _fields(class_name: str) -> dict[str, Any]:
    """Field → default of a configuration class of lerobot-train; `_UNKNOWN` if it is required or computed."""
    module = "lerobot.configs.train" if class_name == "TrainPipelineConfig" else "lerobot.configs.default"
    return _defaults_of(getattr(light_lerobot().module(module), class_name))


def _defaults_of(kind: Any) -> dict[str, Any]:
    return {field.name: _default(field) for field in dataclasses.fields(kind)}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory in (list, dict) else _UNKNOWN


def is_whole(given: Any, known: Iterable[str]) -> bool:
    """Whether a section was written by a program, including defaults."""
    known = set(known)
    return isinstance(given, dict) and len(known & set(given)) >= _WRITTEN_WHOLE * len(known)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as plain values; true does not equal 1."""
    return policies.plain(one) == policies.plain(other) and isinstance(one, bool) == isinstance(other, bool)


# -- policy ------------------------------------------------------------------------------------------------------------


def _policy(ledger: Ledger) -> PolicyClass | None:
    given = ledger.get("policy")
    if not isinstance(given, dict):
        if ledger.has("policy"):
            ledger.lose(("policy",), "write it as a section, as in `policy: {type: act}`")
        ledger.put("model.class_path", WRAPPER)
        return None
    start, name = given.get("path") or given.get("pretrained_path"), given.get("type")
    kind = name or (_type_of(start, given.get("pretrained_revision")) if start else None)
    policy = policies.load(kind) if kind in policies.names() else None
    class_path = policy.class_path if policy is not None else WRAPPER
    ledger.put("model", {"class_path": class_path, "init_args": {}})
    if class_path == WRAPPER and kind:
        ledger.put("model.init_args.policy_name", kind)
    if "type" in given and policy is not None:
        ledger.carry(("policy", "type"), "model.class_path", class_path)
    elif "type" in given:
        ledger.lose(("policy", "type"), "no such policy is installed; `getiaction list-policies` shows those that are")
    _weights(ledger, given, policy)
    if policy is not None and name is None and start:
        ledger.add("model.class_path", class_path, f"the policy in {start}", "policy.type")
    kept = _kept(given, policy, start)
    for key, value in given.items():
        _parameter(ledger, policy, key, value, kept)
    return policy


def _type_of(start: Any, revision: Any) -> str | None:
    """The policy in a pretrained_model folder or in a downloaded Hub repository."""
    found = checkpoint.find(str(start), hub_cache(), str(revision) if revision else None).policy
    named = (name for name in policies.names() if policies.load(name).base == start)
    return found if isinstance(found, str) else next(named, None)


def _weights(ledger: Ledger, given: dict[str, Any], policy: PolicyClass | None) -> None:
    for key in ("path", "pretrained_path"):
        if not given.get(key):
            ledger.nothing(("policy", key), "training starts from new weights")
        elif policy is None and "type" not in given:
            ledger.put("model.init_args.pretrained_path", given[key])
            ledger.lose(
                ("policy", key),
                "which policy that is can't be read here; download its config.json (`hf download "
                f"{shlex.quote(str(given[key]))} config.json`) and run this again, or set policy_name in the recipe",
            )
        else:
            note = "" if key == "path" else "parameters that are left out are those of its config.json"
            ledger.carry(("policy", key), "model.init_args.pretrained_path", why=note)


def _kept(given: dict[str, Any], policy: PolicyClass | None, start: Any) -> bool:
    """Whether to keep parameters equal to their default: if written by hand, or overriding those of a checkpoint."""
    return policy is None or bool(start) or not is_whole(given, set(policy.fields) - NOT_PARAMETERS)


def _parameter(ledger: Ledger, policy: PolicyClass | None, key: str, value: Any, kept: bool) -> None:
    path = ("policy", key)
    special = _OF_EVERY_POLICY.get(key)
    if key in ("type", "path", "pretrained_path"):
        return
    if special is not None:
        special(ledger, policy, value)
    elif policy is None or key in policy.fields:
        if policy is not None and not kept and same(value, policy.fields[key].default):
            ledger.nothing(path, DEFAULT)
            return
        nested = policy is None or policy.class_path == WRAPPER or key in WRAPPER_ARGUMENTS
        ledger.carry(path, f"model.init_args.{'config_kwargs.' if nested else ''}{key}")
    else:
        if value in (None, False, [], {}):
            ledger.nothing(path, f"{OFF}, and {policy.name} has no such parameter")
        else:
            near = closest(key, list(policy.fields))
            ledger.lose(path, f"{policy.name} has no such parameter" + (f"; `{near[0]}`?" if near else ""))


def _device(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    if value == "cpu":
        ledger.carry(("policy", "device"), "trainer.accelerator")
    else:
        ledger.nothing(("policy", "device"), "the accelerator is chosen automatically, as lerobot-train does")


def _amp(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    if not value:
        ledger.nothing(("policy", "use_amp"), OFF)
    elif policy is not None and "dtype" in policy.fields:
        ledger.nothing(("policy", "use_amp"), "lerobot-train reads `dtype` instead")
    else:
        on_cpu = ledger.get("policy", "device") == "cpu"
        ledger.carry(("policy", "use_amp"), "trainer.precision", "bf16-mixed" if on_cpu else "16-mixed")


def _upload(key: str) -> Callable[[Ledger, PolicyClass | None, Any], None]:
    def decide(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
        name = ledger.get("policy", "repo_id")
        wanted = ledger.get("policy", "push_to_hub") if ledger.has("policy", "push_to_hub") else bool(name)
        nested = policy is None or policy.class_path == WRAPPER
        home = f"model.init_args.{'config_kwargs.' if nested else ''}"
        if not wanted:
            ledger.nothing(("policy", key), "nothing is uploaded")
        elif wanted is not True or not isinstance(name, str) or name_problem(name):
            if key in ("push_to_hub", "repo_id"):
                ledger.lose(("policy", key), "after training: `getiaction push RUN user/name`")
            else:
                ledger.nothing(("policy", key), "it is part of the upload")
        elif value is None:
            ledger.nothing(("policy", key), DEFAULT)
        else:
            ledger.carry(("policy", key), f"{home}{key}")
            if key == "repo_id" and not ledger.has("policy", "push_to_hub"):
                ledger.add(f"{home}push_to_hub", True, "lerobot-train's default", "policy.push_to_hub")

    return decide


def _inputs(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    path = ("policy", "input_features")
    if not value or not isinstance(value, dict):
        ledger.nothing(path, "they are those of the dataset")
    elif "pretrained_path" in ledger.recipe["model"]["init_args"]:
        ledger.nothing(path, "they are those of the pretrained policy")
    else:
        keys = [key for key in value if not key.startswith(_MADE_UP)]
        ledger.carry(path, "model.init_args.input_features", keys, "types and shapes are the dataset's")


def _outputs(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    ledger.nothing(("policy", "output_features"), "they are those of the dataset, as in lerobot-train")


def _revision(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    if value:
        ledger.carry(("policy", "pretrained_revision"), "model.init_args.pretrained_revision")
    else:
        ledger.nothing(("policy", "pretrained_revision"), DEFAULT)


def _has_adapters(ledger: Ledger, policy: PolicyClass | None, value: Any) -> None:
    if not value:
        ledger.nothing(("policy", "use_peft"), OFF)
    elif ledger.get("peft"):
        ledger.nothing(("policy", "use_peft"), "`peft` says it")
    else:
        ledger.lose(("policy", "use_peft"), "start from the base policy, with model.init_args.peft")


_OF_EVERY_POLICY: dict[str, Callable[[Ledger, PolicyClass | None, Any], None]] = {
    "device": _device,
    "use_amp": _amp,
    "input_features": _inputs,
    "output_features": _outputs,
    "pretrained_revision": _revision,
    "use_peft": _has_adapters,
    **{key: _upload(key) for key in ("push_to_hub", *UPLOAD)},
}


# -- dataset -----------------------------------------------------------------------------------------------------------


def _dataset(ledger: Ledger) -> None:
    given = ledger.get("dataset")
    ledger.put("data.init_args", {})
    if not isinstance(given, dict):
        if ledger.has("dataset"):
            ledger.lose(("dataset",), "write it as a section, as in `dataset: {repo_id: user/name}`")
        return
    for key, value in given.items():
        path = ("dataset", key)
        if key == "repo_id" and isinstance(value, list):
            ledger.lose(
                path, "LeRobot does not train on a list; several datasets are listed under data.init_args.datasets"
            )
        elif key == "image_transforms":
            if isinstance(value, dict) and value.get("enable"):
                ledger.carry(path, "data.init_args.image_transforms")
            else:
                ledger.nothing(path, OFF)
        elif key == "video_backend" and value in (None, "torchcodec"):
            ledger.nothing(path, "torchcodec is used wherever it can be loaded")
        else:
            _by_table(ledger, path, "data.init_args", "DatasetConfig")
    if ledger.get("dataset", "eval_split"):
        note = "a task with only one episode keeps it; lerobot-train holds it out"
        ledger.carry(("dataset", "eval_split"), "data.init_args.val_split", why=note)
        # VQ-BeT counts validation batches as training steps.
        ledger.add("trainer.num_sanity_val_steps", 0, "lerobot-train does not validate before the first step")


def _by_table(ledger: Ledger, path: tuple[str, ...], home: str, class_name: str) -> None:
    """Decide on a key by the table of counterparts."""
    key, value = path[-1], ledger.get(*path)
    default = _fields(class_name).get(key, _UNKNOWN)
    target, why, lost = COUNTERPARTS.get((home, key), (None, "", True))
    known = key in _arguments() and home == "data.init_args"
    target = f"{home}.{key}" if known else target
    is_default = default is not _UNKNOWN and same(value, default)
    if target and (home, key) == ("data.init_args", "eval_split"):
        if not value:
            ledger.nothing(path, "no episodes are held out")
    elif target:
        whole = is_whole(ledger.get(*path[:-1]) if path[:-1] else ledger.values, _fields(class_name))
        if value is None or (is_default and whole and same(value, _here(target))):
            ledger.nothing(path, DEFAULT)
        else:
            ledger.carry(path, target)
    elif (home, key) in COUNTERPARTS:
        if not lost:
            ledger.nothing(path, why)
        elif is_default:
            ledger.nothing(path, DEFAULT)
        elif value in (None, False, 0, [], {}):
            ledger.nothing(path, OFF)
        else:
            ledger.lose(path, why)


def _arguments() -> dict[str, Any]:
    signature = read_signature(DATAMODULE)
    return signature.parameters if signature else {}


def _here(target: str) -> Any:
    """The default of a recipe's key."""
    home, _, key = target.rpartition(".")
    class_path = {"data.init_args": DATAMODULE, "trainer": "lightning.Trainer"}.get(home, "")
    signature = read_signature(class_path) if class_path else None
    parameter = signature.parameters.get(key) if signature else None
    return parameter.default if parameter is not None and parameter.default is not REQUIRED else _UNKNOWN


# -- training ----------------------------------------------------------------------------------------------------------


def _training(ledger: Ledger, policy: PolicyClass | None) -> None:
    for key in ledger.values:
        if key in _SECTIONS:
            continue
        special = _OF_TRAINING.get(key)
        if special is not None:
            special(ledger, ledger.get(key))
        elif key not in ("optimizer", "scheduler"):
            _by_table(ledger, (key,), "", "TrainPipelineConfig")
    _optimizer(ledger, policy)
    _launch(ledger)
    for key in ("seed", "steps", "log_freq"):  # keys whose defaults differ from those of a recipe
        target, default = COUNTERPARTS.get(("", key), (key, ""))[0] or key, _fields("TrainPipelineConfig")[key]
        if not ledger.has(key):
            ledger.add(target, default, "lerobot-train's default", key)


def _seed(ledger: Ledger, value: Any) -> None:
    if value is None:
        ledger.nothing(("seed",), "without one a run draws its seed and keeps it")
    else:
        ledger.carry(("seed",), "seed")


def _log_freq(ledger: Ledger, value: Any) -> None:
    if isinstance(value, int) and value <= 0:
        ledger.nothing(("log_freq",), "metrics are always logged, to metrics.csv")
    else:
        ledger.carry(("log_freq",), "trainer.log_every_n_steps")


def _eval_steps(ledger: Ledger, value: Any) -> None:
    if not value:
        ledger.nothing(("eval_steps",), OFF)
    else:
        ledger.carry(("eval_steps",), "trainer.val_check_interval")
        ledger.put("trainer.check_val_every_n_epoch", None)  # count steps across epochs, as in LeRobot


def _max_eval_samples(ledger: Ledger, value: Any) -> None:
    if not value:
        ledger.nothing(("max_eval_samples",), "all held-out frames are used")
    else:
        size = ledger.get("batch_size") or _fields("TrainPipelineConfig")["batch_size"]
        batches = math.ceil(value / size) if isinstance(value, int) and isinstance(size, int) else value
        why = "in batches; the first ones, where lerobot-train takes the first of each task"
        ledger.carry(("max_eval_samples",), "trainer.limit_val_batches", batches, why)


def _save_freq(ledger: Ledger, value: Any) -> None:
    steps = ledger.get("steps") or _fields("TrainPipelineConfig")["steps"]
    if ledger.get("save_checkpoint") is False:
        ledger.nothing(("save_freq",), "save_checkpoint is false")
    elif value is not None and type(value) is not int:
        ledger.lose(("save_freq",), "it takes a number of steps")
    elif not value or value <= 0 or (isinstance(steps, int) and value >= steps):
        ledger.nothing(("save_freq",), "the last step is saved in any case")
    else:
        (to, saves), *_ = counterpart("", "save_freq", value).items()
        ledger.carry(("save_freq",), to, saves, "a ModelCheckpoint, which keeps them all")


def _save_checkpoint(ledger: Ledger, value: Any) -> None:
    if value is False:
        ledger.carry(("save_checkpoint",), "trainer.enable_checkpointing")
    else:
        ledger.nothing(("save_checkpoint",), DEFAULT)


def _deterministic(ledger: Ledger, value: Any) -> None:
    if value:
        ledger.carry(("cudnn_deterministic",), "trainer.deterministic", "warn")
    else:
        ledger.nothing(("cudnn_deterministic",), DEFAULT)


def _preset_used(ledger: Ledger, value: Any) -> None:
    if value is False:
        ledger.lose(("use_policy_training_preset",), COUNTERPARTS["", "use_policy_training_preset"].why)
    else:
        ledger.nothing(("use_policy_training_preset",), DEFAULT)


def _output_dir(ledger: Ledger, value: Any) -> None:
    folder = Path(str(value)).expanduser()
    try:
        taken = folder.exists() and any(folder.iterdir())
    except OSError:
        taken = True
    if value is None:
        ledger.nothing(("output_dir",), DEFAULT)
    elif taken:
        ledger.nothing(("output_dir",), "it exists: a new run gets a folder of its own")
    else:
        ledger.carry(("output_dir",), "output_dir")


def _rename_map(ledger: Ledger, value: Any) -> None:
    if value:
        ledger.carry(("rename_map",), "model.init_args.rename_map")
    else:
        ledger.nothing(("rename_map",), "nothing is renamed")


def _peft(ledger: Ledger, value: Any) -> None:
    if not isinstance(value, dict):
        ledger.nothing(("peft",), OFF)
        return
    signature = read_signature(MODEL_SECTIONS["peft"])
    ledger.put("model.init_args.peft", {})
    for key, entry in value.items():
        if entry is None:
            ledger.nothing(("peft", key), DEFAULT)
        elif signature and key in signature.parameters:
            ledger.carry(("peft", key), f"model.init_args.peft.{key}")
        else:
            ledger.lose(("peft", key), "it is not an option of lerobot-train's adapters")


def _job(ledger: Ledger, value: Any) -> None:
    if not isinstance(value, dict) or value.get("target") in (None, "local"):
        ledger.nothing(("job",), "training runs on this machine")
    else:
        ledger.lose(("job",), COUNTERPARTS["", "job"].why)


_OF_TRAINING: dict[str, Callable[[Ledger, Any], None]] = {
    "seed": _seed,
    "log_freq": _log_freq,
    "eval_steps": _eval_steps,
    "max_eval_samples": _max_eval_samples,
    "save_freq": _save_freq,
    "save_checkpoint": _save_checkpoint,
    "cudnn_deterministic": _deterministic,
    "use_policy_training_preset": _preset_used,
    "output_dir": _output_dir,
    "rename_map": _rename_map,
    "peft": _peft,
    "job": _job,
}


def _launch(ledger: Ledger) -> None:
    """Decide on the arguments of accelerate or torchrun, and on environment variables of the command."""
    given = ledger.get("launch")
    for key, value in given.items() if isinstance(given, dict) else ():
        name, path = key.replace("-", "_"), ("launch", key)
        target, why, lost = COUNTERPARTS.get(
            ("launch", name), (None, "processes are started by `getiaction train`", False)
        )
        if name == "mixed_precision" and value in (None, "no"):
            ledger.nothing(path, "float32, the default, here too")
        elif name == "mixed_precision" and not (isinstance(value, str) and value in _PRECISIONS):
            ledger.lose(path, f"accelerate takes {', '.join(_PRECISIONS)} or no; `trainer.precision` has more")
        elif target:
            ledger.carry(path, target, _PRECISIONS.get(value) if name == "mixed_precision" else None)
        elif lost:
            ledger.lose(path, why)
        else:
            ledger.nothing(path, why)
    if ledger.has("environment"):
        ledger.nothing(("environment",), "set the same variables for `getiaction train`")
    if "devices" not in ledger.recipe["trainer"]:
        ledger.add("trainer.devices", 1, "lerobot-train uses one device unless accelerate starts it")


# -- optimizer and schedule --------------------------------------------------------------------------------------------


def _optimizer(ledger: Ledger, policy: PolicyClass | None) -> None:
    """Decide on optimizer and scheduler; LeRobot uses the policy's unless `use_policy_training_preset` is false."""
    if ledger.get("use_policy_training_preset") is not False:
        for key in ("optimizer", "scheduler"):
            ledger.nothing((key,), "the policy's own replaces it, as in lerobot-train")
        return
    for key in ("optimizer", "scheduler"):
        given = ledger.get(key)
        if isinstance(given, dict):
            arguments = {name: value for name, value in given.items() if name != "type"}
            own_optimizer(ledger, (key,), str(given.get("type")), arguments, policy, key)
            if ledger.open((key, "type")):
                ledger.nothing((key, "type"), "it is the policy's own")


def own_optimizer(
    ledger: Ledger,
    path: tuple[str, ...],
    kind: str,
    arguments: Any,
    policy: PolicyClass | None,
    parameter: str = "optimizer",
) -> None:
    """Decide on an explicit optimizer or schedule: its arguments become parameters of the policy if these exist.

    Args:
        ledger: the ledger of the migration.
        path: its path in the source.
        kind: LeRobot's name of it ("adamw"), or the class of torch.
        arguments: its arguments.
        policy: the policy; None for an unknown one.
        parameter: "optimizer" or "scheduler": the prefix of the policy's parameters for it.
    """
    why = COUNTERPARTS["", parameter].why
    if not isinstance(arguments, dict):
        ledger.lose(path, f"its arguments are a section; {why}")
        return
    preset = _preset(ledger, policy, parameter) if policy is not None else None
    own = getattr(type(preset), "_choice_name", "") if preset is not None else ""
    if policy is None or preset is None or own.lower() != kind.rpartition(".")[2].lower():
        ledger.lose(path, f"{why}: {own or 'none'}")
        return
    base = (*path, "init_args") if ledger.has(*path, "init_args") else path
    for name, value in arguments.items():
        field = f"{parameter}_{name}"
        if parameter == "optimizer" and name == "grad_clip_norm":
            ledger.carry((*base, name), "trainer.gradient_clip_val")
        elif field in policy.fields:
            nested = "config_kwargs." if policy.class_path == WRAPPER else ""
            to = f"model.init_args.{'learning_rate' if name == 'lr' else nested + field}"
            ledger.replace(to, f"`{'.'.join((*base, name))}` replaces it")
            ledger.carry((*base, name), to)
        elif same(value, getattr(preset, name, _UNKNOWN)):
            ledger.nothing((*base, name), "the policy's own is the same")
        else:
            ledger.lose((*base, name), why)


def _preset(ledger: Ledger, policy: PolicyClass, parameter: str) -> Any:
    model = ledger.recipe.get("model")
    own = model.get("init_args") if isinstance(model, dict) else None
    arguments = dict(own) if isinstance(own, dict) else {}
    nested = arguments.pop("config_kwargs", None)
    params = {**(nested if isinstance(nested, dict) else {}), **arguments}
    try:
        values = policy.configure({key: value for key, value in params.items() if key in policy.fields}).values
        return values.get_optimizer_preset() if parameter == "optimizer" else values.get_scheduler_preset()
    except (Rejected, Unjudgeable, NotImplementedError):
        return None


# -- rollouts and wandb ------------------------------------------------------------------------------------------------


def _rollouts(ledger: Ledger, recipe: Recipe) -> None:
    env, frequency = ledger.get("env"), ledger.get("env_eval_freq")
    if not env or (isinstance(frequency, int) and frequency <= 0):
        why = "there is no environment" if not env else "env_eval_freq is 0: no rollouts run"
        for key in ("env", "eval", "env_eval_freq"):
            ledger.nothing((key,), why)
        return
    found = foreign_evaluation(recipe)
    section = found.section if found is not None else None
    if found is None or section is None:
        ledger.lose(("env",), "LeRobot has no such environment, or one that a recipe can't use")
        for key in ("eval", "env_eval_freq"):
            ledger.nothing((key,), "it is about the rollouts of `env`")
        return
    ledger.recipe["evaluation"] = section
    for lost in found.lost:
        lost_at = tuple(lost.split("."))
        why = COUNTERPARTS.get(("eval", lost_at[-1]), (None, "the section `evaluation` has no such key"))[1]
        ledger.lose(lost_at, why)
    for key in env if isinstance(env, dict) else ():
        if key in section["env"]:
            ledger.carry(("env", key), f"evaluation.env.{key}")
        else:
            ledger.nothing(("env", key), "LeRobot fills it in")
    for at, to in ((("eval", "n_episodes"), "episodes"), (("eval", "batch_size"), "batch_size")):
        if to in section:
            ledger.carry(at, f"evaluation.{to}")
        elif ledger.has(*at):
            ledger.nothing(at, "chosen automatically")
    if isinstance(ledger.get("eval"), dict):
        ledger.nothing(("eval",), "rollouts run the same without it")
    if "every_n_steps" in section:
        ledger.carry(("env_eval_freq",), "evaluation.every_n_steps")
    else:
        every = _fields("TrainPipelineConfig")["env_eval_freq"]
        ledger.add("evaluation.every_n_steps", every, "lerobot-train's default", "env_eval_freq")
    seed = ledger.recipe.get("seed")
    if isinstance(seed, int) and seed != _fields("TrainPipelineConfig")["seed"]:
        ledger.add("evaluation.seed", seed, "lerobot-train seeds rollouts with `seed`", "seed")


def _wandb(ledger: Ledger) -> None:
    given = ledger.get("wandb")
    if not isinstance(given, dict) or not given.get("enable"):
        ledger.nothing(("wandb",), "wandb.enable is false")
        return
    (to, logger), *_ = counterpart("", "wandb", {**given, "enable": True}).items()
    ledger.carry(("wandb", "enable"), to, logger)
    for key, value in given.items():
        target, why, _ = COUNTERPARTS.get(("wandb", key), (None, "", False))
        if value is None:
            ledger.nothing(("wandb", key), DEFAULT)
        elif target:
            ledger.note(("wandb", key), target)
        elif why:
            ledger.nothing(("wandb", key), why)
    if "project" not in given:
        project = logger["init_args"]["project"]
        ledger.add("trainer.logger.init_args.project", project, "lerobot-train's default", "wandb.project")
    if ledger.get("job_name"):
        ledger.put("trainer.logger.init_args.name", ledger.get("job_name"))
