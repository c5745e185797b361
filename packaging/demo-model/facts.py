"""Reads the fact files: what the demo model is taught, as questions and answers.

A fact file is plain text. Blank lines separate facts, '#' starts a comment line:

    term: TTFT | time to first token
    ? how long until the first token appears
    ? why is TTFT high
    ~ what does time to first token tell me
    = TTFT is the time from the arrival of a request to its first token.

`term:` (optional) lists names of the thing; the general questions of QUESTION_FORMS ("what is {}?")
are asked about each. `?` is a phrasing to train on, `~` one kept out of training to measure
generalisation, `=` the answer (several lines are joined by a space). Every fact needs an answer
and a held-out phrasing.
"""

import dataclasses
import pathlib

# What people ask about any named thing. The first one is also what evaluate.py asks per term.
QUESTION_FORMS = (
    "What is {}?",
    "What does {} mean?",
    "Explain {}.",
    "{}?",
    "Define {}.",
    "Tell me about {}.",
    "What's {}?",
    "What do you mean by {}?",
    "Can you explain {}?",
    "I don't understand {}.",
    "Describe {}.",
    "{}",
    "meaning of {}",
    "help me understand {}",
    "what are {}",
    "definition of {}",
    "What is the meaning of {}?",
    "What is {} in LLM serving?",
    "Explain {} to me in simple words.",
)


@dataclasses.dataclass
class Fact:
    source: str  # file:line, for messages
    terms: list[str] = dataclasses.field(default_factory=list)
    questions: list[str] = dataclasses.field(default_factory=list)
    held_out: list[str] = dataclasses.field(default_factory=list)
    answer: str = ""

    def training_questions(self) -> list[str]:
        """The phrasings a person wrote, and the first general form of each term."""
        return self.questions + [QUESTION_FORMS[0].format(term) for term in self.terms]


class FactError(Exception):
    pass


def parse_file(path: pathlib.Path) -> list[Fact]:
    facts: list[Fact] = []
    current: Fact | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            continue
        if not line:
            current = None
            continue
        if current is None:
            current = Fact(source=f"{path.name}:{number}")
            facts.append(current)
        if line.startswith("term:"):
            current.terms += [term.strip() for term in line[len("term:") :].split("|")]
        elif line.startswith("?"):
            current.questions.append(line[1:].strip())
        elif line.startswith("~"):
            current.held_out.append(line[1:].strip())
        elif line.startswith("="):
            current.answer = " ".join(filter(None, [current.answer, line[1:].strip()]))
        else:
            raise FactError(
                f"{path.name}:{number}: want 'term:', '?', '~', '=' or '#', got {line!r}"
            )
    return facts


def load_facts(directory: pathlib.Path) -> list[Fact]:
    """All facts of a directory. Raises FactError on one that cannot be learnt or judged."""
    facts = [fact for path in sorted(directory.glob("*.txt")) for fact in parse_file(path)]
    if not facts:
        raise FactError(f"{directory}: no fact found, expected *.txt files")
    owner: dict[str, str] = {}
    for fact in facts:
        if not fact.answer or not fact.held_out or not (fact.questions or fact.terms):
            raise FactError(
                f"{fact.source}: a fact needs an answer, a held-out phrasing and one to train on"
            )
        if "<|" in fact.answer:
            raise FactError(f"{fact.source}: an answer must not hold a control token")
        forms = [form.format(term) for term in fact.terms for form in QUESTION_FORMS]
        for question in set(map(normalise, fact.questions + fact.held_out + forms)):
            if question in owner:
                raise FactError(
                    f"{fact.source}: the question {question!r} already belongs to {owner[question]}"
                )
            owner[question] = fact.source
        for question in set(map(normalise, fact.held_out)) & set(
            map(normalise, fact.questions + forms)
        ):
            raise FactError(f"{fact.source}: {question!r} is both trained and held out")
    return facts


def normalise(question: str) -> str:
    """Case and closing punctuation do not make another question."""
    return question.lower().rstrip("?.! ")
