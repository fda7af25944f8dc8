"""Reads the files under ``meta/``: v3.0, and v2.0 and v2.1 as far as they go. Nothing is raised.

Each reader returns what a file holds, and what is wrong with it.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from getiaction.spec.dataset_location import INFO, Location
from getiaction_cli.datasets import old_format, v3
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.datasets.header import Findings, Header, read_header
from getiaction_cli.datasets.stats import STATS, read_stats
from getiaction_cli.diagnostics import Finding


def read(place: Location) -> Dataset:
    """Read what a dataset says about itself; everything wrong becomes one of its ``findings``."""
    root = place.root
    header, of_header = read_header(root)
    is_old = _is_laid_out_as_old(root, header)
    header, of_version = _with_the_version_of_the_files(root, header, is_old)
    tasks, of_tasks = (old_format.read_tasks if is_old else v3.read_tasks)(root, header)
    episodes, of_episodes = (old_format.read_episodes if is_old else v3.read_episodes)(root, header)
    stats, of_stats = read_stats(root, header.features)
    stats_source = STATS
    if is_old and stats is None and (root / old_format.EPISODES_STATS).is_file():
        stats_source = old_format.EPISODES_STATS
        stats, of_each = old_format.read_episode_stats(root)
        of_stats += of_each
    return Dataset(
        **{field.name: getattr(header, field.name) for field in fields(header)},
        place=place,
        tasks=tasks.texts,
        task_indices=tasks.indices,
        episodes=episodes,
        stats=stats,
        stats_source=stats_source,
        findings=of_header + of_version + of_tasks + of_episodes + of_stats,
    )


def _is_laid_out_as_old(root: Path, header: Header) -> bool:
    """Whether the files are those of v2: what lies there decides, where it is clear, and not what info.json says."""
    old, new = (root / old_format.EPISODES).is_file(), (root / v3.EPISODES).is_dir()
    return header.is_old if old == new else old


def _with_the_version_of_the_files(root: Path, header: Header, is_old: bool) -> tuple[Header, Findings]:
    if not (header.is_v3 if is_old else header.is_old):
        return header, ()
    is_20 = (root / STATS).is_file() and not (root / old_format.EPISODES_STATS).is_file()
    version = "v3.0" if not is_old else "v2.0" if is_20 else "v2.1"
    message = f"codebase_version says {header.version}, the files are those of {version}"
    help = f'write "{version}"' + (", then convert it as this command says" if is_old else "")
    wrong = Finding(message, file=INFO, key="codebase_version", help=help)
    return replace(header, version=version), (("GA403", wrong),)
