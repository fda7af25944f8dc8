"""The process that completes words which depend on the recipe or the installation: override keys, values, datasets.

    getiaction-complete overrides WORD [WORDS OF THE LINE …]
    getiaction-complete datasets WORD
    getiaction-complete policies WORD
    getiaction-complete loggers WORD
    getiaction-complete runs WORD
    getiaction-complete recipes WORD

prints one candidate per line, followed by a tab and its description. Standard library only. It never prints an error:
without candidates it prints nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from getiaction.spec.dataset_layout import DEMOS

_POLICY_CLASS = re.compile(r"^\s*class_path:\s*[\"']?getiaction\.policies\.lerobot\.(\w+)", re.MULTILINE)
_POLICY_NAME = re.compile(r"^\s*policy_name:\s*[\"']?(\w+)", re.MULTILINE)
_REPO_ID = re.compile(r"^\s*repo_id:\s*[\"']?([\w.-]+/[\w.-]+)", re.MULTILINE)
_BASE = re.compile(r"^base:[^\n]*(?:\n[ \t]*-[^\n]*|\n[ \t]+[^\n]*)*", re.MULTILINE)
_ENTRIES = re.compile(r"--data\.(?:init_args\.)?datasets\.")
_RUNS = re.compile(r"[$`;&|<>]")  # a command in a command line
_ENTRY = re.compile(r"--data\.(?:init_args\.)?datasets\.\d+\.")
_NAMED = re.compile(r"[\w./+@-]+\.ya?ml\b")
_MAX_BASES = 8
_MAX_BYTES = 1_000_000
_MAX_RECIPES = 200
_MAX_RUNS = 200

Candidate = tuple[str, str]


def main() -> None:
    """Print the candidates for one word."""
    kind, word, *line = [*sys.argv[1:], "", ""][: max(2, len(sys.argv) - 1)]
    named = {"datasets": datasets, "policies": policies, "loggers": loggers, "runs": runs, "recipes": recipes}
    named["environments"] = environments
    candidates = named[kind]() if kind in named else overrides(word, line)
    seen = {word} if word.endswith(".") else set()  # don't offer a section as its own completion
    for value, help in candidates:
        # Names in files and folders may contain control characters, and bash inserts a word without quoting it.
        if value.startswith(word) and value not in seen and value.isprintable() and not _RUNS.search(value):
            seen.add(value)
            print(f"{value}\t{help}")  # noqa: T201 - the output of this program


# -- override keys and values ----------------------------------------------------------------------------------------


def overrides(word: str, line: list[str]) -> Iterator[Candidate]:
    """Candidates for an override: its key ("--trainer.acc"), or its value after "=" or as the next word.

    Args:
        word: the word before the cursor.
        line: the words before that word.
    """
    from getiaction_cli.completion.index import load

    index = load()
    text = "".join(_with_bases(_path(other)) for other in line if other.endswith((".yaml", ".yml")))
    policy, wrapped = _policy(text, line, index)
    fields = _fields(line, index)
    key, equals, begun = word.partition("=")
    if equals:
        for value, help in (*_values(key.lstrip("-"), policy, fields, index), *_folders(key, begun)):
            yield f"{key}={value}", help
    elif line and line[-1].startswith("--") and "." in line[-1] and "=" not in line[-1] and not word.startswith("-"):
        yield from _values(line[-1].lstrip("-"), policy, fields, index)
        yield from _folders(line[-1], word)
    else:
        yield from _keys(word, policy, wrapped, fields, index)
        yield from _entry_keys(word, text, index)


def _with_bases(path: str) -> str:
    """A recipe's text, followed by the texts of its bases."""
    text = _read(path)
    section = _BASE.search(text)
    names = _NAMED.findall(section[0]) if section else []
    return text + "".join(_read(os.path.join(os.path.dirname(path), name)) for name in names[:_MAX_BASES])  # noqa: PTH118, PTH120


def _path(word: str) -> str:
    """The file that a word names, also as `--config=FILE`."""
    return word.partition("=")[2] if word.startswith("--") else word


def _policy(text: str, line: list[str], index: dict[str, Any]) -> tuple[str, bool]:
    """The policy of the recipe or of an override, and whether it uses the general wrapper."""
    for key, value in _options(line):
        if key.endswith("policy_name"):
            return value, True
        if key in ("--model", "--model.class_path"):
            for name, policy in index["policies"].items():
                if value.rpartition(".")[2].lower() in (name, policy["class_path"].rpartition(".")[2].lower()):
                    return name, False
    found = _POLICY_CLASS.search(text)
    if found and found[1] == "LeRobotPolicy":
        name = _POLICY_NAME.search(text)
        return name[1] if name else "", True
    for name, policy in index["policies"].items():
        if found and policy["class_path"].endswith(f".{found[1]}"):
            return name, False
    return "", False


