"""Upload a trained policy to the Hugging Face Hub, so that `lerobot-eval --policy.path=user/name` runs it.

Only files that LeRobot itself uploads are sent: weights, configurations and the model card of `pretrained_model/`.
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
SUFFIXES = (".safetensors", ".json", ".yaml", ".md")  # the same as in LeRobot
# Placeholders in LeRobot's model card template that this module replaces.
UNNAMED = "--policy.path=<hf_user>/<policy_repo_id>"
UNEVALUATED = "_No evaluation results have been provided for this policy yet._"


class PublishingError(TrainingError):
    """The policy can't be uploaded."""


@dataclass(frozen=True)
class Account:
    """The account of the upload.

    Args:
        name: the user's name.
        exists: whether the repository exists already.
    """

    name: str
    exists: bool


def check(upload: Upload) -> Account:
    """Check that an upload can succeed: name, token, permission. Writes nothing.

    Raises:
        PublishingError: the upload would fail.
    """
    from huggingface_hub import HfApi, get_token

    if wrong := name_problem(upload.repo_id):
        raise PublishingError(f"{upload.repo_id or 'an empty name'!s} can't be uploaded to: {wrong}", "user/name")
    if is_offline():
        raise PublishingError("HF_HUB_OFFLINE is set, so that nothing can be uploaded", "unset HF_HUB_OFFLINE")
    if not get_token():
        raise PublishingError("there is no Hugging Face token on this machine", "log in: hf auth login")
    api = HfApi()
    with _hub_errors(upload.repo_id):
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
        folder: the folder to upload; its model card is optional.
        upload: the repository, which is created if it does not exist.
        evaluation: Markdown for the card's section Evaluation; empty for none.

    Raises:
        PublishingError: the Hub rejected it, or could not be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    operations = [
        CommitOperationAdd(
            path.name, card_text(folder, upload.repo_id, evaluation).encode() if path.name == CARD else str(path)
        )
        for path in files(folder)
    ]
    with _hub_errors(upload.repo_id):
        url = api.create_repo(upload.repo_id, private=upload.private, exist_ok=True)
        api.create_commit(url.repo_id, operations, commit_message="Upload policy weights, configuration and model card")
        return str(url)


def files(folder: Path) -> list[Path]:
    """The files of a `pretrained_model` folder to upload: regular files with LeRobot's suffixes, without links."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.suffix in SUFFIXES and not path.name.startswith(".")
    )


def card_text(folder: Path, repo_id: str, evaluation: str = "") -> str:
    """The model card of a folder, completed by the repository's id and the evaluation."""
    text = (folder / CARD).read_text("utf-8")
    text = text.replace(UNNAMED, f"--policy.path={repo_id}")
    return text.replace(UNEVALUATED, evaluation) if evaluation else text


def evaluation_of(run: Path) -> str:
    """Return a run's measurements as a Markdown table: last rollouts, best loss, error on recorded episodes.

    Args:
        run: a run folder, which is untrusted: only its numbers and plain names are copied to the table.

    Returns:
        The table; empty without measurements.
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
    """The error on recorded episodes and that of holding still, as shares of each joint's range."""
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
    """Whether the token has any write permission; the Hub checks that of a single repository."""
    token = (me.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "fineGrained":
        scopes = (token.get("fineGrained") or {}).get("scoped") or ()
        return any("repo.write" in (scope.get("permissions") or ()) for scope in scopes)
    return token.get("role") != "read"


@contextlib.contextmanager
def _hub_errors(repo_id: str) -> Any:
    """Convert exceptions of the Hub's client to a `PublishingError` with a hint."""
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
