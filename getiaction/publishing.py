"""Uploading a trained policy to the Hugging Face Hub, so that `lerobot-eval --policy.path=user/name` runs it.

Only what LeRobot itself uploads leaves this machine: weights, configurations and the model card of `pretrained_model/`.
Imports neither torch nor LeRobot.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getiaction.errors import TrainingError
from getiaction.spec.publishing import Upload, name_problem

CARD = "README.md"
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
    if _offline():
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
        folder: as LeRobot or getiaction saved it, with its model card.
        upload: where to; a repository that is not there is made.
        evaluation: Markdown for the card's section Evaluation; empty for none.

    Raises:
        PublishingError: the Hub refused it, or could not be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    card = card_text(folder, upload.repo_id, evaluation)
    operations = [
        CommitOperationAdd(path.name, card.encode() if path.name == CARD else str(path)) for path in files(folder)
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
    """Return what a run measured as a Markdown table: its last rollouts and its best loss; empty for nothing."""
    rows: dict[str, tuple[str, str]] = {}
    with contextlib.suppress(OSError, csv.Error), (run / "metrics.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            for name, value in line.items():
                if name and name.startswith("eval/") and value:
                    rows[name] = value, str(line.get("step", ""))
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        best = json.loads((run / "checkpoints" / "best.json").read_text())
        rows[f"lowest {best['of']}"] = f"{best['loss']:.4g}", str(best["step"])
    if not rows:
        return ""
    lines = [f"| {name} | {value} | {step} |" for name, (value, step) in rows.items()]
    return "\n".join(["| Measure | Value | Step |", "| --- | ---: | ---: |", *lines])


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


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
