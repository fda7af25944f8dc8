"""Checks of untrusted input: checkpoints, datasets, recipes and responses of the Hub.

Untrusted input never chooses code to run. Only regular files of limited size are read; JSON and checkpoints are rebuilt
from plain values; steps of processors must be LeRobot's own; further Python code is only loaded from repositories that
LeRobot itself names. docs/security.md lists what each command may run, write and delete.

Standard library only, so that the command line can use the same checks without torch.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import stat
import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from getiaction.errors import TrainingError

MAX_JSON = 64 << 20
MAX_HEADER = 100 << 20  # safetensors' own limit
MAX_DEPTH = 100

# Names of Hub repositories or folders, separated by commas: code in them may run. Only the user's own shell sets it.
ALLOW_CODE = "GETIACTION_ALLOW_CODE_FROM"

PROCESSORS = ("policy_preprocessor.json", "policy_postprocessor.json")

_PLAIN = (type(None), bool, int, float, str)
_DATA = (*_PLAIN, bytes, bytearray, complex)
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


class Refused(TrainingError):  # noqa: N818 - a decision, not a malfunction
    """Untrusted input was rejected, because using it could run, write or delete something of its choice."""


# Files ---------------------------------------------------------------------------------------------------------------


def open_regular(path: str | Path, most: int | None = None) -> BinaryIO:
    """Open a regular file for reading; links to one are followed.

    Args:
        path: the file.
        most: maximum size in bytes; None for no limit.

    Raises:
        OSError: it can't be opened, is not a regular file (opening a pipe would block forever, reading a device would
            not end), or is larger than ``most``.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        found = os.fstat(number)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        if most is not None and found.st_size > most:
            raise OSError(errno.EFBIG, f"Larger than {most >> 20} MB", str(path))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_bytes(path: str | Path, most: int = MAX_JSON) -> bytes:
    """Read a regular file of at most ``most`` bytes.

    Raises:
        OSError: as in `open_regular`.
    """
    with open_regular(path, most) as file:
        content = file.read(most + 1)
    if len(content) > most:  # it grew after it was opened
        raise OSError(errno.EFBIG, f"Larger than {most >> 20} MB", str(path))
    return content


def read_json(path: str | Path, most: int = MAX_JSON) -> Any:
    """Read a JSON file.

    Raises:
        OSError: as in `open_regular`.
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(read_bytes(path, most))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def check_dataset(root: Path) -> None:
    """Check a dataset's metadata before LeRobot opens its files and follows the paths in info.json.

    Raises:
        Refused: a file under meta/ is not a regular file, or a path leads out of the dataset.
    """
    for folder, _, names in os.walk(root / "meta"):
        for name in names:
            _check_kind(Path(folder, name), "a dataset")
    try:
        info = read_json(root / "meta" / "info.json")
    except (OSError, ValueError):
        return  # LeRobot reports what is wrong with it
    for key in ("data_path", "video_path"):
        template = info.get(key) if isinstance(info, dict) else None
        if isinstance(template, str) and (
            template.startswith(("/", "~", "\\")) or ".." in re.split(r"[/\\]", template)
        ):
            raise Refused(f"{key} in {root / 'meta' / 'info.json'} leads out of the dataset: {_quoted(template)}")


def check_policy_folder(folder: Path) -> None:
    """Look at a folder with a pretrained policy before LeRobot opens what is in it.

    Raises:
        Refused: something in it is neither a regular file nor a folder; opening a pipe would wait for ever.
    """
    for path in sorted(folder.iterdir()):
        _check_kind(path, "a pretrained policy")


def check_run_folder(folder: Path) -> None:
    """Check a run folder before a resumed run writes into it.

    Raises:
        Refused: a link in it leads out of the folder, so that files elsewhere would be written.
    """
    for place in (folder, folder / "checkpoints", folder / "pretrained_model"):
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.is_symlink() and not is_inside(path, folder):
                raise Refused(
                    f"{path} is a link that leads out of the run folder, and resuming would write there",
                    f"if it is yours, replace it by what it leads to: {path.resolve()}",
                )
            _check_kind(path, "a run folder")


def _check_kind(path: Path, what: str) -> None:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise Refused(f"{path} is not a regular file", f"{what} has only files; remove it")


def is_inside(path: str | Path, folder: str | Path) -> bool:
    """Whether a path is below a folder after resolving links."""
    real, top = Path(path).resolve(), Path(folder).resolve()
    return real != top and real.is_relative_to(top)


def is_revision(text: str) -> bool:
    """Whether a text can be a branch, tag or commit, and is safe as a path inside the Hub's cache."""
    parts = text.split("/")
    return bool(re.fullmatch(r"[\w][\w./+@-]{0,249}", text)) and not any(part in ("", ".", "..") for part in parts)