def _fields(line: list[str], index: dict[str, Any]) -> dict[str, Any]:
    """The fields of the environment that `--env TYPE` names, or of all environments."""
    named = next((value for key, value in _options(line) if key == "--env"), "")
    fields: dict[str, Any] = index["environments"].get(named) or _fields_of_all(index["environments"])
    return fields


def _options(line: list[str]) -> Iterator[tuple[str, str]]:
    """Each word of the line as an option with its value: after "=", or the next word."""
    for place, other in enumerate(line):
        key, equals, value = other.partition("=")
        yield key, value if equals else "".join(line[place + 1 : place + 2])


def _keys(word: str, policy: str, wrapped: bool, fields: dict[str, Any], index: dict[str, Any]) -> Iterator[Candidate]:
    own = index["policies"].get(policy, {"keys": {}})["keys"]
    sections = {
        "--model.init_args.": index["model"] | ({} if wrapped else own),
        "--model.init_args.config_kwargs.": own,
        "--data.init_args.": index["data"],
        "--trainer.": index["trainer"],
        "--evaluation.": {key: about for key, about in index["evaluation"].items() if key != "env"},
        "--evaluation.env.": {"type": {"help": "which environment"}} | fields,
        "--env.": fields,
        **{f"--model.{home}{name}.": keys for name, keys in index["sections"].items() for home in ("init_args.", "")},
    }
    if word.count(".") == 0:
        yield from (("--model.", "the policy"), ("--data.", "the dataset"), ("--trainer.", "Lightning's Trainer"))
        yield "--evaluation.", "rollouts in simulation"
        yield from (("--seed", "makes a run repeatable"), ("--output_dir", "where the run is kept"))
        return
    yield from (
        ("--model.class_path", "which policy class"),
        ("--model.init_args.", "the policy's arguments"),
        ("--data.class_path", "which data module class"),
        ("--data.init_args.", "the data module's arguments"),
        ("--evaluation.env.", "the simulated environment"),
    )
    for section, keys in sections.items():
        if word.startswith(section):
            if section == "--model.init_args." and "config_kwargs" in keys:
                yield "--model.init_args.config_kwargs.", "fields of the policy's LeRobot config"
            for key, about in keys.items():
                if key != "config_kwargs" and (wrapped or key != "policy_name"):
                    yield section + key, about["help"]
    # Short forms are only offered after a letter of the key, because they would hide the sections.
    for short, keys in (("--model.", index["model"] | own), ("--data.", index["data"])):
        if word.startswith(short) and len(word) > len(short) and word.count(".") == 1:
            for key, about in keys.items():
                yield short + key, about["help"]


def _entry_keys(word: str, text: str, index: dict[str, Any]) -> Iterator[Candidate]:
    """The entries of a recipe's `datasets`, and the keys of each."""
    if within := _ENTRY.match(word):
        yield from ((within[0] + key, about["help"]) for key, about in index["dataset"].items())
    elif "datasets:" in text and (within := _ENTRIES.match(word)):
        for number in range(max(text.count("repo_id:"), text.count("root:"))):
            yield f"{within[0]}{number}.", "a dataset of `datasets`"


def _values(key: str, policy: str, fields: dict[str, Any], index: dict[str, Any]) -> Iterator[Candidate]:
    section, _, name = key.rpartition(".")
    if name == "class_path":
        if section == "data":
            yield index["datamodule"], "a LeRobot dataset"
        elif "image_transforms" in section:
            yield from index["objects"]["image_transforms"].items()
        elif section.startswith("trainer."):
            yield from index["objects"].get(section.split(".")[1], {}).items()
        else:
            yield index["wrapper"], "any policy by name"
            yield from ((known["class_path"], known["help"]) for known in index["policies"].values())
    elif name == "policy_name":
        yield from policies()
    elif section in ("env", "evaluation.env"):
        words = index["environments"] if name == "type" else fields.get(name, {"words": []})["words"]
        yield from ((value, "") for value in words)
    elif section.startswith("data") and name == "image_transforms":
        yield from ((path.rpartition(".")[2], help) for path, help in index["objects"][name].items())
    elif section == "trainer" and name.rstrip("+") in index["objects"]:
        kind = name.rstrip("+")
        yield from ((path.rpartition(".")[2], help) for path, help in index["objects"][kind].items())
        yield from ((value, "") for value in index["trainer"].get(kind, {"words": []})["words"])
    elif name == "repo_id" and section.startswith("data"):
        yield from datasets()
    else:
        own = index["policies"].get(policy, {"keys": {}})["keys"]
        known = {"trainer": index["trainer"], "data": index["data"], "evaluation": index["evaluation"]}
        nested = index["sections"].get(section.removeprefix("model.").removeprefix("init_args."))
        keys = nested or known.get(section.split(".")[0], index["model"] | own)
        yield from ((value, "") for value in keys.get(name, {"words": []})["words"])


