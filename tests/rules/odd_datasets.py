"""Small datasets that are unlike the usual ones in one way each: the pages of the rules name them as `made/<name>`."""

import json
import shutil
from pathlib import Path
from typing import Any

import make_dataset
import numpy as np

_TOP = "observation.images.top"


def _renamed(root: Path, **names: str) -> Path:
    """Rename features throughout meta/ and data/, as a dataset of another house would call them."""
    import pyarrow.parquet as pq

    def new(text: str) -> str:
        for old, name in names.items():
            text = text.replace(f'"{old}"', f'"{name}"')
        return text

    for file in (root / "meta").glob("*.json"):
        file.write_text(new(file.read_text()))
    for file in (root / "data").rglob("*.parquet"):
        table = pq.ParquetFile(file).read()
        columns = [names.get(column, column) for column in table.column_names]
        pq.write_table(table.rename_columns(columns).replace_schema_metadata(None), file)
    return root


def openpi(root: Path) -> Path:
    """`actions` where LeRobot looks for `action`."""
    return _renamed(make_dataset.make(root, storage="image"), action="actions")


def no_quantiles(root: Path) -> Path:
    """Statistics as older versions of LeRobot wrote them."""
    make_dataset.make(root, storage="image")
    file = root / "meta/stats.json"
    stats = json.loads(file.read_text())
    kept = {key: {n: v for n, v in entry.items() if not n.startswith("q")} for key, entry in stats.items()}
    file.write_text(json.dumps(kept, indent=4))
    return root


def no_state_stats(root: Path) -> Path:
    """No statistics of the state."""
    make_dataset.make(root, storage="image")
    file = root / "meta/stats.json"
    stats = json.loads(file.read_text())
    del stats["observation.state"]
    file.write_text(json.dumps(stats, indent=4))
    return root


def text_state(root: Path) -> Path:
    """A state that info.json calls text."""
    make_dataset.make(root, storage="image")
    file = root / "meta/info.json"
    info = json.loads(file.read_text())
    info["features"]["observation.state"]["dtype"] = "string"
    file.write_text(json.dumps(info, indent=4))
    return root


def matrix_action(root: Path) -> Path:
    """Actions of two dimensions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    make_dataset.make(root, storage="image")
    file = root / "meta/info.json"
    info = json.loads(file.read_text())
    info["features"]["action"] |= {"shape": [1, *info["features"]["action"]["shape"]], "names": None}
    file.write_text(json.dumps(info, indent=4))
    for path in (root / "data").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        at = table.column_names.index("action")
        rows = pa.array([[row] for row in table["action"].to_pylist()], pa.list_(pa.list_(pa.float32())))
        pq.write_table(table.set_column(at, "action", rows).replace_schema_metadata(None), path)
    return root


def robot_clock(root: Path) -> Path:
    """Timestamps of a clock that is not the videos'."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    make_dataset.make(root, storage="video", codec="h264")
    for path in (root / "data").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        at = table.column_names.index("timestamp")
        late = [second + 0.03 * (i % 3) / 2 for i, second in enumerate(table["timestamp"].to_pylist())]
        pq.write_table(table.set_column(at, table.field(at), pa.array(late, pa.float32())), path)
    return root


def _made(**how: Any) -> Any:
    return lambda root: make_dataset.make(root, **{"storage": "image", **how})


BUILDERS = {
    "openpi": openpi,
    "no-quantiles": no_quantiles,
    "no-state-stats": no_state_stats,
    "text-state": text_state,
    "matrix-action": matrix_action,
    "robot-clock": robot_clock,
    "aloha": _made(cameras={_TOP: (30, 40)}, state=14, action=14, fps=50, repo_id="made/aloha"),
    "unnamed-camera": _made(cameras={_TOP: (40, 48), "front": (40, 48)}),
    "two-cameras": _made(cameras={_TOP: (40, 48), "observation.images.wrist": (40, 48)}),
    "three-cameras": _made(
        cameras=dict.fromkeys((_TOP, "observation.images.left", "observation.images.right"), (40, 48))
    ),
    "two-sizes": _made(cameras={_TOP: (40, 48), "observation.images.wrist": (48, 64)}),
    "wide": _made(cameras={"observation.image": (48, 64)}, reward=True),
    "square": _made(cameras={_TOP: (48, 48)}, reward=True),
    "small": _made(cameras={_TOP: (32, 32)}),
    "depth": _made(cameras={_TOP: (40, 48)}, depth={"observation.images.depth": (40, 48)}),
    "rewarded": _made(cameras={"observation.image": (48, 48)}, reward=True),
    "large": _made(cameras={_TOP: (2160, 3840)}, lengths=(12, 12)),
    "no-reward": _made(cameras={"observation.image": (48, 48)}),
    "no-state": _made(state=None),
    "no-camera": _made(cameras={}),
    "gripper": _made(extra={"action.gripper": 1}),
    "buttons": _made(others={"observation.buttons": ("bool", (2,))}),
    "velocity": _made(extra={"observation.velocity": 2}),
    "environment": _made(cameras={}, extra={"observation.environment_state": 4}, reward=True),
    "one-joint": _made(cameras={_TOP: (48, 48)}, state=1, action=1, reward=True),
    "wide-robot": _made(state=40, action=40),
    "arms": _made(
        cameras={_TOP: (40, 48), "observation.images.wrist": (40, 48)}, state=14, action=14, fps=50, storage="video"
    ),
    "episodes": _made(cameras={_TOP: (48, 48)}, lengths=(3, 40, 8, 5, 30), reward=True, fps=30),
    "two-tasks": _made(lengths=(20,) * 6, tasks=["Open the drawer.", "Close the drawer."]),
}


