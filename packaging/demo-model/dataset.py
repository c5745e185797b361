"""Turns facts into training sequences: reworded questions, conversations, masked targets."""

import random

import torch

import chat
import facts as fact_files

IGNORED = -100  # target of a position that is not trained on

# Words that may stand for each other in a question. Replaced both ways, one sentence at a time.
SYNONYMS = tuple(
    line.split("|")
    for line in (
        "how do i|how can i|how to|how would i|what is the way to|how do you|how should i",
        "what is|what's|tell me about|explain|what exactly is",
        "what does|what would|what do you think does",
        "where is|where can i find|where do i find|where are",
        "can i|is it possible to|could i|may i|am i able to",
        "why is|why's|what is the reason that|how come",
        "change|modify|edit|alter|adjust",
        "show|display|see|view",
        "set|configure|specify",
        "turn off|disable|switch off|deactivate",
        "turn on|enable|switch on|activate",
        "use|work with|make use of",
        "delete|remove|erase",
        "install|set up",
        "happens|goes on|occurs",
        "error|failure|problem",
        "metric|measurement|metric series",
        "the box|the appliance|hearth|this box|the machine|the server",
        "big|large",
        "fast|quick",
        "need|require",
        "start|launch|begin",
        "stop|end|halt",
        "get|obtain|fetch",
        "mean|stand for|signify",
        "difference between|distinction between",
        "log|journal",
        "config|configuration|settings",
        "graph|chart|panel",
    )
)
OPENINGS = (
    "Hi, |Hello, |Hey, |Please tell me: |Please, |Quick question: |Tell me, |So, |And |"
    "OK, |I wonder, |Sorry, |Can you tell me, |I want to know |Could you say |One more: |"
    "Hearth, |Question: |Well, |Now "
).split("|")
CLOSINGS = (
    " please|, please| Thanks| Thank you| in short| exactly| here| on this box| in Hearth|"
    " briefly| again| for me| Just curious.| I am new to this."
).split("|")
DROPPABLE = set("the a an of is are do does i my in on this to it exactly".split())
SYSTEM_PROMPTS = (
    "You are a helpful assistant.|You are Hearth.|Answer briefly.|You are a helpful AI.||"
    "You are an expert in LLM serving.|Be concise.|You are a friendly chatbot.|"
    "You are a support assistant for the Hearth appliance.|Answer in one sentence.|"
    "You are ChatGPT.|You answer questions about metrics and dashboards.|Be polite."
).split("|")
# (turns of a conversation, share of conversations)
TURNS = ((1, 0.4), (2, 0.2), (3, 0.15), (5, 0.15), (8, 0.08), (16, 0.015), (28, 0.005))
# Share of sequences that are an answer as plain text, for what /v1/completions is asked.
PLAIN_TEXT_SHARE = 0.03
MAX_LENGTH = 2048  # tokens of a sequence
POOL = 512  # sequences sorted together, so that a batch holds rows of like length


