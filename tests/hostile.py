"""Files as somebody would send them who wants more than to train a robot. Each leaves a mark where it succeeds."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any


def command(mark: Path) -> list[str]:
    """A program that leaves `mark` behind."""
    return ["touch", str(mark)]


def steps(mark: Path) -> dict[str, dict[str, Any]]:
    """Steps of a processor that are none: each as it would stand in policy_preprocessor.json."""
    return {
        "a program": {"class": "subprocess.Popen", "config": {"args": command(mark)}},
        "a function": {"class": "os.system", "config": {"command": f"touch {mark}"}},
        "a function of LeRobot": {
            "class": "lerobot.annotations.steerable_pipeline.vlm_client._spawn_inference_server",
            "config": {"config": {"serve_command": f"touch {mark}"}},
        },
        "a class of LeRobot that is no step": {"class": "lerobot.utils.utils.TimerManager", "config": {}},
        "what a module of LeRobot imports": {"class": "lerobot.utils.utils.subprocess.Popen", "config": {}},
        "a builtin": {"class": "builtins.exec", "config": {"source": f"open({str(mark)!r}, 'w')"}},
        "a module that is only imported": {"class": "this.d", "config": {}},
        "no class": {"class": None, "config": {}},
        "no path": {"class": "Popen", "config": {}},
        "a name that is not registered": {"registry_name": "subprocess.Popen", "config": {}},
        "a name that is a list": {"registry_name": ["device_processor"], "config": {}},
        "two names": {"registry_name": None, "class": "subprocess.Popen", "config": {"args": command(mark)}},
        "a step that drives a robot": {"registry_name": "map_phone_action_to_robot_action", "config": {}},
        "a file elsewhere": {
            "registry_name": "device_processor",
            "config": {},
            "state_file": "../secret.safetensors",
        },
        "an absolute file": {"registry_name": "device_processor", "config": {}, "state_file": "/dev/zero"},
        "settings that are none": {"registry_name": "device_processor", "config": ["cpu"]},
    }


def processor(step: Any) -> dict[str, Any]:
    """A processor made of one step."""
    return {"name": "policy_preprocessor", "steps": [step]}


def code(folder: Path, mark: Path | None = None) -> Path:
    """A tokenizer or model of transformers that brings code of its own, which leaves `mark` (default: `ran` in it)."""
    folder.mkdir(parents=True, exist_ok=True)
    written = f"open({str(mark or folder / 'ran')!r}, 'w').close()\n"
    (folder / "code.py").write_text(
        f"{written}class Thing:\n    from_pretrained = register_for_auto_class = classmethod(lambda *a, **k: None)\n"
    )
    names = dict.fromkeys(("AutoProcessor", "AutoConfig", "AutoModel"), "code.Thing")
    about = {"auto_map": {**names, "AutoTokenizer": ["code.Thing", None]}, "processor_class": "Thing"}
    for file in ("processor_config.json", "tokenizer_config.json", "preprocessor_config.json"):
        (folder / file).write_text(json.dumps(about))
    (folder / "config.json").write_text(json.dumps({**about, "model_type": "thing"}))
    return folder


class Program:
    """Starts a program where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


def pickled(file: Path, mark: Path) -> Path:
    """A pickle that starts a program."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps({"state_dict": {}, "loops": {}, "optimizer_states": [], "x": Program(mark)}))
    return file


def deep_json(depth: int = 200_000) -> str:
    """JSON that no parser without a limit survives."""
    return "[" * depth + "]" * depth


ESCAPES = "\x1b]0;stolen\x07\x1b[2J\x9b31m\u202e\r\x08"
