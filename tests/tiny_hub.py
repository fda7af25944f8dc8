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


def clip(folder: Path, pixels: int = 32) -> Path:
    """A CLIP model for square pictures of so many pixels, with its tokenizer."""
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    words = tokenizer(folder)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = CLIPTextConfig(vocab_size=len(words), max_position_embeddings=77, eos_token_id=2, **size)
    vision = CLIPVisionConfig(image_size=pixels, patch_size=16, **size)
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


def internvl(folder: Path, pixels: int = 32) -> Path:
    """An InternVL model for square pictures of so many pixels, which it cuts into 16, with its tokenizer."""
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
        "image_size": [pixels, pixels],
        "patch_size": [pixels // 4, pixels // 4],
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


def named_tokenizer(hub: Path, repo_id: str, model_type: str) -> None:
    """A tokenizer in a Hub cache under a name that LeRobot asks for, with the configuration that is read for it."""
    folder = cached(hub, repo_id)
    tokenizer(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))


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


CHAT = (
    "{% for message in messages %}{{ message['role'] }} : "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %} {% endfor %}"
)


def qwen(folder: Path, generation: str) -> Path:
    """A Qwen-VL model (`2_5` or `3`) for small pictures, with its tokenizer and processors."""
    import transformers as t

    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_bos_token": "<|vision_start|>",
        "vision_eos_token": "<|vision_end|>",
    }
    words = tokenizer(folder, *marks, extra_special_tokens=named)
    ids = dict(zip(("vision_start", "vision_end", "image", "video"), words.convert_tokens_to_ids(marks), strict=True))
    text = {
        "vocab_size": len(words) + 60,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 3, 3],
            **({"mrope_interleaved": True} if generation == "3" else {}),
        },
        "pad_token_id": 0,
    }
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "patch_size": 14 if generation == "2_5" else 16,
        "out_hidden_size": 32,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        **(
            {"window_size": 56, "fullatt_block_indexes": [0]}
            if generation == "2_5"
            else {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
        ),
    }
    config, model, processor, video = {
        "2_5": (
            t.Qwen2_5_VLConfig,
            t.Qwen2_5_VLForConditionalGeneration,
            t.Qwen2_5_VLProcessor,
            t.Qwen2VLVideoProcessor,
        ),
        "3": (t.Qwen3VLConfig, t.Qwen3VLForConditionalGeneration, t.Qwen3VLProcessor, t.Qwen3VLVideoProcessor),
    }[generation]
    made = config(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["image"],
        video_token_id=ids["video"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
        tie_word_embeddings=False,
    )
    model(made).save_pretrained(folder)
    size = vision["patch_size"] * 2
    pictures = t.Qwen2VLImageProcessor(patch_size=vision["patch_size"], min_pixels=size**2, max_pixels=4 * size**2)
    processor(image_processor=pictures, tokenizer=words, video_processor=video(), chat_template=CHAT).save_pretrained(
        folder
    )
    return folder


def vjepa(folder: Path, pixels: int = 32) -> Path:
    """A V-JEPA 2 video encoder for square pictures of so many pixels."""
    from transformers import VJEPA2Config, VJEPA2Model, VJEPA2VideoProcessor

    config = VJEPA2Config(
        patch_size=16,
        crop_size=pixels,
        image_size=pixels,
        frames_per_clip=4,
        tubelet_size=2,
        hidden_size=24,
        num_attention_heads=2,
        num_hidden_layers=1,
        mlp_ratio=1,
        pred_hidden_size=24,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
        pred_mlp_ratio=1,
    )
    VJEPA2Model(config).save_pretrained(folder)
    size = {"size": {"shortest_edge": pixels}, "crop_size": {"height": pixels, "width": pixels}}
    VJEPA2VideoProcessor(**size).save_pretrained(folder)
    return folder
