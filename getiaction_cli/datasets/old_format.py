"""The formats v2.0 and v2.1: one line and one file per episode. LeRobot 0.6 converts them before it reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from getiaction import trust
from getiaction_cli.datasets.episodes import Episodes, Tasks
from getiaction_cli.datasets.header import Findings, Header
from getiaction_cli.datasets.stats import Stats, aggregate, to_arrays
from getiaction_cli.diagnostics import Finding

_MOST_BYTES = 4 << 30
TASKS = "meta/tasks.jsonl"
EPISODES = "meta/episodes.jsonl"
EPISODES_STATS = "meta/episodes_stats.jsonl"


def read_tasks(root: Path, header: Header) -> tuple[Tasks, Findings]:
    """Read ``meta/tasks.jsonl``."""
    tasks = Tasks()

    def add(entry: dict[str, Any]) -> None:
        task, index = entry.get("task"), entry.get("task_index")
        tasks.texts.append(task if isinstance(task, str) else "")
        tasks.indices.append(index if isinstance(index, int) else -1)

    return tasks, _for_each_line(root, TASKS, add, needed=bool(header.total_tasks))


def read_episodes(root: Path, header: Header) -> tuple[Episodes, Findings]:
    """Read ``meta/episodes.jsonl``."""
    index, length, codes, counts = list[int](), list[int](), list[int](), list[int]()
    names: dict[str, int] = {}

    def add(entry: dict[str, Any]) -> None:
        index.append(_int(entry.get("episode_index")))
        length.append(_int(entry.get("length")))
        tasks = entry.get("tasks")
        tasks = [str(task) for task in tasks] if isinstance(tasks, list) else []
        codes.extend(names.setdefault(task, len(names)) for task in tasks)
        counts.append(len(tasks))

    findings = _for_each_line(root, EPISODES, add, needed=bool(header.total_episodes))
    if not index:
        return Episodes.none(), findings
    episodes = Episodes(
        index=np.array(index, np.int64),
        length=np.array(length, np.int64),
        task_names=list(names),
        task_codes=np.array(codes, np.int64),
        task_offsets=np.concatenate([[0], np.cumsum(counts)]),
        files=[EPISODES],
        file_of_row=np.zeros(len(index), np.int32),
    )
    return episodes, findings


def read_episode_stats(root: Path) -> tuple[Stats | None, Findings]:
    """Read ``meta/episodes_stats.jsonl``, and take the statistics of all episodes together."""
    parts: list[Stats] = []
    wrong: list[tuple[str, Finding]] = []

    def add(entry: dict[str, Any]) -> None:
        if isinstance(entry.get("stats"), dict):
            stats, problems = to_arrays(entry["stats"])
            parts.append(stats)
            wrong.extend(problems[: 1 - len(wrong)])  # the first one speaks for all
        if len(parts) >= 256:  # bounded memory, for any number of episodes
            parts[:] = [aggregate(parts)]

    findings = _for_each_line(root, EPISODES_STATS, add, needed=False)
    first = tuple((code, Finding(finding.message, file=EPISODES_STATS)) for code, finding in wrong)
    return aggregate(parts) or None, (*findings, *first)


def _for_each_line(root: Path, name: str, add: Callable[[dict[str, Any]], None], *, needed: bool) -> Findings:
    """Hand each line's mapping to ``add``; returns what is wrong with the file."""
    path = root / name
    if not path.is_file():
        return (("GA401", Finding(f"{name} is missing", file=name)),) if needed else ()
    bad = 0
    try:
        with trust.open_regular(path, _MOST_BYTES) as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if isinstance(entry, dict):
                    add(entry)
                else:
                    bad = bad or number
    except OSError as error:
        return (("GA402", Finding(f"{name} can't be opened: {error.strerror or error}", file=name)),)
    what = f"{name} is damaged from line {bad} on: that line is not a JSON mapping"
    return (("GA402", Finding(what, file=name)),) if bad else ()


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62 else -1
