"""No damage that LeRobot dies of, or trains on blindly, is called fine.

``lerobot_verdicts.json`` says what LeRobot does with every damaged dataset (a tiny ACT, two steps). To write it again:

    python tests/datasets/test_lerobot_agrees.py
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from corruptions import CORRUPTIONS

from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.runner import check
from getiaction_cli.datasets import locate, read
from getiaction_cli.datasets.deep import look
from getiaction_cli.diagnostics import Severity

VERDICTS: dict[str, str] = json.loads(Path(__file__).with_name("lerobot_verdicts.json").read_text())

# What LeRobot silently continues training, and what the author silently loses: these are errors all the same.
SILENT = {name for name, verdict in VERDICTS.items() if verdict.startswith("trains")}


# Another policy trains on it: that ACT does not is said of the recipe (GA3xx), of the dataset it is a warning.
JUDGED_WITH_THE_POLICY = {"openpi-state"}


def test_every_way_to_break_a_dataset_was_given_to_lerobot() -> None:
    assert VERDICTS.keys() == CORRUPTIONS.keys()


@pytest.mark.parametrize("name", sorted(VERDICTS.keys() - SILENT - JUDGED_WITH_THE_POLICY))
def test_what_lerobot_dies_of_is_an_error(damaged: Callable[[str], Path], name: str) -> None:
    dataset = read(locate(str(damaged(name)), folders=True))
    report = check(DatasetContext(dataset, look(dataset)))
    assert report.count(Severity.ERROR), VERDICTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_lerobot_still_does_that(damaged: Callable[[str], Path], name: str) -> None:
    from lerobot_oracle import lerobot_on

    assert _kind(lerobot_on(damaged(name))) == _kind(VERDICTS[name])


def _kind(verdict: str) -> str:
    return ":".join(verdict.split(":")[:2])


def write() -> None:
    """Give every damaged dataset to LeRobot and write down what it does."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import make_dataset
    from conftest import HEALTHY
    from lerobot_oracle import lerobot_on

    verdicts = {}
    with tempfile.TemporaryDirectory() as home:
        bases: dict[str, Path] = {}
        for name, corruption in sorted(CORRUPTIONS.items()):
            base = corruption.base
            if base not in bases:
                folder = Path(home) / "base" / base
                if base in ("v20", "v21"):
                    source = make_dataset.pusht(Path(home) / f"pusht-{base}")
                    bases[base] = getattr(make_dataset, base)(source, folder)
                else:
                    bases[base] = make_dataset.make(folder, **HEALTHY.get(base, {}))
            root = Path(shutil.copytree(bases[base], Path(home) / name))
            corruption.apply(root)
            verdicts[name] = lerobot_on(root)
            print(f"{name:26}{verdicts[name]}", flush=True)
    file = Path(__file__).with_name("lerobot_verdicts.json")
    file.write_text(json.dumps(verdicts, indent=2) + "\n")


if __name__ == "__main__":
    write()