def _folders(key: str, begun: str) -> Iterator[Candidate]:
    """Folders for the value of a `root`; empty for another key."""
    if key.startswith("--data.") and key.endswith(".root"):
        above = begun[: begun.rfind("/") + 1]
        for name in _entries(os.path.expanduser(above or ".")):  # noqa: PTH111
            if os.path.isdir(os.path.expanduser(above + name)):  # noqa: PTH111, PTH112
                yield f"{above}{name}/", ""


def _fields_of_all(environments: dict[str, Any]) -> dict[str, Any]:
    """The fields of all environments, with the values of equally named fields merged."""
    fields: dict[str, Any] = {}
    for keys in environments.values():
        for key, about in keys.items():
            words = fields.get(key, {"words": []})["words"]
            fields[key] = {**about, "words": list(dict.fromkeys([*words, *about["words"]]))}
    return fields


def policies() -> Iterator[Candidate]:
    """Every policy that LeRobot or a plugin registers."""
    from getiaction_cli.completion.index import load

    yield from ((name, about["help"]) for name, about in load()["policies"].items())


def loggers() -> Iterator[Candidate]:
    """Lightning's loggers, by the short names that --logger takes."""
    from getiaction_cli.completion.index import load

    for path, help in load()["objects"]["logger"].items():
        yield path.rpartition(".")[2].removesuffix("Logger").lower(), help


def environments() -> Iterator[Candidate]:
    """LeRobot's simulated environments."""
    from getiaction_cli.completion.index import load

    yield from ((name, "") for name in load()["environments"])


# -- runs and recipes ------------------------------------------------------------------------------------------------


def runs() -> Iterator[Candidate]:
    """The runs in outputs/RECIPE/TIME of this folder, newest first."""
    found = [run for recipe in _entries("outputs", "outputs") for run in _entries(recipe, recipe)]
    for run in sorted(found, key=os.path.basename, reverse=True)[:_MAX_RUNS]:
        if os.path.isfile(f"{run}/recipe.yaml"):  # noqa: PTH113
            saved = os.path.isfile(f"{run}/checkpoints/last.ckpt")  # noqa: PTH113
            yield run, "can be resumed" if saved else "no checkpoint"


def recipes() -> Iterator[Candidate]:
    """The recipes that ship with getiaction."""
    from getiaction_cli import shipped

    for name in shipped.names():
        yield name, shipped.summary(name)


# -- dataset ids -----------------------------------------------------------------------------------------------------


def datasets() -> Iterator[Candidate]:
    """The demo datasets, the datasets in LeRobot's home, and those in the recipes of this folder."""
    yield from ((repo_id, "ships with getiaction") for repo_id in DEMOS)
    home = os.environ.get("HF_LEROBOT_HOME") or os.path.join(_hf_home(), "lerobot")  # noqa: PTH118 - no pathlib here
    for owner in _entries(home):
        for name in _entries(f"{home}/{owner}"):
            if os.path.isfile(f"{home}/{owner}/{name}/meta/info.json"):  # noqa: PTH113
                yield f"{owner}/{name}", "in LeRobot's home"
    recipes = [
        file for folder in (".", "recipes") for file in _entries(folder, folder) if file.endswith((".yaml", ".yml"))
    ]
    for recipe in recipes[:_MAX_RECIPES]:
        for repo_id in _REPO_ID.findall(_read(recipe)):
            yield repo_id, f"in {recipe.removeprefix('./')}"


def _hf_home() -> str:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return os.environ.get("HF_HOME") or f"{cache}/huggingface"


def _entries(folder: str, prefix: str = "") -> list[str]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    return [f"{prefix}/{name}" if prefix else name for name in names if not name.startswith(".")]


def _read(path: str) -> str:
    try:
        if not os.path.isfile(os.path.expanduser(path)):  # noqa: PTH111, PTH113 - reading a pipe would block
            return ""
        with open(os.path.expanduser(path), encoding="utf-8", errors="replace") as handle:  # noqa: PTH111, PTH123
            return handle.read(_MAX_BYTES)
    except OSError:
        return ""


if __name__ == "__main__":
    main()
