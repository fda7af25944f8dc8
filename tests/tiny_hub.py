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
    "Action",
    "|",
]


def tokenizer(folder: Path, *more: str, size: int = 0, **arguments: Any) -> Any:
    """A tokenizer of whole words that knows numbers and a few words.

    Args:
        folder: where it is written.
        more: special tokens.
        size: how many words it has at least.
        arguments: what else transformers' tokenizer takes.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<bos>", "<eos>", "<unk>", *more]
    known = [*special, *WORDS]
    words = [*known, *map(str, range(max(256, size - len(known))))]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
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


# The sizes of the SmolVLM2-500M that the published SmolVLA is made of.
SMOLVLM_500M = {
    "text": {
        "hidden_size": 960,
        "intermediate_size": 2560,
        "num_hidden_layers": 32,
        "num_attention_heads": 15,
        "num_key_value_heads": 5,
        "head_dim": 64,
    },
    "vision": {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "image_size": 512,
    },
}


def smolvlm(folder: Path, sizes: dict[str, dict[str, int]] | None = None) -> Path:
    """A SmolVLM configuration and processor; LeRobot builds it with random weights.

    Args:
        folder: where it is written.
        sizes: of its `text` and `vision` parts; a few numbers wide by default.
    """
    sizes = sizes or {"text": {}, "vision": {}}
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
        **sizes["text"],
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 16,
        **sizes["vision"],
    }
    scale = 4 if sizes["vision"] else 2
    SmolVLMConfig(text_config=text, vision_config=vision, scale_factor=scale, image_token_id=6).save_pretrained(folder)
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(),
        tokenizer=words,
        video_processor=SmolVLMVideoProcessor(),
        image_seq_len=(vision["image_size"] // vision["patch_size"] // scale) ** 2,
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


def named_tokenizer(hub: Path, repo_id: str, model_type: str, size: int = 0) -> None:
    """A tokenizer in a Hub cache under a name that LeRobot asks for, with the configuration that is read for it."""
    folder = cached(hub, repo_id)
    tokenizer(folder, size=size)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))


FAST = """
import numpy as np
from scipy.fft import dct
from transformers.processing_utils import ProcessorMixin


class Fast(ProcessorMixin):
    attributes = ["bpe_tokenizer"]
    bpe_tokenizer_class = "AutoTokenizer"

    def __init__(self, bpe_tokenizer, scale=10, min_token=-40):
        self.scale, self.min_token = scale, min_token
        super().__init__(bpe_tokenizer)

    def __call__(self, actions):
        waves = np.around(dct(np.asarray(actions), axis=1, norm="ortho") * self.scale).astype(int)
        texts = ["".join(map(chr, (wave.flatten() - self.min_token).clip(0, 79))) for wave in waves]
        return [self.bpe_tokenizer(text)["input_ids"] for text in texts]
"""


def fast(folder: Path, tokenizer: str = "bpe_tokenizer") -> Path:
    """An action tokenizer as FAST is one, code of its own included: one token for each rounded cosine coefficient.

    Args:
        folder: where it is written.
        tokenizer: the folder in it with the tokenizer of text; MolmoAct2 looks for that beside the rest.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({chr(number): number for number in range(80)}, unk_token=chr(40)))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    inner.decoder = decoders.Fuse()
    made = PreTrainedTokenizerFast(tokenizer_object=inner, clean_up_tokenization_spaces=False)
    made.save_pretrained(folder / tokenizer)
    (folder / tokenizer / "config.json").write_text("{}")  # asked for, and empty
    (folder / "fast.py").write_text(FAST)
    about = {"processor_class": "Fast", "auto_map": {"AutoProcessor": "fast.Fast"}, "scale": 10, "min_token": -40}
    (folder / "processor_config.json").write_text(json.dumps(about))
    return folder


GEMMA_WORDS = 400  # a tokenizer with as many has a word for whatever the model says