# Values --------------------------------------------------------------------------------------------------------------


def plain(value: Any, what: str) -> Any:
    """Copy a value that consists of dictionaries, lists, strings, numbers, booleans and None, of exactly these types.

    Args:
        value: a value of a checkpoint or a JSON file.
        what: description of the value for the message.

    Raises:
        Refused: it contains any other type: objects and subclasses of dict may run code when they are used.
    """
    return _copy(value, what, _PLAIN, keep_kinds=False)


def _copy(value: Any, what: str, leaves: Collection[type], *, keep_kinds: bool) -> Any:
    """Rebuild a tree of containers. Shared parts stay shared: copying each reference could take exponential time."""
    made: dict[int, Any] = {}
    unfinished = object()

    def copy(value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in leaves or (keep_kinds and _is_tensor(value)):
            return value
        if id(value) in made and made[id(value)] is not unfinished:
            return made[id(value)]
        if id(value) in made or depth > MAX_DEPTH:
            raise Refused(f"{what} is nested too deeply")
        made[id(value)] = unfinished
        result: Any
        if kind in (dict, OrderedDict, defaultdict, Counter):
            if not keep_kinds and not all(type(key) is str for key in value):
                raise Refused(f"{what} has a key that is not a text")
            pairs = [(copy(key, depth + 1), copy(item, depth + 1)) for key, item in value.items()]
            result = OrderedDict(pairs) if keep_kinds and kind is OrderedDict else dict(pairs)
            if kind is OrderedDict and keep_kinds and "_metadata" in vars(value):  # torch's versions of its modules
                result._metadata = copy(value._metadata, depth + 1)
        elif kind in (list, tuple, set, frozenset) and (keep_kinds or kind in (list, tuple)):
            items = [copy(item, depth + 1) for item in value]
            result = kind(items) if keep_kinds else items
        else:
            raise Refused(f"{what} holds {kind.__module__}.{kind.__qualname__}, which is not a plain value")
        made[id(value)] = result
        return result

    try:
        return copy(value, 0)
    except RecursionError:
        raise Refused(f"{what} is nested too deeply") from None


def _is_tensor(value: Any) -> bool:
    """Whether this is a tensor or a related type of torch or numpy, without importing torch."""
    return type(value).__module__ in ("torch", "torch.nn.parameter", "numpy") and not callable(value)


# Checkpoints ---------------------------------------------------------------------------------------------------------


def checkpoint(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Copy a Lightning checkpoint that consists of tensors and plain containers without attributes.

    Args:
        content: the result of ``torch.load(…, weights_only=True)``.
        folder: folder of the checkpoint. Callbacks delete the files in their state when better ones are saved; files
            outside of this folder are removed from their state.

    Raises:
        Refused: it contains any other type.
    """
    clean: dict[str, Any] = _copy(content, "the checkpoint", _DATA, keep_kinds=True)
    arguments = clean.get("hyper_parameters")
    if isinstance(arguments, Mapping) and "_instantiator" in arguments:
        raise Refused("the checkpoint names a function to build the policy with")
    states = clean.get("callbacks")
    for state in states.values() if isinstance(states, dict) else ():
        if isinstance(state, dict) and "dirpath" in state:
            _drop_files_elsewhere(state, folder)
    return clean


def _drop_files_elsewhere(state: dict[str, Any], folder: Path) -> None:
    kept = state.get("best_k_models")
    if isinstance(kept, dict):
        state["best_k_models"] = {path: score for path, score in kept.items() if _is_ours(path, folder)}
    for name in _PATHS:
        if name in state and not _is_ours(state[name], folder):
            state[name] = ""


def _is_ours(path: Any, folder: Path) -> bool:
    return isinstance(path, str) and "://" not in path and path.endswith(".ckpt") and is_inside(path, folder)


def is_removable(path: str | Path) -> bool:
    """Whether a callback may delete this file: a checkpoint, not a folder or a link."""
    try:
        return "://" not in str(path) and Path(path).suffix == ".ckpt" and stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


# Processors ----------------------------------------------------------------------------------------------------------


class Steps(Protocol):
    """The steps that processors may contain."""

    def has_name(self, name: str) -> bool:
        """Whether a name is in LeRobot's registry of steps."""

    def has_class(self, path: str) -> bool:
        """Whether a path is that of a step's class."""


def processor(config: Any, steps: Steps, what: str) -> dict[str, Any]:
    """Check and copy the configuration of a processor pipeline, before LeRobot imports and calls what it names.

    Args:
        config: the content of policy_preprocessor.json, or of the same key of a checkpoint.
        steps: the allowed steps.
        what: description of the configuration for messages.

    Returns:
        A copy in plain values.

    Raises:
        Refused: a step is not one of ``steps``, or a value is not plain.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("steps"), list | tuple):
        raise Refused(f"{what} is not a processor: it has no list of steps")
    clean: dict[str, Any] = plain(config, what)
    for number, step in enumerate(clean["steps"]):
        where = f"step {number} of {what}"
        if not isinstance(step, dict):
            raise Refused(f"{where} is not a section")
        # LeRobot looks up a registered name first, even if it looks like a path.
        key = "registry_name" if "registry_name" in step else "class"
        name = step.get(key)
        known = steps.has_name if key == "registry_name" else steps.has_class
        if not isinstance(name, str) or not known(name):
            raise Refused(
                f"{where} asks for {_quoted(name)}, which is not one of LeRobot's processing steps",
                "nothing of it was loaded: use a checkpoint of someone you trust; a step of your own belongs in an "
                "installed plugin (lerobot_policy_…)",
            )
        if not isinstance(step.get("config", {}), dict):
            raise Refused(f"the config of {where} is not a section")
        file = step.get("state_file", "x")
        if not isinstance(file, str) or not re.fullmatch(r"[\w][\w.+-]*", file):
            raise Refused(f"the state_file of {where} is {_quoted(file)}, not the name of a file beside it")
    return clean


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


# Adapters ------------------------------------------------------------------------------------------------------------

ADAPTER_PATTERNS = ("target_modules", "exclude_modules", "modules_to_save", "rank_pattern", "alpha_pattern")
# The texts, lists and sections of adapter_config.json that lerobot-train writes. PEFT has others, which name modules to
# import, models and tokenizers to fetch and files to open; they keep the method's own values.
_ADAPTER_NAMES = (
    *ADAPTER_PATTERNS,
    "peft_type", "peft_version", "base_model_name_or_path", "revision", "bias", "init_lora_weights", "init_weights",
)  # fmt: skip
_MATCHING_SECONDS = 1.0


def adapter(config: Any, defaults: Mapping[str, Any], widest: int, what: str) -> dict[str, Any]:
    """The configuration of adapters, safe to hand to PEFT.

    Args:
        config: the content of adapter_config.json.
        defaults: the fields of this method in PEFT, with their defaults; other fields are left out.
        widest: the largest dimension of the adapters' weights. PEFT makes room for the rank before it reads them.
        what: what it is, for messages.

    Returns:
        A copy in plain values.

    Raises:
        Refused: a value is not plain, or is neither a number nor one that lerobot-train sets.
    """
    clean: dict[str, Any] = plain(config, what)
    kept = {key: value for key, value in clean.items() if key in defaults and key not in ("auto_mapping", "task_type")}
    for key, value in kept.items():
        if key not in _ADAPTER_NAMES and isinstance(value, str | list | dict) and value and value != defaults[key]:
            raise Refused(f"{key} of {what} is {_quoted(value)}, which adapters of a LeRobot policy never need")
    ranks = kept.get("rank_pattern") or {}
    for rank in (kept.get("r", 1), *(ranks.values() if isinstance(ranks, dict) else [ranks])):
        if not isinstance(rank, int) or not 1 <= rank <= widest:
            raise Refused(f"a rank in {what} is {_quoted(rank)}, and the adapters' weights have at most {widest}")
    return kept


def check_adapter_patterns(config: Mapping[str, Any], modules: Collection[str], what: str) -> None:
    """Make sure that PEFT can match the names of a policy's modules with the patterns of adapters in little time.

    Args:
        config: patterns by the key that holds them; None where there are none.
        modules: the names of the policy's modules.
        what: what the configuration is, for messages.

    Raises:
        Refused: one of them is not a pattern, or takes too long.
    """
    for key, value in config.items():
        given = value or ()
        for pattern in [given] if isinstance(given, str) else list(given):
            try:
                # PEFT searches for some of them behind any prefix.
                for form in (pattern, rf"(?:^|.*\.)(?:{pattern})(?:$|\..*)"):
                    matching(form, modules)
            except (TypeError, re.error, TimeoutError) as error:
                raise Refused(f"{key} of {what}: {_quoted(pattern)}: {error}", "name the layers in a list") from None


def matching(pattern: str, names: Iterable[str]) -> set[str]:
    """The names that a regular expression matches as a whole.

    Raises:
        re.error: it is not a regular expression.
        TimeoutError: it takes more than a second of CPU time; one of 20 characters can take years. Python's `re` can be
            stopped by a signal in the main thread, and on Windows not at all.
    """
    with _cpu_limit():
        try:
            compiled = re.compile(pattern)
        except (OverflowError, RecursionError) as error:
            raise re.error(str(error)) from error
        return {name for name in names if compiled.fullmatch(name)}


@contextlib.contextmanager
def _cpu_limit() -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError("matching it takes more than a second")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _MATCHING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# Code ----------------------------------------------------------------------------------------------------------------


def allowed_code() -> set[str]:
    """The repositories and folders from which the user allows code, by `ALLOW_CODE`."""
    return {name.strip() for name in os.environ.get(ALLOW_CODE, "").split(",")} - {""}


def may_load_code(source: str, revision: str | None, defaults: Collection[str]) -> bool:
    """Whether Python code of a Hub repository or folder may run.

    Args:
        source: the repository's id, or the folder.
        revision: branch, tag or commit; anyone may propose commits to a repository.
        defaults: strings that the installed LeRobot has as defaults for this policy.
    """
    if source in allowed_code():
        return True
    # A local folder of that name, for example in an unpacked archive, would be used instead of the repository.
    return source in defaults and not Path(source).is_dir() and (revision in (None, "main") or revision in defaults)


def no_foreign_kernels(values: Any, route: str = "") -> None:
    """Check that no parameter loads compiled code from the Hub, as transformers does for `org/name`.

    Raises:
        Refused: an `attn_implementation` is the name of a repository.
    """
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if isinstance(value, str) and str(key).endswith("attn_implementation") and "/" in value:
            raise Refused(f"{route}{key} is {_quoted(value)}: compiled code from the Hub is never loaded")
        no_foreign_kernels(value, f"{route}{key}.")


@contextlib.contextmanager
def no_foreign_code(defaults: Collection[str]) -> Iterator[None]:
    """Context in which transformers loads Python code only from `defaults` and places that the user allows.

    With ``trust_remote_code``, which LeRobot sets for some policies, transformers runs modules from the repository of a
    model or tokenizer, and an untrusted configuration names that repository.

    Raises:
        Refused: code from any other place would be loaded.
    """
    try:
        from transformers import dynamic_module_utils as loader
    except ImportError:  # without transformers there is nothing to restrict
        yield
        return
    original: Callable[..., str] = loader.get_cached_module_file
    timeout = loader.TIME_OUT_REMOTE_CODE

    def guarded(source: Any, module_file: str, *args: Any, **kwargs: Any) -> str:
        if not may_load_code(str(source), kwargs.get("revision"), defaults):
            raise Refused(
                f"{source} holds Python code ({module_file}) that would be run",
                f"if you trust it: {ALLOW_CODE}={source} before the command",
            )
        return original(source, module_file, *args, **kwargs)

    loader.get_cached_module_file = guarded
    loader.TIME_OUT_REMOTE_CODE = 0  # no interactive question
    try:
        yield
    finally:
        loader.get_cached_module_file = original
        loader.TIME_OUT_REMOTE_CODE = timeout
