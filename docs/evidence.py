"""Which facts about LeRobot's policies still hold: python docs/evidence.py [PATH_TO_LEROBOT]

getiaction/spec/facts.toml names for each fact the place in LeRobot's source that shows it. For the installed LeRobot,
or the one in this folder (a checkout, or the package itself), this prints every entry whose evidence is gone, every
policy without facts, and every policy that is gone: what must be read again before that LeRobot is supported.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from getiaction.spec import facts
from getiaction.spec.policies import entries_in


def main() -> int:
    """Print what no longer holds; 1 where something doesn't."""
    given = sys.argv[1:]
    spec = find_spec("lerobot")
    start = Path(given[0]) if given else Path(spec.submodule_search_locations[0] if spec else ".")
    lerobot = next(
        (path for path in (start, start / "lerobot", start / "src/lerobot") if (path / "policies").is_dir()), None
    )
    if lerobot is None:
        print(f"{start} is not a folder of LeRobot: it has no policies/", file=sys.stderr)
        return 2
    everything = list(facts.all_evidence())
    gone = [entry for entry in everything if facts.missing_evidence({"evidence": entry[2]}, lerobot)]
    registered = _registered(lerobot)
    for policy, fact, place in gone:
        print(f"{policy}.{fact}  {place}")
    for policy in sorted(registered - facts.table().keys()):
        print(f"{policy}  has no facts")
    for policy in sorted(facts.table().keys() - registered):
        print(f"{policy}  is not registered")
    print(f"{len(gone)} of {len(everything)} pieces of evidence are not in {lerobot}")
    return 1 if gone or registered ^ facts.table().keys() else 0


def _registered(lerobot: Path) -> set[str]:
    files = (lerobot / "policies").rglob("configuration_*.py")
    return {entry.name for file in files for entry in entries_in(file, file.stem, None)}


if __name__ == "__main__":
    sys.exit(main())