def small_gemma(module: Any, monkeypatch: Any) -> None:
    """Make a module of LeRobot's pi family build its PaliGemma and Gemma small: no parameter of it does.

    Everything else in the module is what it was, and so are the names of all its tensors.
    """
    from transformers import GemmaConfig, PaliGemmaConfig, SiglipVisionConfig

    written_in = {"vocab_size": GEMMA_WORDS, "_vocab_size": GEMMA_WORDS, "projection_dim": 16}

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
        return GemmaConfig(**{**arguments, "vocab_size": GEMMA_WORDS})

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


def qwen(folder: Path, generation: str, *more: str) -> Path:
    """A Qwen-VL model (`2_5` or `3`) for small pictures, with its tokenizer and processors.

    Args:
        folder: where it is written.
        generation: the model's.
        more: special tokens beside the usual ones.
    """
    import transformers as t

    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_bos_token": "<|vision_start|>",
        "vision_eos_token": "<|vision_end|>",
    }
    words = tokenizer(folder, *marks, *more, extra_special_tokens={**named, **{word: word for word in more}})
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


def wall_oss(folder: Path, numbers: int = 20) -> Path:
    """A WALL-OSS model on a small Qwen2.5-VL, for states and actions of so many numbers."""
    from lerobot.policies.wall_x.modeling_wall_x import Qwen2_5_VLMoEForAction
    from safetensors.torch import save_file
    from transformers import AutoProcessor

    expert = {"hidden_size": 32, "intermediate_size": 32, "hidden_act": "silu"}
    experts = {"num_experts": 2, "experts": [expert, expert], "dim_inputs": [32, 32], "mlp_moe": True}
    qwen(folder, "2_5", "<|action|>", "<|propri|>")
    written = json.loads((folder / "config.json").read_text())
    written["text_config"] |= {**experts, "noise_scheduler": {"beta_alpha": 1.5, "beta_beta": 1.0, "s": 0.999}}
    written["text_config"]["dof_config"] = written["agent_pos_config"] = {"all": numbers}
    (folder / "config.json").write_text(json.dumps(written))
    config = Qwen2_5_VLMoEForAction.config_class.from_pretrained(folder)
    model = Qwen2_5_VLMoEForAction(config, processor=AutoProcessor.from_pretrained(folder))
    model.resize_token_embeddings(len(model.processor.tokenizer))
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    return folder


def gr00t(hub: Path, folder: Path) -> Path:
    """A GR00T N1.7 model on a small Qwen3-VL, whose processor is in a Hub cache under the name that is written in."""
    from lerobot.policies.groot.groot_n1_7 import GR00TN17, GR00TN17Config

    backbone = qwen(cached(hub, "nvidia/Cosmos-Reason2-2B"), "3")
    attention = {"positional_embeddings": None, "num_layers": 2, "num_attention_heads": 2, "final_dropout": True}
    config = GR00TN17Config(
        model_name=str(backbone),
        select_layer=1,
        backbone_embedding_dim=32,
        hidden_size=16,
        input_embedding_dim=16,
        diffusion_model_cfg={
            **attention,
            "attention_head_dim": 8,
            "norm_type": "ada_norm",
            "dropout": 0.0,
            "output_dim": 16,
            "interleave_self_attention": True,
        },
        vl_self_attention_cfg={**attention, "num_layers": 1, "attention_head_dim": 16, "dropout": 0.0},
        max_num_embodiments=32,
        num_inference_timesteps=2,
    )
    GR00TN17(config, load_backbone_weights=False).save_pretrained(folder)
    return folder


def wan(folder: Path) -> Path:
    """What the world models take of Wan 2.2: its video autoencoder, its text encoder and a tokenizer."""
    from diffusers import AutoencoderKLWan
    from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

    known = ["<pad>", "</s>", "<unk>", "\u2581", *map(chr, range(33, 127))]
    words = T5TokenizerFast(vocab=[(piece, -1.0) for piece in known], extra_ids=0)
    words.save_pretrained(folder / "tokenizer")
    AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=48,
        num_res_blocks=1,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
    ).save_pretrained(folder / "vae")
    size = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    UMT5EncoderModel(UMT5Config(vocab_size=len(words), **size)).save_pretrained(folder / "text_encoder")
    return folder