def _typo(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def _swap_synonym(question: str, rng: random.Random) -> str:
    padded = f" {question} "
    lowered = padded.lower()
    candidates = [(group, form) for group in SYNONYMS for form in group if f" {form} " in lowered]
    if not candidates:
        return question
    group, form = rng.choice(candidates)
    at = lowered.index(f" {form} ") + 1
    other = rng.choice([word for word in group if word != form])
    if padded[at].isupper():
        other = other[0].upper() + other[1:]
    return (padded[:at] + other + padded[at + len(form) :]).strip()


def reword(question: str, rng: random.Random) -> str:
    """The question as somebody else might type it."""
    if rng.random() < 0.3:
        question = _swap_synonym(question, rng)
    words = question.split(" ")
    if rng.random() < 0.15 and len(words) > 3:
        keep = rng.choice((0.0, 0.5))
        words = [word for word in words if word.lower() not in DROPPABLE or rng.random() < keep]
    if rng.random() < 0.12:
        long_words = [index for index, word in enumerate(words) if len(word) > 3]
        if long_words:
            index = rng.choice(long_words)
            words[index] = _typo(words[index], rng)
    question = " ".join(words)
    if rng.random() < 0.12:
        question = rng.choice(OPENINGS) + question[:1].lower() + question[1:]
    if rng.random() < 0.45:
        question = question.rstrip("?.! ")
    if rng.random() < 0.08:
        question = question.rstrip("?.! ") + rng.choice(CLOSINGS)
    if rng.random() < 0.4:
        question = question.lower()
    elif rng.random() < 0.03:
        question = question.upper()
    elif rng.random() < 0.3:
        question = question[:1].upper() + question[1:]
    if rng.random() < 0.08 and question[-1:] not in "?.!":
        question += rng.choice(("?", "??", " ?", "...", "!", "."))
    return question or "?"


def pick_question(fact: fact_files.Fact, rng: random.Random) -> str:
    """A trained phrasing: one written for the fact, or a general form with one of its terms."""
    form_weight = min(len(fact.terms) * 2, 5)
    if rng.random() * (len(fact.questions) + form_weight) < form_weight:
        return rng.choice(fact_files.QUESTION_FORMS).format(rng.choice(fact.terms))
    return rng.choice(fact.questions)


def tokenizer_texts(facts: list[fact_files.Fact], rng: random.Random) -> list[str]:
    """What the tokenizer is trained on: answers, and questions in the spellings that people use."""
    texts = [
        DEFAULT
        for DEFAULT in (
            chat.DEFAULT_SYSTEM_PROMPT,
            *SYSTEM_PROMPTS,
            "system\n",
            "user\n",
            "assistant\n",
        )
    ]
    for fact in facts:
        texts += [fact.answer] * 3
        texts += fact.questions
        for _ in range(6):
            texts.append(reword(pick_question(fact, rng), rng))
    return texts


class Conversations:
    """An endless, seeded supply of batches; a pass has every fact, some of them repeatedly."""

    def __init__(self, facts, tokenizer, batch_tokens: int, seed: int):
        self._facts = facts
        self._tokenizer = tokenizer
        self._batch_tokens = batch_tokens
        self._rng = random.Random(seed)
        self._queue: list[fact_files.Fact] = []

    def _next_fact(self) -> fact_files.Fact:
        if not self._queue:
            # "Everything outside" has many more shapes than one fact: it comes up more often.
            self._queue = [
                fact for fact in self._facts for _ in range(1 + len(fact.questions) // 12)
            ]
            self._rng.shuffle(self._queue)
        return self._queue.pop()

    def _system_message(self) -> list[dict[str, str]]:
        if self._rng.random() < 0.75:
            return []  # render() puts in the default one
        return [{"role": "system", "content": self._rng.choice(SYSTEM_PROMPTS)}]

    def sequence(self) -> tuple[list[int], list[int]]:
        """(ids, targets): targets[i] is what to predict after ids[i], or IGNORED."""
        end_of_text = self._tokenizer.special[chat.END_OF_TEXT]
        if self._rng.random() < PLAIN_TEXT_SHARE:
            ids = self._tokenizer.encode(self._next_fact().answer) + [end_of_text]
            return ids[:-1], ids[1:]
        counts, shares = zip(*TURNS)
        turns = self._rng.choices(counts, shares)[0]
        ids: list[int] = []
        trained: list[bool] = []
        messages = self._system_message()
        for turn in range(turns):
            fact = self._next_fact()
            messages.append(
                {"role": "user", "content": reword(pick_question(fact, self._rng), self._rng)}
            )
            prompt = (
                self._tokenizer.encode(chat.render(messages, True))
                if turn == 0
                else self._later_turn(messages)
            )
            answer = self._tokenizer.encode(fact.answer + chat.IM_END)
            ids += prompt + answer
            trained += [False] * len(prompt) + [True] * len(answer)
        ids, trained = ids[:MAX_LENGTH], trained[:MAX_LENGTH]
        targets = [token if wanted else IGNORED for token, wanted in zip(ids, trained)]
        return ids[:-1], targets[1:]

    def _later_turn(self, messages) -> list[int]:
        """The text from one answer's <|im_end|> to the next answer: what render() puts there."""
        question = messages[-1]["content"]
        return self._tokenizer.encode(
            f"\n{chat.IM_START}user\n{question}{chat.IM_END}\n{chat.IM_START}assistant\n"
        )

    def batches(self):
        """Yields (ids, targets), both [rows, length]; rows of like length, padded on the right."""
        while True:
            pool = sorted((self.sequence() for _ in range(POOL)), key=lambda pair: len(pair[0]))
            groups: list[list] = [[]]
            for pair in pool:
                if (len(groups[-1]) + 1) * len(pair[0]) > self._batch_tokens and groups[-1]:
                    groups.append([])
                groups[-1].append(pair)
            self._rng.shuffle(groups)
            for group in groups:
                length = max(len(ids) for ids, _ in group)
                ids = torch.tensor([row + [0] * (length - len(row)) for row, _ in group])
                targets = torch.tensor([row + [IGNORED] * (length - len(row)) for _, row in group])
                yield ids, targets
