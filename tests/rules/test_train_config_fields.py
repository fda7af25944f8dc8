"""What lerobot-train writes into its configurations has a place here, or a reason why it has none."""

import ast
from pathlib import Path

from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.recipe_schema import TOP
from getiaction_cli.analysis.renamed_keys import FOREIGN_TOP, RENAMED
from getiaction_cli.recipe import read
from getiaction_cli.recipe.layout import DATAMODULE
from getiaction_cli.recipe.signatures import read_signature


def fields(file: str, name: str) -> set[str]:
    """The fields of a dataclass of LeRobot, read from its source."""
    import lerobot

    tree = ast.parse((Path(lerobot.__file__).parent / "configs" / file).read_text(encoding="utf-8"))
    found = next(item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name)
    return {
        item.target.id for item in found.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def test_every_field_of_a_training_is_known() -> None:
    known = {*TOP, *FOREIGN_TOP, *(key for section, key in RENAMED if not section), "checkpoint_path"}
    missing = fields("train.py", "TrainPipelineConfig") - known
    assert {key for key in missing if foreign_evaluation(read("r", text=f"{key}: 1\n")) is None} == set()


def test_every_field_of_a_dataset_is_known() -> None:
    signature = read_signature(DATAMODULE)
    assert signature
    known = {*signature.parameters, *(key for section, key in RENAMED if section == "data.init_args")}
    assert fields("default.py", "DatasetConfig") - known == set()