def dense_attention(module: Any, monkeypatch: Any) -> None:
    """Write LingBot-VA's attention out with the same masks, as torch's FlexAttention has no backward on a CPU."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, create_mask

    def attention(q: Any, k: Any, v: Any, block_mask: Any, kernel_options: Any) -> Any:
        seen = create_mask(block_mask.mask_mod, 1, 1, q.shape[2], k.shape[2], device=q.device)
        anything = seen.any(-1, keepdim=True)  # what pads a sequence sees nothing, and comes out as zeros
        made = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen | ~anything)
        return made * anything

    def block_mask(*arguments: Any, _compile: bool, **named: Any) -> Any:
        return create_block_mask(*arguments, **named)

    monkeypatch.setattr(module.FlexAttnFunc, "flex_attn", attention)
    monkeypatch.setattr(module.FlexAttnFunc, "compiled_create_block_mask", block_mask)


def molmoact2(folder: Path) -> Path:
    """A MolmoAct2 model for pictures of 28 pixels, with its tokenizer and processor."""
    from lerobot.policies.molmoact2.molmoact2_hf_model import configuration_molmoact2 as c
    from lerobot.policies.molmoact2.molmoact2_hf_model.modeling_molmoact2 import MolmoAct2ForConditionalGeneration
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    marks = ["im_patch", "im_col", "im_start", "low_res_im_start", "frame_start", "im_end", "frame_end", "im_low"]
    marks += ["|image|", "|video|", "|im_start|", "|im_end|", "action_output"]
    marks += [f"{part}_{where}" for part in ("action", "state", "setup", "control") for where in ("start", "end")]
    marks += [*(f"action_{number}" for number in range(80)), *(f"state_{number}" for number in range(256))]
    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    words = Qwen2Tokenizer(vocab=letters, merges=[], padding_side="left")
    words.add_special_tokens({"additional_special_tokens": [f"<{mark}>" for mark in marks]})
    words.save_pretrained(folder)

    def ids(**named: str) -> dict[str, int]:
        return {key: words.convert_tokens_to_ids(f"<{mark}>") for key, mark in named.items()}

    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 16}
    layers = {"num_hidden_layers": 2, "hidden_size": 16}
    config = c.MolmoAct2Config(
        vit_config=c.MolmoAct2VitConfig(image_default_input_size=(28, 28), image_num_pos=4, **layers, **heads),
        adapter_config=c.MolmoAct2AdapterConfig(vit_layers=(-1, -2), hidden_size=16, text_hidden_size=16, **heads),
        text_config=c.MolmoAct2TextConfig(vocab_size=len(words), additional_vocab_size=8, **layers, **heads),
        action_expert_config=c.MolmoAct2ActionExpertConfig(
            hidden_size=16, num_layers=2, num_heads=2, ffn_multiple_of=16, timestep_embed_dim=16
        ),
        flow_matching_num_steps=2,
        eos_token_id=words.eos_token_id,
        num_action_tokens=80,
        num_state_tokens=256,
        **ids(
            image_start_token_id="im_start",
            low_res_image_start_token_id="low_res_im_start",
            image_end_token_id="im_end",
            image_low_res_id="im_low",
            image_patch_id="im_patch",
            image_col_id="im_col",
            frame_start_token_id="frame_start",
            frame_end_token_id="frame_end",
            action_output_token_id="action_output",
            action_start_token_id="action_start",
            action_end_token_id="action_end",
            action_token_start_id="action_0",
            state_start_token_id="state_start",
            state_end_token_id="state_end",
            state_token_start_id="state_0",
        ),
    )
    MolmoAct2ForConditionalGeneration(config).save_pretrained(folder)
    pictures = {"size": {"height": 28, "width": 28}, "crop_mode": "resize"}
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": pictures}))
    return folder