def constant(stats: dict[str, Any], key: str, dimension: int) -> None:
    """Make one dimension of a feature's statistics that of a value that never changes."""
    entry = stats[key]
    value = float(np.asarray(entry["mean"]).reshape(-1)[dimension])
    for name in entry:
        if name != "count":
            entry[name][dimension] = 0.0 if name == "std" else value


def metadata_only(source: Path, hub: Path, repo_id: str) -> None:
    """What a Hub cache holds of a dataset that was looked at and not trained on."""
    folder = hub / f"datasets--{repo_id.replace('/', '--')}" / "snapshots" / "1"
    shutil.copytree(source / "meta", folder / "meta", dirs_exist_ok=True)


def checkpoint(hub: Path, repo_id: str = "me/act-pusht") -> Path:
    """What LeRobot keeps in a Hub cache of an ACT trained on `lerobot/pusht`, and a few names and shapes of weights."""
    from getiaction_cli.policies import load, plain, to_policy_features

    table = {
        "observation.image": {"dtype": "video", "shape": (96, 96, 3), "names": ["height", "width", "channel"]},
        "observation.state": {"dtype": "float32", "shape": (2,), "names": None},
        "action": {"dtype": "float32", "shape": (2,), "names": None},
    }
    inputs, outputs = to_policy_features(table)
    act = load("act").configure({"chunk_size": 8, "n_action_steps": 8}, inputs, outputs)
    folder = hub / f"models--{repo_id.replace('/', '--')}" / "snapshots" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: plain(getattr(act.values, name)) for name in act.policy.parameter_names}
    for kind, features in (("input_features", inputs), ("output_features", outputs)):
        values[kind] = {key: {"type": f.type.value, "shape": list(f.shape)} for key, f in features.items()}
    (folder / "config.json").write_text(json.dumps({"type": "act", **values}, default=str))
    for processor in ("policy_preprocessor", "policy_postprocessor"):
        (folder / f"{processor}.json").write_text(json.dumps({"name": processor, "steps": []}))
    layer = "model.encoder.layers.0"
    shapes = {f"{layer}.linear1.weight": [3200, 512], f"{layer}.linear2.weight": [512, 3200]}
    shapes |= {f"{layer}.norm1.weight": [512], f"{layer}.self_attn.in_proj_weight": [1536, 512]}
    header = json.dumps(
        {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    )
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode())
    return folder


def outdated_checkpoint(hub: Path) -> Path:
    """The same as `old/act-pusht`, with a parameter that LeRobot's ACT no longer has."""
    folder = checkpoint(hub, "old/act-pusht")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "input_normalization_modes": {}}))
    return folder


def base_model(hub: Path) -> None:
    """`me/gr00t`: what a Hub cache holds of a GR00T model, as far as rules read it."""
    folder = hub / "models--me--gr00t" / "snapshots" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"max_state_dim": 132, "max_action_dim": 132}))


def hostile_checkpoint(hub: Path) -> Path:
    """The same as `stranger/act-pusht`, with a preprocessor that starts a program."""
    folder = checkpoint(hub, "stranger/act-pusht")
    step = {"class": "subprocess.Popen", "config": {"args": ["touch", str(folder / "ran")]}}
    (folder / "policy_preprocessor.json").write_text(json.dumps({"name": "policy_preprocessor", "steps": [step]}))
    return folder
