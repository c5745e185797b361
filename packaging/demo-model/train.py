#!/usr/bin/python3
"""Trains the demo model: facts -> tokenizer and network -> a directory in Hugging Face's layout.

Needs Debian's python3-torch, python3-numpy and python3-regex. README.md says how long it takes.
"""

import argparse
import math
import pathlib
import random
import time

import torch
from torch.nn import functional

import dataset
import facts as fact_files
import model
import model_files

HERE = pathlib.Path(__file__).resolve().parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "model")
    parser.add_argument(
        "--init", type=pathlib.Path, help="go on from this model directory, with its tokenizer"
    )
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument(
        "--minutes", type=float, default=60, help="a slow machine ends the schedule after this long"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="batches are small: a second thread gains little"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--save-every", type=int, default=500, help="steps between checkpoints written to --out"
    )
    return parser.parse_args()


def learning_rate(step: int, progress: float, options: argparse.Namespace) -> float:
    """Linear warm-up, then a cosine down to 2 % of the peak as `progress` goes from 0 to 1."""
    if step < options.warmup:
        return options.learning_rate * (step + 1) / options.warmup
    return options.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def make_optimizer(
    network: model.Qwen2ForCausalLM, options: argparse.Namespace
) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in network.parameters() if parameter.dim() == 2]
    vectors = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98))


def train_step(network, optimizer, ids, targets, rate: float) -> float:
    for group in optimizer.param_groups:
        group["lr"] = rate
    hidden, _ = network.hidden(ids)
    wanted = targets != dataset.IGNORED  # only these rows are multiplied by the embedding table
    loss = functional.cross_entropy(network.logits(hidden[wanted]), targets[wanted])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    facts = fact_files.load_facts(HERE / "facts")
    if options.init:
        tokenizer, network = model_files.read(options.init)
        network.dropout = options.dropout
    else:
        tokenizer = model_files.train_tokenizer(
            dataset.tokenizer_texts(facts, random.Random(options.seed))
        )
        network = model.Qwen2ForCausalLM(model_files.CONFIG, options.dropout)
    size = sum(parameter.numel() for parameter in network.parameters())
    print(f"{len(facts)} facts, {size / 1e6:.2f} million parameters", flush=True)
    model_files.write(options.out, tokenizer, network)

    optimizer = make_optimizer(network, options)
    batches = dataset.Conversations(facts, tokenizer, options.batch_tokens, options.seed).batches()
    network.train()
    begin = time.monotonic()
    losses: list[float] = []
    for step in range(options.steps):
        elapsed = time.monotonic() - begin
        progress = max(step / options.steps, elapsed / (60 * options.minutes))
        if progress >= 1:
            break
        losses.append(
            train_step(network, optimizer, *next(batches), learning_rate(step, progress, options))
        )
        if (step + 1) % 50 == 0:
            loss = sum(losses[-50:]) / 50
            print(f"step {step + 1}/{options.steps} loss {loss:.4f} {elapsed:.0f} s", flush=True)
        if (step + 1) % options.save_every == 0:
            model_files.write(options.out, tokenizer, network)
    model_files.write(options.out, tokenizer, network)


if __name__ == "__main__":
    main()
