"""How varied a corpus of notes is: distinct n-grams, self-BLEU, and how often its most frequent sentence returns.

The floors were set before anything was measured. Distinct-n (J. Li et al., "A diversity-promoting objective function
for neural conversation models", NAACL 2016) is the share of n-grams that differ; it falls with the length of a corpus,
so it is taken of samples of 100 notes. Self-BLEU (Y. Zhu et al., "Texygen: a benchmarking platform for text generation
models", SIGIR 2018) is the mean BLEU-4 of a note against the others of its sample: 1 where all are alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SAMPLE = 100  # notes
WORD = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Variety:
    """Figures of one corpus. `commonest` is the share of notes that hold the most frequent sentence, `sentence`."""

    notes: int
    distinct: tuple[float, float, float]  # of single words, pairs and triples
    self_bleu: float
    commonest: float
    sentence: str


@dataclass(frozen=True)
class Floor:
    """What a corpus of one document type must reach: at least these distinct shares, at most these others.

    Clinical notes of one type repeat their terms by nature, so few of their single words differ, while most triples of
    words should. Filling one template with numbers gives a distinct-3 of about 0.1 and a self-BLEU of about 0.9.
    """

    distinct: tuple[float, float, float] = (0.02, 0.12, 0.25)
    self_bleu: float = 0.80
    commonest: float = 0.02

    def misses(self, found: Variety) -> list[str]:
        """What falls short, in words; nothing where all is reached."""
        short = [
            f"distinct-{n} is {have:.3f}, under {least}"
            for n, (have, least) in enumerate(zip(found.distinct, self.distinct, strict=True), 1)
            if have < least
        ]
        if found.self_bleu > self.self_bleu:
            short.append(f"self-BLEU is {found.self_bleu:.3f}, over {self.self_bleu}")
        if found.commonest > self.commonest:
            short.append(f"{found.sentence!r} is in {found.commonest:.1%} of the notes, over {self.commonest:.0%}")
        return short


def measure_variety(texts: Sequence[str], sentences: Sequence[Sequence[str]]) -> Variety:
    """The variety of notes, of which `sentences` are the sentences without headings. Raises ValueError for none."""
    if not texts:
        raise ValueError("there are no notes to measure")
    sample = [split_words(text) for text in texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]]
    distinct = (count_distinct(sample, 1), count_distinct(sample, 2), count_distinct(sample, 3))
    counts = Counter(sentence for told in sentences for sentence in set(told))
    sentence, times = counts.most_common(1)[0] if counts else ("", 0)
    return Variety(len(texts), distinct, self_bleu(sample), times / len(texts), sentence)


def split_words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def count_distinct(notes: Sequence[Sequence[str]], n: int) -> float:
    """Distinct-n: different n-grams over all n-grams."""
    all_grams = [gram for words in notes for gram in grams(words, n)]
    return len(set(all_grams)) / len(all_grams) if all_grams else 0.0


def self_bleu(notes: Sequence[Sequence[str]], most: int = 4) -> float:
    """The mean BLEU-`most` of each note against all the others, with uniform weights and the brevity penalty.

    A gram's clipped count needs the largest count among the other notes only, so the two largest are kept of each.
    """
    if len(notes) < 2:
        return 0.0
    tables = [[Counter(grams(words, n)) for n in range(1, most + 1)] for words in notes]
    best = [_two_largest([table[n] for table in tables]) for n in range(most)]
    scores = []
    for number, (words, table) in enumerate(zip(notes, tables, strict=True)):
        logs = 0.0
        for n in range(most):
            total = sum(table[n].values())
            hit = sum(min(count, _elsewhere(best[n][gram], number)) for gram, count in table[n].items())
            logs += math.log(max(hit, 1e-9) / total) if total else math.log(1e-9)
        lengths = [len(other) for place, other in enumerate(notes) if place != number]
        nearest = min(lengths, key=lambda length: (abs(length - len(words)), length))
        penalty = 1.0 if len(words) > nearest else math.exp(1 - nearest / max(len(words), 1))
        scores.append(penalty * math.exp(logs / most))
    return sum(scores) / len(scores)


Largest = tuple[int, int, int]  # the largest count, in which note, and the largest of the other notes


def _two_largest(tables: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], Largest]:
    found: dict[tuple[str, ...], Largest] = {}
    for number, table in enumerate(tables):
        for gram, count in table.items():
            first, where, second = found.get(gram, (0, -1, 0))
            found[gram] = (count, number, first) if count > first else (first, where, max(second, count))
    return found


def _elsewhere(largest: Largest, number: int) -> int:
    return largest[2] if largest[1] == number else largest[0]
