"""Convert a configuration of LightningCLI (the original project, physicalai, `--print_config`) to a recipe."""

from __future__ import annotations

import copy
from typing import Any

from getiaction_cli.analysis.class_objects import class_called, required_arguments
from getiaction_cli.analysis.class_paths import Verdict, class_paths
from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.from_lerobot import DEFAULT, OFF, is_whole, own_optimizer, same
from getiaction_cli.analysis.ledger import Ledger, Path
from getiaction_cli.analysis.recipe_schema import Section, sections
from getiaction_cli.analysis.renamed_keys import COUNTERPARTS, WITHOUT_EFFECT, counterpart
from getiaction_cli.analysis.unknown_keys import classify, is_slip, policy_of
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe, read
from getiaction_cli.recipe.layout import OBJECT_HOMES
from getiaction_cli.recipe.writing import write

_NOTHING: tuple[Any, ...] = (None, False, [], {}, "")


def convert(recipe: Recipe) -> Ledger:
    """Decide on every key of a LightningCLI configuration."""
    source = recipe.plain()
    if isinstance(source.get("fit"), dict):  # LightningCLI saves it in this form outside of a subcommand
        source = {**{key: value for key, value in source.items() if key != "fit"}, **source["fit"]}
    ledger = Ledger(source, copy.deepcopy(source))
    _classes(ledger, recipe.file)
    _named_objects(ledger)
    meant = _reread(ledger, recipe.file)
    _rollouts(ledger, meant)
    policy = policy_of(meant)
    paths = {".".join(leaf[:end]): leaf[:end] for leaf in ledger.leaves for end in range(1, len(leaf) + 1)}
    # The top-level keys come last: an optimizer replaces the policy's parameters.
    for section in sorted(sections(meant, policy), key=lambda section: not section.route):
        for key in meant.keys(section.route):
            path = paths.get(section.at(key))
            if path is not None and ledger.open(path):
                _key(ledger, meant, policy, section, path)
    for path in list(ledger.undecided()):
        if ledger.holds(*path):
            ledger.keep(path)
        else:
            ledger.lose(path, "a recipe has no such key")
    return ledger


def _reread(ledger: Ledger, name: str) -> Recipe:
    return read(name, text=write(ledger.recipe))


def _classes(ledger: Ledger, name: str) -> None:
    """Replace class paths of other projects, and classes that are written without a section."""
    for key in ("model", "data"):
        if isinstance(ledger.recipe.get(key), str):
            ledger.carry((key,), f"{key}.class_path")
    for wrong in class_paths(_reread(ledger, name)):
        path = tuple(wrong.route.split("."))
        if not ledger.has(*path):  # written as a word
            path = path[:1]
        if wrong.verdict is Verdict.MEANT:
            ledger.recarry(path, wrong.route, wrong.meant)
            for route, value in wrong.also:
                ledger.put(route, value)
        elif path[0] == "trainer":
            ledger.lose(path[:-1], wrong.help)
            ledger.remove(path[:-1])
        else:
            ledger.lose(path, wrong.help)


def _named_objects(ledger: Ledger) -> None:
    """Replace names of loggers and callbacks, such as `logger: wandb`, by sections."""
    for kind in ("callbacks", "logger", "plugins"):
        value, path = ledger.get("trainer", kind), ("trainer", kind)
        entries = value if isinstance(value, list) else [value]
        if not any(isinstance(entry, str) and entry for entry in entries):
            continue
        classes = [class_called(kind, entry) if isinstance(entry, str) else "" for entry in entries]
        if any(isinstance(e, str) and (not c or required_arguments(c)) for e, c in zip(entries, classes, strict=True)):
            ledger.lose(path, f"write each as a section with a class_path of {OBJECT_HOMES[kind]}")
            ledger.remove(path)
            continue
        made = [{"class_path": c} if isinstance(e, str) else e for e, c in zip(entries, classes, strict=True)]
        ledger.carry(path, f"trainer.{kind}", made if isinstance(value, list) else made[0])


