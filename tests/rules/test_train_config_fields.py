"""What lerobot-train writes into its configurations has a counterpart here, or a reason why it has none."""

import ast
from pathlib import Path

from getiaction_cli.analysis.migration import Kind, migrate
from getiaction_cli.recipe import read


def fields(file: str, name: str) -> set[str]:
    """The fields of a dataclass of LeRobot, read from its source."""
    import lerobot

    tree = ast.parse((Path(lerobot.__file__).parent / "configs" / file).read_text(encoding="utf-8"))
    found = next(item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name)
    return {
        item.target.id for item in found.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def unknown(section: str, names: set[str]) -> set[str]:
    """The names that a migration calls unknown to lerobot-train."""
    values = [f"{name}: set" for name in sorted(names)]
    text = f"{section}:\n  " + "\n  ".join(values) if section else "\n".join(values)
    rest = {"policy": "{type: act}", "dataset": "{repo_id: lerobot/pusht}"}
    text += "".join(f"\n{key}: {value}" for key, value in rest.items() if key not in (section, *names))
    migration = migrate(read("r.yaml", text=text))
    assert migration is not None
    return {outcome.key for outcome in migration.outcomes if outcome.kind is Kind.LOST and "no such key" in outcome.why}


def test_every_field_of_a_training_is_known() -> None:
    assert unknown("", fields("train.py", "TrainPipelineConfig") - {"policy", "dataset"}) == set()


def test_every_field_of_a_dataset_is_known() -> None:
    assert unknown("dataset", fields("default.py", "DatasetConfig")) == set()
