"""Byte-level BPE: a trainer and an encoder that give what Hugging Face's Qwen2 tokenizer gives.

The steps are those of Qwen2's tokenizer.json: NFC, split by PRE_TOKEN_PATTERN, each UTF-8 byte
written as one printable character (the alphabet of GPT-2), then merges in the order in which they
were learnt.
"""

import collections
import functools
import heapq
import re
import unicodedata

import regex  # python3-regex: \p{L} and \p{N} are not in Python's own re

PRE_TOKEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PRE_TOKEN = regex.compile(PRE_TOKEN_PATTERN)


@functools.cache
def byte_alphabet() -> dict[int, str]:
    """byte -> printable character: bytes that print keep theirs, the rest go from 256 up."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {byte: chr(byte) for byte in printable}
    spare = 256
    for byte in range(256):
        if byte not in alphabet:
            alphabet[byte] = chr(spare)
            spare += 1
    return alphabet


def pre_tokenize(text: str) -> list[str]:
    """The words of a text, in the byte alphabet."""
    alphabet = byte_alphabet()
    text = unicodedata.normalize("NFC", text)
    return ["".join(alphabet[byte] for byte in word.encode()) for word in _PRE_TOKEN.findall(text)]


def train(texts, vocab_size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Learns merges until the vocabulary has `vocab_size` entries: (token -> id, merges in order).

    Ties go to the pair that sorts first, so the result depends on the texts alone.
    """
    counts = collections.Counter(word for text in texts for word in pre_tokenize(text))
    words = [list(word) for word in counts]
    weights = list(counts.values())
    # GPT-2's id order: printable bytes first, as in byte_alphabet().
    vocab = {character: index for index, character in enumerate(sorted(byte_alphabet().values()))}
    pair_count: collections.Counter = collections.Counter()
    pair_words = collections.defaultdict(set)
    for index, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pair_count[pair] += weights[index]
            pair_words[pair].add(index)
    queue = [(-count, pair) for pair, count in pair_count.items()]
    heapq.heapify(queue)
    merges = []
    while len(vocab) < vocab_size and queue:
        negative_count, pair = heapq.heappop(queue)
        if (
            pair_count[pair] != -negative_count
        ):  # an outdated entry: the true count was pushed later
            continue
        if pair_count[pair] < 2:
            break
        merges.append(pair)
        vocab.setdefault(pair[0] + pair[1], len(vocab))
        changed = _merge_everywhere(pair, words, weights, pair_count, pair_words)
        for other in changed:
            if pair_count[other] > 0:
                heapq.heappush(queue, (-pair_count[other], other))
    return vocab, merges


def _merge_everywhere(pair, words, weights, pair_count, pair_words) -> set:
    """Joins `pair` in every word that holds it; returns the pairs whose count changed."""
    changed = set()
    for index in pair_words.pop(pair):
        old = words[index]
        new = _merge(old, pair)
        for other in zip(old, old[1:]):
            pair_count[other] -= weights[index]
            changed.add(other)
        for other in zip(new, new[1:]):
            pair_count[other] += weights[index]
            pair_words[other].add(index)
            changed.add(other)
        words[index] = new
    changed.discard(pair)
    return changed


def _merge(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    merged = []
    position = 0
    while position < len(symbols):
        if tuple(symbols[position : position + 2]) == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


class Tokenizer:
    def __init__(
        self, vocab: dict[str, int], merges: list[tuple[str, str]], special: dict[str, int]
    ):
        self.vocab = vocab
        self.merges = merges
        self.special = special
        self._rank = {pair: rank for rank, pair in enumerate(merges)}
        self._byte_of = {character: byte for byte, character in byte_alphabet().items()}
        self._token_of = {index: token for token, index in vocab.items()}
        self._special_of = {index: token for token, index in special.items()}
        self._split_special = re.compile("(" + "|".join(map(re.escape, special)) + ")")
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Ids of a text. Special tokens written out in it become their ids, as in Hugging Face."""
        ids = []
        for part in self._split_special.split(text):
            if part in self.special:
                ids.append(self.special[part])
            else:
                for word in pre_tokenize(part):
                    ids += self._encode_word(word)
        return ids

    def _encode_word(self, word: str) -> list[int]:
        if word not in self._cache:
            symbols = list(word)
            while len(symbols) > 1:
                best = min(
                    zip(symbols, symbols[1:]),
                    key=lambda pair: self._rank.get(pair, len(self._rank)),
                )
                if best not in self._rank:
                    break
                symbols = _merge(symbols, best)
            self._cache[word] = [self.vocab[symbol] for symbol in symbols]
        return self._cache[word]

    def decode(self, ids) -> str:
        """The text of ids, without special tokens; bytes that are not UTF-8 become U+FFFD."""
        characters = "".join(
            self._token_of[index] for index in ids if index not in self._special_of
        )
        return bytes(self._byte_of[character] for character in characters).decode(errors="replace")
