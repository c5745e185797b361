#!/usr/bin/python3
"""A Qwen2 decoder in plain float32 numpy: the judge of the engine's own forward, and independent of it.

    qwen2_reference.py MODEL_DIR --prompt-ids 1,2,3 --max-tokens 16
        prints the greedy continuation as JSON: [id, id, ...]
    ... --logits FILE
        also writes the logits behind each printed token, float32 [max_tokens][vocab_size]

Weights are widened to float32 exactly; sums are numpy's. The keys and values of past tokens are kept.
"""

import argparse
import json
import mmap
import pathlib
import struct

import numpy as np


class Tensors:
    """The tensors of a model directory, each widened to float32 when it is asked for and then kept."""

    def __init__(self, directory: pathlib.Path):
        self._where, self._kept = {}, {}
        index = directory / "model.safetensors.index.json"
        names = {"model.safetensors"}
        if index.exists():
            names = set(json.loads(index.read_text())["weight_map"].values())
        for name in names:
            with (directory / name).open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            (header_bytes,) = struct.unpack_from("<Q", data)
            for tensor, info in json.loads(data[8:8 + header_bytes]).items():
                if tensor != "__metadata__":
                    self._where[tensor] = (data, 8 + header_bytes, info)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._kept:
            data, base, info = self._where[name]
            begin, end = info["data_offsets"]
            raw = data[base + begin:base + end]
            if info["dtype"] == "BF16":
                values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(raw, {"F16": "<f2", "F32": "<f4"}[info["dtype"]]).astype(np.float32)
            self._kept[name] = values.reshape(info["shape"])
        return self._kept[name]


def rms_norm(x: np.ndarray, weight: np.ndarray, eps: float) -> np.ndarray:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(eps)) * weight


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Qwen2:
    def __init__(self, directory: pathlib.Path):
        self.config = json.loads((directory / "config.json").read_text())
        self.weights = Tensors(directory)
        self.heads = self.config["num_attention_heads"]
        self.kv_heads = self.config["num_key_value_heads"]
        self.head_dim = self.config.get("head_dim") or self.config["hidden_size"] // self.heads
        self.past = [None] * self.config["num_hidden_layers"]  # (k, v), each [kv_heads][tokens][head_dim]
        self.length = 0

    def rotate(self, x: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """x: [heads][tokens][head_dim]; the two halves of a head are the two coordinates of its pairs."""
        half = self.head_dim // 2
        frequencies = self.config["rope_theta"] ** (-np.arange(half, dtype=np.float32) / np.float32(half))
        angles = positions[:, None].astype(np.float32) * frequencies.astype(np.float32)
        cos, sin = np.cos(angles), np.sin(angles)
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)

    def attention(self, x: np.ndarray, layer: int) -> np.ndarray:
        prefix = f"model.layers.{layer}.self_attn."
        tokens = len(x)

        def project(name: str, heads: int) -> np.ndarray:
            y = x @ self.weights[f"{prefix}{name}_proj.weight"].T + self.weights[f"{prefix}{name}_proj.bias"]
            return y.reshape(tokens, heads, self.head_dim).transpose(1, 0, 2)

        positions = np.arange(self.length, self.length + tokens)
        q = self.rotate(project("q", self.heads), positions)
        k = self.rotate(project("k", self.kv_heads), positions)
        v = project("v", self.kv_heads)
        if self.past[layer] is not None:
            k = np.concatenate([self.past[layer][0], k], axis=1)
            v = np.concatenate([self.past[layer][1], v], axis=1)
        self.past[layer] = (k, v)
        group = self.heads // self.kv_heads
        scores = q @ np.repeat(k, group, axis=0).transpose(0, 2, 1) / np.float32(np.sqrt(self.head_dim))
        unseen = np.arange(k.shape[1])[None, :] > positions[:, None]
        out = softmax(np.where(unseen, np.float32(-np.inf), scores)) @ np.repeat(v, group, axis=0)
        out = out.transpose(1, 0, 2).reshape(tokens, self.heads * self.head_dim)
        return out @ self.weights[prefix + "o_proj.weight"].T

    def forward(self, token_ids: list) -> np.ndarray:
        """The logits behind the last of `token_ids`, which follow those of earlier calls."""
        eps = self.config["rms_norm_eps"]
        embedding = self.weights["model.embed_tokens.weight"]
        x = embedding[token_ids]
        for layer in range(self.config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            x = x + self.attention(rms_norm(x, self.weights[prefix + "input_layernorm.weight"], eps), layer)
            y = rms_norm(x, self.weights[prefix + "post_attention_layernorm.weight"], eps)
            gate = silu(y @ self.weights[prefix + "mlp.gate_proj.weight"].T)
            up = y @ self.weights[prefix + "mlp.up_proj.weight"].T
            x = x + (gate * up) @ self.weights[prefix + "mlp.down_proj.weight"].T
        self.length += len(token_ids)
        last = rms_norm(x[-1], self.weights["model.norm.weight"], eps)
        tied = self.config["tie_word_embeddings"]
        return (embedding if tied else self.weights["lm_head.weight"]) @ last


def main() -> None:
    parser = argparse.ArgumentParser(description="Greedy decoding of a Qwen2 model in numpy.")
    parser.add_argument("model_dir", type=pathlib.Path)
    parser.add_argument("--prompt-ids", required=True, help="comma-separated")
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--logits", type=pathlib.Path)
    args = parser.parse_args()

    model = Qwen2(args.model_dir)
    logits = [model.forward([int(token) for token in args.prompt_ids.split(",")])]
    generated = [int(np.argmax(logits[-1]))]
    while len(generated) < args.max_tokens:
        logits.append(model.forward(generated[-1:]))
        generated.append(int(np.argmax(logits[-1])))
    if args.logits:
        args.logits.write_bytes(np.stack(logits).astype("<f4").tobytes())
    print(json.dumps(generated))


if __name__ == "__main__":
    main()
