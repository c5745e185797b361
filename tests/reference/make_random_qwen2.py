#!/usr/bin/python3
"""Writes a Hugging Face directory of a Qwen2 model with random weights.

    make_random_qwen2.py DIR                 Qwen2.5-0.5B's exact shapes, bf16, about 1 GB
    make_random_qwen2.py DIR --tiny          a few hundred KB, for unit tests
    make_random_qwen2.py DIR --tiny --untied --dtype F32 --shards 3

Weights are drawn so that activations keep their size through the layers and logits are far from flat: the
greedy token then does not hang on the last bit. The tokenizer has the 256 bytes and the special tokens only.
"""

import argparse
import json
import math
import pathlib
import struct

import numpy as np

CHUNK_ELEMENTS = 1 << 22

QWEN2_5_0_5B = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 32768,
    "rope_theta": 1000000.0,
}

# Sizes that are no multiples of a kernel's widths, so that every remainder is met.
TINY = {
    "hidden_size": 96,
    "intermediate_size": 200,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "vocab_size": 301,
    "max_position_embeddings": 1024,
    "rope_theta": 10000.0,
}

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def make_config(shapes: dict, tied: bool, dtype: str, eos_token_id: int) -> dict:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        **shapes,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-06,
        "tie_word_embeddings": tied,
        "torch_dtype": {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype],
        "use_sliding_window": False,
        "sliding_window": None,
        "bos_token_id": eos_token_id - 2,
        "eos_token_id": eos_token_id,
    }


def tensor_list(config: dict) -> list:
    """(name, shape, mean, standard deviation) of every tensor, in the order of the file."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head_dim = hidden // config["num_attention_heads"]
    kv_size = config["num_key_value_heads"] * head_dim
    layers = config["num_hidden_layers"]
    to_residual = 1 / math.sqrt(2 * layers)  # so that the sum of all blocks stays of the size of one
    tensors = [("model.embed_tokens.weight", (config["vocab_size"], hidden), 0, 2 / math.sqrt(hidden))]
    for i in range(layers):
        prefix = f"model.layers.{i}."
        tensors.append((prefix + "input_layernorm.weight", (hidden,), 1, 0.1))
        for name, rows in (("q", hidden), ("k", kv_size), ("v", kv_size)):
            # Sharper queries and keys than 1 / sqrt(n): attention then differs between tokens.
            std = (1.5 if name != "v" else 1) / math.sqrt(hidden)
            tensors.append((f"{prefix}self_attn.{name}_proj.weight", (rows, hidden), 0, std))
            tensors.append((f"{prefix}self_attn.{name}_proj.bias", (rows,), 0, 0.2))
        tensors.append((prefix + "self_attn.o_proj.weight", (hidden, hidden), 0, to_residual / math.sqrt(hidden)))
        tensors.append((prefix + "post_attention_layernorm.weight", (hidden,), 1, 0.1))
        tensors.append((prefix + "mlp.gate_proj.weight", (inner, hidden), 0, 1 / math.sqrt(hidden)))
        tensors.append((prefix + "mlp.up_proj.weight", (inner, hidden), 0, 1 / math.sqrt(hidden)))
        tensors.append((prefix + "mlp.down_proj.weight", (hidden, inner), 0, 2 * to_residual / math.sqrt(inner)))
    tensors.append(("model.norm.weight", (hidden,), 1, 0.1))
    if not config["tie_word_embeddings"]:
        tensors.append(("lm_head.weight", (config["vocab_size"], hidden), 0, 2 / math.sqrt(hidden)))
    return tensors


def encode(values: np.ndarray, dtype: str) -> bytes:
    if dtype == "F32":
        return values.astype("<f4").tobytes()
    if dtype == "F16":
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()  # to nearest even


def write_safetensors(path: pathlib.Path, tensors: list, dtype: str, rng: np.random.Generator) -> None:
    item_bytes = 4 if dtype == "F32" else 2
    header, offset = {}, 0
    for name, shape, _, _ in tensors:
        size = math.prod(shape) * item_bytes
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, mean, std in tensors:
            left = math.prod(shape)
            while left > 0:
                count = min(left, CHUNK_ELEMENTS)
                file.write(encode(mean + std * rng.standard_normal(count, dtype=np.float32), dtype))
                left -= count


def write_weights(directory: pathlib.Path, config: dict, dtype: str, shards: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tensors = tensor_list(config)
    if shards == 1:
        write_safetensors(directory / "model.safetensors", tensors, dtype, rng)
        return
    weight_map = {}
    for i in range(shards):
        name = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        part = tensors[i * len(tensors) // shards:(i + 1) * len(tensors) // shards]
        write_safetensors(directory / name, part, dtype, rng)
        weight_map.update({tensor[0]: name for tensor in part})
    write_json(directory / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def byte_alphabet() -> list:
    """The character that stands for each byte in a byte-level BPE: itself where it is visible, else the next
    one from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet, next_code = [], 0x100
    for byte in range(256):
        if byte in visible:
            alphabet.append(chr(byte))
        else:
            alphabet.append(chr(next_code))
            next_code += 1
    return alphabet


def make_tokenizer(special_ids: dict) -> dict:
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for content, token_id in special_ids.items()
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
                byte_level,
            ],
        },
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {character: byte for byte, character in enumerate(byte_alphabet())},
            "merges": [],
        },
    }


def write_json(path: pathlib.Path, content: dict) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a Qwen2 model with random weights.")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--untied", action="store_true", help="a separate lm_head")
    parser.add_argument("--dtype", choices=("BF16", "F16", "F32"), default="BF16")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    shapes = TINY if args.tiny else QWEN2_5_0_5B
    first_special = 256 if args.tiny else 151643  # Qwen2.5's own numbers
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    special_ids = {name: first_special + i for i, name in enumerate(names)}
    eos = special_ids["<|im_end|>"]

    args.directory.mkdir(parents=True, exist_ok=True)
    config = make_config(shapes, not args.untied, args.dtype, eos)
    write_json(args.directory / "config.json", config)
    write_json(args.directory / "generation_config.json", {
        "eos_token_id": [eos, special_ids["<|endoftext|>"]],
        "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.0,
    })
    write_json(args.directory / "tokenizer.json", make_tokenizer(special_ids))
    write_json(args.directory / "tokenizer_config.json", {
        "tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": False, "bos_token": None,
        "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
        "model_max_length": config["max_position_embeddings"], "chat_template": CHAT_TEMPLATE,
        "added_tokens_decoder": {str(token_id): {"content": content, "special": True}
                                 for content, token_id in special_ids.items()},
    })
    write_weights(args.directory, config, args.dtype, args.shards, args.seed)


if __name__ == "__main__":
    main()
