"""The Qwen2 architecture in plain PyTorch, with Hugging Face's names of modules and config fields.

Pre-norm decoder: RMSNorm, grouped-query attention with rotary positions and biased q/k/v, RMSNorm,
SwiGLU; the output projection is the embedding table (tie_word_embeddings).
"""

import math

import torch
from torch import nn
from torch.nn import functional


class RmsNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rotary_tables(config: dict, length: int):
    """cos and sin [length, head_dim] of position * theta^(-2i/head_dim), half-split layout."""
    head_dim = config["hidden_size"] // config["num_attention_heads"]
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
    angles = torch.outer(
        torch.arange(length, dtype=torch.float32), config["rope_theta"] ** -exponents
    )
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        hidden = config["hidden_size"]
        self.num_heads = config["num_attention_heads"]
        self.num_kv_heads = config["num_key_value_heads"]
        self.head_dim = hidden // self.num_heads
        self.q_proj = nn.Linear(hidden, self.num_heads * self.head_dim)
        self.k_proj = nn.Linear(hidden, self.num_kv_heads * self.head_dim)
        self.v_proj = nn.Linear(hidden, self.num_kv_heads * self.head_dim)
        self.o_proj = nn.Linear(self.num_heads * self.head_dim, hidden, bias=False)

    def forward(self, x, cos, sin, mask, past):
        """x [batch, length, hidden]; mask [1 or batch, 1, length, past + length] is added."""
        batch, length, _ = x.shape
        q = self.q_proj(x).view(batch, length, self.num_heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.num_kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.num_kv_heads, self.head_dim).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        # The query heads of one key-value head are rows of one product: nothing is repeated.
        grouped = (batch, self.num_kv_heads, -1, length, k.shape[2])
        scores = q.reshape(batch, self.num_kv_heads, -1, self.head_dim) @ k.transpose(-1, -2)
        scores = scores.view(grouped) / math.sqrt(self.head_dim) + mask[:, None]
        out = torch.softmax(scores, dim=-1).view(batch, self.num_kv_heads, -1, k.shape[2]) @ v
        out = out.view(batch, self.num_heads, length, self.head_dim)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1)), (k, v)


class Mlp(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.gate_proj = nn.Linear(config["hidden_size"], config["intermediate_size"], bias=False)
        self.up_proj = nn.Linear(config["hidden_size"], config["intermediate_size"], bias=False)
        self.down_proj = nn.Linear(config["intermediate_size"], config["hidden_size"], bias=False)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = Mlp(config)
        self.input_layernorm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])
        self.post_attention_layernorm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])

    def forward(self, x, cos, sin, mask, past, dropout):
        out, present = self.self_attn(self.input_layernorm(x), cos, sin, mask, past)
        x = x + functional.dropout(out, dropout, self.training)
        out = self.mlp(self.post_attention_layernorm(x))
        return x + functional.dropout(out, dropout, self.training), present


class Decoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RmsNorm(config["hidden_size"], config["rms_norm_eps"])


class Qwen2ForCausalLM(nn.Module):
    def __init__(self, config: dict, dropout: float = 0.0):
        super().__init__()
        self.config = config
        self.dropout = dropout
        self.model = Decoder(config)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # The residual stream sums 2 * layers of these, so they start smaller.
                writes = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = config["initializer_range"] / (
                    math.sqrt(2 * config["num_hidden_layers"]) if writes else 1
                )
                nn.init.normal_(parameter, std=scale)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def hidden(self, ids, past=None, padding=None):
        """ids [batch, length] -> (hidden state after the last norm, the K/V of every layer).

        `past`: what an earlier call returned second. `padding` [batch, past + length]: True where
        not to look.
        """
        length = ids.shape[1]
        past_length = 0 if past is None else past[0][0].shape[2]
        cos, sin = (
            table[past_length:] for table in rotary_tables(self.config, past_length + length)
        )
        mask = torch.full((length, past_length + length), float("-inf")).triu(past_length + 1)[
            None, None
        ]
        if padding is not None:
            mask = mask.masked_fill(padding[:, None, None, :], -1e9)
        x = functional.dropout(self.model.embed_tokens(ids), self.dropout, self.training)
        presents = []
        for index, layer in enumerate(self.model.layers):
            x, present = layer(x, cos, sin, mask, past[index] if past else None, self.dropout)
            presents.append(present)
        return self.model.norm(x), presents

    def logits(self, hidden):
        return functional.linear(hidden, self.model.embed_tokens.weight)


@torch.no_grad()
def generate_greedy(
    model: Qwen2ForCausalLM, prompts: list[list[int]], stop_ids: set[int], max_tokens: int
):
    """The greedy continuation of each prompt, without the stop token; prompts are padded left."""
    model.eval()
    longest = max(map(len, prompts))
    pad = torch.tensor([longest - len(prompt) for prompt in prompts])
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    padding = torch.arange(longest)[None] < pad[:, None]
    outputs: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))  # the prompts still being answered
    past = None
    for _ in range(max_tokens):
        # Positions are relative in RoPE, so a row that starts late needs no correction.
        hidden, past = model.hidden(ids, past, padding=padding)
        best = model.logits(hidden[:, -1]).argmax(-1).tolist()
        going = [index for index, token in enumerate(best) if token not in stop_ids]
        if not going:
            break
        for index in going:
            outputs[rows[index]].append(best[index])
        if len(going) < len(rows):
            past = [(k[going], v[going]) for k, v in past]
            rows, padding = [rows[index] for index in going], padding[going]
        ids = torch.tensor([best[index] for index in going])[:, None]
        padding = torch.cat([padding, torch.zeros(len(rows), 1, dtype=torch.bool)], dim=1)
    return outputs
