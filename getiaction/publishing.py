"""Uploading a trained policy to the Hugging Face Hub, so that `lerobot-eval --policy.path=user/name` runs it.

Only what LeRobot itself uploads leaves this machine: weights, configurations and the model card of `pretrained_model/`.
Imports neither torch nor LeRobot.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.errors import TrainingError
from getiaction.spec.hub_cache import is_offline
from getiaction.spec.publishing import Upload, name_problem
from getiaction.spec.run_folder import CHECKPOINTS, EVALUATION

CARD = "README.md"
METRICS = "metrics.csv"
LOSSES = ("train/loss", "val/loss")
_ROLLOUT_METRIC = re.compile(r"eval/\w+")
SUFFIXES = (".safetensors", ".json", ".yaml", ".md")  # LeRobot's own choice
# What LeRobot's template of a model card has where this module writes something else.
UNNAMED = "--policy.path=<hf_user>/<policy_repo_id>"
UNEVALUATED = "_No evaluation results have been provided for this policy yet._"


class PublishingError(TrainingError):
    """The policy can't be uploaded."""


@dataclass(frozen=True)
class Account:
    """Whose token uploads.

    Args:
        name: the user's name.
        exists: whether the repository is there already.
    """

    name: str
    exists: bool


def check(upload: Upload) -> Account:
    """Make sure that an upload can succeed: name, token, permission. Writes nothing.

    Raises:
        PublishingError: it can't.
    """
    from huggingface_hub import HfApi, get_token

    if wrong := name_problem(upload.repo_id):
        raise PublishingError(f"{upload.repo_id or 'an empty name'!s} can't be uploaded to: {wrong}", "user/name")
    if is_offline():
        raise PublishingError("HF_HUB_OFFLINE is set, so that nothing can be uploaded", "unset HF_HUB_OFFLINE")
    if not get_token():
        raise PublishingError("there is no Hugging Face token on this machine", "log in: hf auth login")
    api = HfApi()
    with _in_plain_words(upload.repo_id):
        me = api.whoami()
        name, owner = str(me.get("name")), upload.repo_id.partition("/")[0]
        owners = [name, *(str(each.get("name")) for each in me.get("orgs") or ())]
        if owner not in owners:
            raise PublishingError(
                f"{owner} is neither the user of this machine's token ({name}) nor one of its organizations",
                f"name a repository of {', '.join(owners)}, or log in with another token: hf auth login",
            )
        if not _may_write(me):
            raise PublishingError(
                "this machine's Hugging Face token may only read",
                "make one that may write at https://huggingface.co/settings/tokens, then: hf auth login",
            )
        return Account(name, api.repo_exists(upload.repo_id))


def push(folder: Path, upload: Upload, evaluation: str = "") -> str:
    """Upload a `pretrained_model` folder in one commit; returns the address of the repository.

    Args:
        folder: as LeRobot or getiaction saved it; without a model card, none is uploaded.
        upload: where to; a repository that is not there is made.
        evaluation: Markdown for the card's section Evaluation; empty for none.

    Raises:
        PublishingError: the Hub refused it, or could not be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    operations = [
        CommitOperationAdd(
            path.name, card_text(folder, upload.repo_id, evaluation).encode() if path.name == CARD else str(path)
        )
        for path in files(folder)
    ]
    with _in_plain_words(upload.repo_id):
        url = api.create_repo(upload.repo_id, private=upload.private, exist_ok=True)
        api.create_commit(url.repo_id, operations, commit_message="Upload policy weights, configuration and model card")
        return str(url)


def files(folder: Path) -> list[Path]:
    """The files of a `pretrained_model` folder that are uploaded: regular files of LeRobot's kinds, no links."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.suffix in SUFFIXES and not path.name.startswith(".")
    )


def card_text(folder: Path, repo_id: str, evaluation: str = "") -> str:
    """The model card of a folder, with the name under which it is uploaded and with the evaluation."""
    text = (folder / CARD).read_text("utf-8")
    text = text.replace(UNNAMED, f"--policy.path={repo_id}")
    return text.replace(UNEVALUATED, evaluation) if evaluation else text


def evaluation_of(run: Path) -> str:
    """Return what a run measured as a Markdown table: its last rollouts, its best loss, its error on recorded episodes.

    Args:
        run: a run folder, which may be a stranger's: only numbers and plain names of it reach the table.

    Returns:
        The table; empty where nothing was measured.
    """
    rows = [*_last_rollouts(run / METRICS), *_best_loss(run / CHECKPOINTS / "best.json"), *_open_loop(run / EVALUATION)]
    if not rows:
        return ""
    lines = [f"| {name} | {value} | {step} |" for name, value, step in rows]
    return "\n".join(["| Measure | Value | Step |", "| --- | ---: | ---: |", *lines])


def _last_rollouts(metrics: Path) -> list[tuple[str, str, str]]:
    found: dict[str, tuple[str, str]] = {}
    with contextlib.suppress(OSError, csv.Error), trust.open_regular(metrics) as file:
        for line in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")):
            for name, value in line.items():
                if name and _ROLLOUT_METRIC.fullmatch(name) and isinstance(value, str) and _is_number(value):
                    found[name] = value.strip(), _step(line.get("step"))
    return [(name, *rest) for name, rest in found.items()]


def _best_loss(file: Path) -> list[tuple[str, str, str]]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        best = trust.read_json(file)
        if best["of"] in LOSSES:
            return [(f"lowest {best['of']}", f"{float(best['loss']):.4g}", _step(best["step"]))]
    return []


def _open_loop(file: Path) -> list[tuple[str, str, str]]:
    """The error on recorded episodes beside that of holding still, as shares of each joint's range."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        kept = trust.read_json(file)
        part = kept["part"] if kept["part"] in ("held-out", "training", "new") else "recorded"
        error, still = float(kept["error"]), float(kept["holding_still"]["error"])
        count, step = len(kept["episodes"]), _step(kept["trained_steps"])
        where = f"{count} {part} episode{'' if count == 1 else 's'}"
        return [
            (f"action error on {where}, share of range", f"{error:.2%}", step),
            ("the same for holding still", f"{still:.2%}", step),
        ]
    return []


def _is_number(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return math.isfinite(float(text))
    return False


def _step(value: Any) -> str:
    return str(value) if str(value).isdecimal() else ""


def _may_write(me: dict[str, Any]) -> bool:
    """Whether the token may write somewhere; which repositories a fine-grained one may write is the Hub's to say."""
    token = (me.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "fineGrained":
        scopes = (token.get("fineGrained") or {}).get("scoped") or ()
        return any("repo.write" in (scope.get("permissions") or ()) for scope in scopes)
    return token.get("role") != "read"


@contextlib.contextmanager
def _in_plain_words(repo_id: str) -> Any:
    """Turn what the Hub's client raises into one line and a hint."""
    import httpx
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status == 401:
            raise PublishingError("the Hub does not accept this machine's token", "hf auth login") from error
        if status == 403:
            raise PublishingError(
                f"this machine's token may not write to {repo_id}",
                "give it write access at https://huggingface.co/settings/tokens, then: hf auth login",
            ) from error
        reason = (str(error).strip().splitlines() or [""])[-1]
        raise PublishingError(f"the Hub refused {repo_id}: {reason}") from error
    except (httpx.HTTPError, OSError) as error:
        raise PublishingError(f"the Hub can't be reached: {error}", "try again later") from error
