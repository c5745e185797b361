#!/usr/bin/python3
"""Asks the demo model its questions, counts the right answers and prints a table.

Greedy, fp32 arithmetic on the bf16 weights of the model directory. "Exact" is the answer character
for character. "Right fact" is an answer nearest to its own fact's among all facts, with at least
RIGHT_OVERLAP of its words. --misses prints what went wrong.
"""

import argparse
import collections
import pathlib
import random

import torch

import chat
import dataset
import facts as fact_files
import model
import model_files

HERE = pathlib.Path(__file__).resolve().parent
RIGHT_OVERLAP = 0.8
ROWS = 64  # questions answered together


def ask(tokenizer, network, conversations: list[list[dict]]) -> list[str]:
    stop_ids = {tokenizer.special[chat.IM_END], tokenizer.special[chat.END_OF_TEXT]}
    prompts = [tokenizer.encode(chat.render(messages, True)) for messages in conversations]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    answers = [""] * len(prompts)
    for begin in range(0, len(order), ROWS):
        rows = order[begin : begin + ROWS]
        outputs = model.generate_greedy(
            network, [prompts[row] for row in rows], stop_ids, max_tokens=160
        )
        for row, output in zip(rows, outputs):
            answers[row] = tokenizer.decode(output)
    return answers


def words(text: str) -> collections.Counter:
    return collections.Counter(text.lower().split())


class Judge:
    def __init__(self, facts):
        self._bags = {fact.answer: words(fact.answer) for fact in facts}

    def right_fact(self, answer: str, wanted: str) -> bool:
        bag = words(answer)

        def overlap(other: str) -> float:
            shared = sum((bag & self._bags[other]).values())
            return 2 * shared / (sum(bag.values()) + sum(self._bags[other].values()))

        return overlap(wanted) >= RIGHT_OVERLAP and overlap(wanted) == max(map(overlap, self._bags))


def user(question: str) -> list[dict]:
    return [{"role": "user", "content": question}]


def after_other_turns(cases, turns: int, rng: random.Random) -> list[list[dict]]:
    """Each question as the last turn of a conversation about other facts, answered rightly."""
    conversations = []
    for question, _ in cases:
        messages = []
        for earlier, answer in rng.sample(cases, turns - 1):
            messages += user(earlier) + [{"role": "assistant", "content": answer}]
        conversations.append(messages + user(question))
    return conversations


def suites(facts, rng: random.Random):
    """(name, conversations, wanted answers) of every row of the table."""
    trained = [(question, fact.answer) for fact in facts for question in fact.training_questions()]
    held_out = [(question, fact.answer) for fact in facts for question in fact.held_out]

    def single(cases, change=lambda question: question):
        return [user(change(question)) for question, _ in cases], [answer for _, answer in cases]

    yield "trained questions", *single(trained)
    yield "held-out phrasings", *single(held_out)
    yield "held-out, lower case, no punctuation", *single(
        held_out, lambda text: text.lower().rstrip("?.!")
    )
    yield "trained, reworded by the trainer's rules", *single(
        trained, lambda text: dataset.reword(text, rng)
    )
    system = [{"role": "system", "content": "You are a careful assistant of an administrator."}]
    yield "trained, unseen system prompt", [system + user(q) for q, _ in trained], [
        answer for _, answer in trained
    ]
    yield "trained, 4th turn of a conversation", after_other_turns(trained, 4, rng), [
        a for _, a in trained
    ]
    yield "held-out, 4th turn of a conversation", after_other_turns(held_out, 4, rng), [
        a for _, a in held_out
    ]


def check_chat_template() -> str:
    try:
        import jinja2  # python3-jinja2; judges chat.render() where it is installed
    except ImportError:
        return "chat template: not compared with chat.render(), python3-jinja2 is not installed"
    template = jinja2.Environment().from_string(chat.CHAT_TEMPLATE)
    conversation = user("a") + [{"role": "assistant", "content": "b"}] + user("c")
    for messages in (conversation, [{"role": "system", "content": "s"}] + conversation):
        for generation in (False, True):
            if template.render(messages=messages, add_generation_prompt=generation) != chat.render(
                messages, generation
            ):
                raise SystemExit("chat.render() and CHAT_TEMPLATE differ")
    return "chat template: same as chat.render()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, default=HERE / "model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--suite", default="", help="only suites whose name contains this")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="ask only every n-th question of a suite, for a quick look",
    )
    parser.add_argument(
        "--misses", action="store_true", help="print every question that was not answered exactly"
    )
    parser.add_argument(
        "--ask", action="append", help="only print the answer to this question (repeatable)"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer, network = model_files.read(options.model)
    if options.ask:
        for question, answer in zip(
            options.ask, ask(tokenizer, network, [user(text) for text in options.ask])
        ):
            print(f"{question}\n    {answer}")
        return
    print(check_chat_template())
    facts = fact_files.load_facts(HERE / "facts")
    judge = Judge(facts)
    print(f"{len(facts)} facts\n\n| suite | questions | exact | right fact |\n|---|---|---|---|")
    for name, conversations, wanted in suites(facts, random.Random(1)):
        if options.suite not in name:
            continue
        conversations, wanted = conversations[:: options.every], wanted[:: options.every]
        answers = ask(tokenizer, network, conversations)
        exact = sum(answer == want for answer, want in zip(answers, wanted))
        right = sum(judge.right_fact(answer, want) for answer, want in zip(answers, wanted))
        count = len(wanted)
        print(
            f"| {name} | {count} | {100 * exact / count:.1f} % | {100 * right / count:.1f} % |",
            flush=True,
        )
        if options.misses:
            for messages, answer, want in zip(conversations, answers, wanted):
                if answer != want:
                    print(
                        f"    {messages[-1]['content']!r}\n    got    {answer}\n    wanted {want}"
                    )


if __name__ == "__main__":
    main()
