"""Writes and reads the model directory in Hugging Face's layout."""

import json
import pathlib

import bpe
import chat
import model
import safetensors_io

VOCAB_SIZE = 3072  # with the special tokens

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "hidden_size": 256,
    "initializer_range": 0.02,
    "intermediate_size": 768,
    "max_position_embeddings": 2048,
    "max_window_layers": 4,
    "model_type": "qwen2",
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 10000.0,
    "sliding_window": None,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCAB_SIZE,
}

# Low enough that the learnt sentence wins, above 0 so that `temperature` and `seed` show an effect.
GENERATION_DEFAULTS = {
    "do_sample": True,
    "repetition_penalty": 1.0,
    "temperature": 0.1,
    "top_k": 20,
    "top_p": 0.8,
}


def train_tokenizer(texts) -> bpe.Tokenizer:
    ordinary = VOCAB_SIZE - len(chat.SPECIAL_TOKENS)
    vocab, merges = bpe.train(texts, ordinary)
    if len(vocab) != ordinary:
        raise ValueError(
            f"the text is too short for {ordinary} tokens: only {len(vocab)} were learnt"
        )
    return bpe.Tokenizer(
        vocab, merges, {token: ordinary + i for i, token in enumerate(chat.SPECIAL_TOKENS)}
    )


def _write_json(path: pathlib.Path, content: dict) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _added_token(content: str) -> dict:
    return {
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def tokenizer_json(tokenizer: bpe.Tokenizer) -> dict:
    """The same shape as the file of Qwen2.5."""
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    split = {
        "type": "Split",
        "pattern": {"Regex": bpe.PRE_TOKEN_PATTERN},
        "behavior": "Isolated",
        "invert": False,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, **_added_token(token)} for token, index in tokenizer.special.items()
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
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
            "ignore_merges": False,
            "vocab": tokenizer.vocab,
            "merges": [" ".join(pair) for pair in tokenizer.merges],
        },
    }


def tokenizer_config(tokenizer: bpe.Tokenizer) -> dict:
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(index): _added_token(token) for token, index in tokenizer.special.items()
        },
        "additional_special_tokens": [chat.IM_START, chat.IM_END],
        "bos_token": None,
        "chat_template": chat.CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": chat.IM_END,
        "errors": "replace",
        "model_max_length": CONFIG["max_position_embeddings"],
        "pad_token": chat.END_OF_TEXT,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }


def write(
    directory: pathlib.Path, tokenizer: bpe.Tokenizer, network: model.Qwen2ForCausalLM
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    end_of_text, im_end = tokenizer.special[chat.END_OF_TEXT], tokenizer.special[chat.IM_END]
    ids = {"bos_token_id": end_of_text, "eos_token_id": im_end}
    _write_json(directory / "config.json", dict(sorted({**CONFIG, **ids}.items())))
    ids = {
        "bos_token_id": end_of_text,
        "eos_token_id": [im_end, end_of_text],
        "pad_token_id": end_of_text,
    }
    _write_json(
        directory / "generation_config.json", dict(sorted({**GENERATION_DEFAULTS, **ids}.items()))
    )
    _write_json(directory / "tokenizer.json", tokenizer_json(tokenizer))
    _write_json(directory / "tokenizer_config.json", tokenizer_config(tokenizer))
    partial = directory / "model.safetensors.partial"
    safetensors_io.save(partial, network.state_dict())
    partial.replace(directory / "model.safetensors")  # a reader never sees half a file


def read(directory: pathlib.Path) -> tuple[bpe.Tokenizer, model.Qwen2ForCausalLM]:
    """The tokenizer and the network (fp32 arithmetic, bf16 weights) of what write() made."""
    content = json.loads((directory / "tokenizer.json").read_text(encoding="utf-8"))
    merges = [tuple(line.split(" ")) for line in content["model"]["merges"]]
    special = {token["content"]: token["id"] for token in content["added_tokens"]}
    tokenizer = bpe.Tokenizer(content["model"]["vocab"], merges, special)
    network = model.Qwen2ForCausalLM(
        json.loads((directory / "config.json").read_text(encoding="utf-8"))
    )
    network.load_state_dict(safetensors_io.load(directory / "model.safetensors"))
    return tokenizer, network
