"""Folders as the Hub has them, with random weights of a few thousand numbers: tokenizers and backbones for tests."""

import json
from pathlib import Path
from typing import Any

WORDS = [
    "do",
    "the",
    "thing",
    ".",
    "push",
    "t",
    "-",
    "shaped",
    "block",
    "onto",
    "target",
    "task",
    ":",
    ",",
    ";",
    "state",
]


def tokenizer(folder: Path, *more: str, **arguments: Any) -> Any:
    """A tokenizer of whole words that knows digits and a few words; `more` are special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<bos>", "<eos>", "<unk>", *more]
    words = [*WORDS, *map(str, range(256))]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys([*special, *words]))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace()])
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        **({"extra_special_tokens": list(more)} | arguments),
    )
    made.save_pretrained(folder)
    return made


def clip(folder: Path) -> Path:
    """A CLIP model for pictures of 32 pixels, with its tokenizer."""
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    words = tokenizer(folder)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = CLIPTextConfig(vocab_size=len(words), max_position_embeddings=77, eos_token_id=2, **size)
    vision = CLIPVisionConfig(image_size=32, patch_size=16, **size)
    CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict())).save_pretrained(folder)
    return folder


def florence() -> dict[str, Any]:
    """The `florence_config` of a small XVLA."""
    return {
        "vision_config": {
            "embed_dim": [8, 8, 8, 8],
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 1, 1],
            "num_groups": [1, 1, 1, 1],
            "window_size": 2,
            "projection_dim": 16,
            "max_position_embeddings": 20,
            "max_temporal_embeddings": 4,
        },
        "text_config": {
            "vocab_size": 300,
            "d_model": 16,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 16,
            "decoder_ffn_dim": 16,
            "max_position_embeddings": 128,
        },
    }


def smolvlm(folder: Path) -> Path:
    """A SmolVLM configuration and processor; LeRobot builds it with random weights."""
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    named = {
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "image_token": "<image>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    words = tokenizer(folder, *named.values(), extra_special_tokens=named)
    text = {
        "model_type": "llama",
        "vocab_size": len(words) + 10,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 16,
    }
    SmolVLMConfig(text_config=text, vision_config=vision, scale_factor=2, image_token_id=6).save_pretrained(folder)
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(),
        tokenizer=words,
        video_processor=SmolVLMVideoProcessor(),
        image_seq_len=4,
    )
    processor.save_pretrained(folder)
    return folder


def internvl(folder: Path) -> Path:
    """An InternVL model for pictures of 32 pixels, with its tokenizer."""
    from transformers import InternVLConfig, InternVLModel

    words = tokenizer(folder, "<img>", "</img>", "<IMG_CONTEXT>")
    text = {
        "model_type": "qwen2",
        "vocab_size": len(words),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": [32, 32],
        "patch_size": [8, 8],
    }
    config = InternVLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    InternVLModel(config).save_pretrained(folder)
    return folder


def cached(hub: Path, repo_id: str) -> Path:
    """The folder in a Hub cache where a repository's files go, as if they had been downloaded before."""
    repository = hub / f"models--{repo_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("0" * 40)
    return repository / "snapshots" / ("0" * 40)


def paligemma_tokenizer(hub: Path) -> None:
    """A tokenizer in a Hub cache under the (gated) name that LeRobot's pi family asks for, whatever its parameters."""
    folder = cached(hub, "google/paligemma-3b-pt-224")
    tokenizer(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "paligemma"}))


def small_gemma(module: Any, monkeypatch: Any) -> None:
    """Make a module of LeRobot's pi family build its PaliGemma and Gemma small: no parameter of it does.

    Everything else in the module is what it was, and so are the names of all its tensors.
    """
    from transformers import GemmaConfig, PaliGemmaConfig, SiglipVisionConfig

    written_in = {"vocab_size": 400, "_vocab_size": 400, "projection_dim": 16}

    def paligemma() -> PaliGemmaConfig:
        vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 14}
        made = PaliGemmaConfig(vision_config=SiglipVisionConfig(**vision), text_config=GemmaConfig(num_hidden_layers=1))
        for part in (made, made.text_config, made.vision_config):
            kind = type(part)

            def assign(self: Any, name: str, value: Any, kind: type = kind) -> None:
                kind.__setattr__(self, name, written_in.get(name, value))

            part.__class__ = type(kind.__name__, (kind,), {"__setattr__": assign})
        return made

    def gemma(**arguments: Any) -> GemmaConfig:
        return GemmaConfig(**{**arguments, "vocab_size": 400})

    def sizes(variant: str) -> Any:
        return module.GemmaConfig(width=16, depth=1, mlp_dim=16, num_heads=8, num_kv_heads=1, head_dim=4)

    monkeypatch.setattr(module, "CONFIG_MAPPING", {"paligemma": paligemma, "gemma": gemma})
    monkeypatch.setattr(module, "get_gemma_config", sizes)