def _rollouts(ledger: Ledger, recipe: Recipe) -> None:
    found = foreign_evaluation(recipe)
    if found is None:
        return
    wanted = found.section is not None and not recipe.get("evaluation")
    if wanted:
        ledger.recipe["evaluation"] = found.section
    for route in found.routes:
        path = tuple(route.split("."))
        for leaf in [leaf for leaf in ledger.leaves if leaf[: len(path)] == path]:
            if leaf[-1] in found.lost or ".".join(leaf) in found.lost:
                ledger.lose(leaf, "the section `evaluation` has no such key")
        to = _TO.get(path[-1], "evaluation.env")
        if ledger.get(*path) in _NOTHING:
            ledger.nothing(path, OFF)
        elif wanted and ledger.holds(*to.split(".")):
            ledger.note(path, to)
        else:
            ledger.lose(path, "write `evaluation: {env: {type: …}, episodes: 20}`; `getiaction schema` has its keys")
        ledger.remove(path)


_TO = {
    "env_eval_freq": "evaluation.every_n_steps",
    "eval_freq": "evaluation.every_n_steps",
    "eval": "evaluation.episodes",
    "num_rollouts": "evaluation.episodes",
    "num_rollouts_eval": "evaluation.episodes",
    "num_rollouts_val": "evaluation.episodes",
    "num_rollouts_test": "evaluation.episodes",
    "max_episode_steps": "evaluation.env.episode_length",
}


def _key(ledger: Ledger, recipe: Recipe, policy: PolicyClass | None, section: Section, path: Path) -> None:
    key, value = path[-1], ledger.get(*path)
    if key in section.keys or (section.open and not is_slip(section, key)):
        known = section.keys.get(key)
        default = known.default if known is not None else None
        if policy is not None and section.name == policy.class_name and key in policy.fields:
            default = policy.fields[key].default
        optional = known is not None and not known.required
        if optional and same(value, default) and (value is None or is_whole(ledger.get(*path[:-1]), section.keys)):
            ledger.nothing(path, DEFAULT)
            ledger.remove(path)
        elif not isinstance(value, dict | list):
            ledger.keep(path)
        return
    ledger.remove(path)
    if key in WITHOUT_EFFECT and section.route.startswith("model"):
        if value in _NOTHING or key != "use_amp":
            ledger.nothing(path, WITHOUT_EFFECT[key])
        else:
            ledger.lose(path, WITHOUT_EFFECT[key])
    elif not section.route and key in ("optimizer", "lr_scheduler") and isinstance(value, dict):
        parameter = "optimizer" if key == "optimizer" else "scheduler"
        own_optimizer(ledger, path, str(value.get("class_path")), value.get("init_args") or {}, policy, parameter)
        for rest in ("class_path", "init_args"):
            ledger.nothing((*path, rest), "the policy's own is the same")
    elif key == "seed_everything" and isinstance(value, bool):
        ledger.nothing(path, "a run without a seed draws one and keeps it")
    else:
        _stray(ledger, recipe, policy, section, path)


def _stray(ledger: Ledger, recipe: Recipe, policy: PolicyClass | None, section: Section, path: Path) -> None:
    key, value = path[-1], ledger.get(*path)
    stray = classify(recipe, policy, section, key)
    home = "model.init_args" if section.route == "model.init_args.config_kwargs" else section.route
    known = COUNTERPARTS.get((home, key))
    meant = {} if stray.target else counterpart(home, key, value)
    if value in _NOTHING and not (stray.target and value == 0):
        ledger.nothing(path, (known.why if known and not known.lost else "") or OFF)
    elif stray.target and stray.sure and stray.kind in ("renamed", "misplaced"):
        if not recipe.has(stray.target):
            ledger.carry(path, stray.target)
        elif same(value, recipe.get(stray.target)):
            ledger.nothing(path, f"`{stray.target}` says the same")
        else:
            ledger.lose(path, f"`{stray.target}` is given too, with another value")
    elif meant and not any(recipe.has(to) for to in meant):
        for to, setting in meant.items():
            ledger.put(to, setting)
        ledger.note(path, next(iter(meant)))
    elif known is not None and not known.lost:
        ledger.nothing(path, known.why)
    else:
        where = f"it is a parameter of {', '.join(stray.others)}" if stray.others else f"{section.name} has no such key"
        likely = stray.target.rpartition(".")[2] or (stray.near[0] if stray.near else "")
        ledger.lose(path, stray.why or where + (f"; did you mean `{likely}`?" if likely else ""))
