"""The formats v2.0 and v2.1: one line and one file per episode. LeRobot 0.6 converts them before it reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction import trust
from getiaction_cli.datasets.episodes import Episodes
from getiaction_cli.datasets.stats import aggregate, read_stats, take
from getiaction_cli.diagnostics import Finding

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset, Stats

_MOST_BYTES = 4 << 30
TASKS = "meta/tasks.jsonl"
EPISODES = "meta/episodes.jsonl"
EPISODES_STATS = "meta/episodes_stats.jsonl"


def read_old(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    """Fill ``tasks``, ``episodes`` and ``stats`` from the files of v2.0 and v2.1."""
    for entry in _lines(dataset, TASKS, findings, needed=bool(dataset.total_tasks)):
        task, index = entry.get("task"), entry.get("task_index")
        dataset.tasks.append(task if isinstance(task, str) else "")
        dataset.task_indices.append(index if isinstance(index, int) else -1)
    _read_episodes(dataset, findings)
    read_stats(dataset, findings)
    if dataset.stats is None and (dataset.root / EPISODES_STATS).is_file():
        _sum_episode_stats(dataset, findings)


def _read_episodes(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    index, length, codes, counts = [], [], [], []
    names: dict[str, int] = {}
    for entry in _lines(dataset, EPISODES, findings, needed=bool(dataset.total_episodes)):
        index.append(_int(entry.get("episode_index")))
        length.append(_int(entry.get("length")))
        tasks = entry.get("tasks")
        tasks = [str(task) for task in tasks] if isinstance(tasks, list) else []
        codes += [names.setdefault(task, len(names)) for task in tasks]
        counts.append(len(tasks))
    if not index:
        return
    dataset.episodes = Episodes(
        index=np.array(index, np.int64),
        length=np.array(length, np.int64),
        task_names=list(names),
        task_codes=np.array(codes, np.int64),
        task_offsets=np.concatenate([[0], np.cumsum(counts)]),
        files=[EPISODES],
        file_of_row=np.zeros(len(index), np.int32),
    )


def _sum_episode_stats(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    parts: list[Stats] = []
    running: Stats | None = None
    problems: list[tuple[str, Finding]] = []
    for entry in _lines(dataset, EPISODES_STATS, findings, needed=False):
        if isinstance(entry.get("stats"), dict):
            parts.append(take(entry["stats"], problems))
        if len(parts) >= 256:  # bounded memory, for any number of episodes
            running = aggregate([*([running] if running else []), *parts])
            parts = []
    dataset.stats = aggregate([*([running] if running else []), *parts]) or None
    dataset.stats_source = EPISODES_STATS
    if problems:
        code, first = problems[0]
        findings.append((code, Finding(first.message, file=EPISODES_STATS)))


def _lines(
    dataset: Dataset, name: str, findings: list[tuple[str, Finding]], *, needed: bool
) -> Iterator[dict[str, Any]]:
    path = dataset.root / name
    if not path.is_file():
        if needed:
            findings.append(("GA401", Finding(f"{name} is missing", file=name)))
        return
    try:
        with trust.open_regular(path, _MOST_BYTES) as stream:
            bad = 0
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if isinstance(entry, dict):
                    yield entry
                elif not bad:
                    bad = number
            if bad:
                findings.append(
                    (
                        "GA402",
                        Finding(f"{name} is damaged from line {bad} on: that line is not a JSON mapping", file=name),
                    )
                )
    except OSError as error:
        findings.append(("GA402", Finding(f"{name} can't be opened: {error.strerror or error}", file=name)))


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
