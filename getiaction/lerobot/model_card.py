"""Write LeRobot's model card of a policy: its inputs, its training data, and how to run it."""

from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from getiaction.lerobot.names import PreTrainedConfig

CARD = "README.md"
_LAST_OPTION = "  --duration=60"


def write(
    folder: Path,
    config: PreTrainedConfig,
    *,
    meta: Any = None,
    training: dict[str, Any] | None = None,
    rate: float | None = None,
) -> None:
    """Write README.md from the template of LeRobot's uploads, without network access.

    Args:
        folder: the policy's folder.
        config: the policy's configuration.
        meta: the `LeRobotDatasetMetadata` of the dataset it was trained on.
        training: `steps`, `batch_size`, `seed`, `optimizer` and `lr`.
        rate: actions per second; LeRobot's `lerobot-rollout` uses 30 by default.
    """
    try:
        from lerobot.policies.pretrained import _build_card_context as build_context
    except ImportError:  # a private function that a later LeRobot may move; the card is optional
        return
    settings = None
    if training is not None:
        optimizer = SimpleNamespace(type=training["optimizer"], lr=training["lr"])
        settings = SimpleNamespace(
            **{key: training[key] for key in ("steps", "batch_size", "seed")}, optimizer=optimizer
        )
    context = build_context(settings, meta, config.input_features, config.output_features)
    base = str(config.pretrained_path or "")
    context["base_model"] = base if base.count("/") == 1 and not Path(base).exists() else None
    parts = [] if meta is None else getattr(meta, "parts", [meta])  # the datasets of a mixture
    # An id without a user is the name of a local folder.
    named = list(dict.fromkeys(part.repo_id for part in parts if "/" in part.repo_id))
    data = ModelCardData(
        license=config.license or "apache-2.0",
        library_name="lerobot",
        pipeline_tag="robotics",
        tags=sorted({"robotics", "lerobot", "getiaction", config.type, *(config.tags or ())}),
        model_name=config.type,
        datasets=named or None,
        base_model=context["base_model"],
    )
    template = files("lerobot.templates").joinpath("lerobot_modelcard_template.md").read_text("utf-8")
    text = str(ModelCard.from_template(data, template_str=template, **context))
    if rate is not None:
        text = text.replace(_LAST_OPTION, f"  --fps={rate:g} \\\n{_LAST_OPTION}")
        if meta is not None and rate != meta.fps:
            own = f"- **Frame rate:** {meta.fps} FPS"
            text = text.replace(own, f"{own}, of which the policy takes {rate:g} a second")
    (folder / CARD).write_text(text, encoding="utf-8")
