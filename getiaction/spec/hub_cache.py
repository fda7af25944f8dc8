"""Folders and settings of Hugging Face libraries, from the environment, and the snapshots in their caches."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from getiaction import trust


def is_offline(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment forbids network access to the Hub, as huggingface_hub reads it."""
    value = env.get("HF_HUB_OFFLINE") or env.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in ("1", "ON", "YES", "TRUE")


def hf_home() -> Path:
    """``HF_HOME``, with huggingface_hub's default."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return _expanded(os.environ.get("HF_HOME", str(default)))


def hub_cache() -> Path:
    """``HF_HUB_CACHE``, with huggingface_hub's default."""
    default = os.environ.get("HUGGINGFACE_HUB_CACHE", str(hf_home() / "hub"))
    return _expanded(os.environ.get("HF_HUB_CACHE", default))


def storage(cache: Path, kind: str, repo_id: str) -> Path:
    """The folder of a repository in a cache; ``kind`` is "models" or "datasets"."""
    return cache / f"{kind}--{repo_id.replace('/', '--')}"


def snapshot(storage: Path, revisions: Sequence[str], holds: str) -> Path | None:
    """The snapshot folder of the first of some revisions that is downloaded and contains a file.

    Args:
        storage: the repository's folder in the cache, from `storage`.
        revisions: branches, tags or commits.
        holds: a file's path in the repository.
    """
    for revision in revisions:
        try:
            commit = trust.read_bytes(storage / "refs" / revision, 200).decode().strip()
        except (OSError, ValueError):
            commit = revision
        if trust.is_revision(commit) and (storage / "snapshots" / commit / holds).is_file():
            return storage / "snapshots" / commit
    return None


def newest_snapshot(storage: Path, holds: str) -> Path | None:
    """The most recently downloaded snapshot that contains a file."""
    found = [path.parents[holds.count("/")] for path in storage.glob(f"snapshots/*/{holds}") if path.is_file()]
    return max(found, key=lambda folder: folder.stat().st_mtime, default=None)


def _expanded(path: str) -> Path:
    return Path(os.path.expandvars(path)).expanduser()
