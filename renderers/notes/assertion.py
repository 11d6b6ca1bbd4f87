"""Who or what a mention is about: present, absent, uncertain, or not said of this patient at all.

NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029, as negspacy) runs inside clauses of our own. The same algorithm
with other words marks uncertainty and what is only hypothetical, planned or about somebody else, after ConText
(Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import words

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

NEGATED, UNCERTAIN, ELSEWHERE = "nosograph_negated", "nosograph_uncertain", "nosograph_elsewhere"


def add_assertion(nlp: Language) -> None:
    """Append clauses and the three markers to a pipeline that has found its entities."""
    import negspacy.negation  # noqa: F401  registers "negex"

    _register_clauses()
    nlp.add_pipe("nosograph_clauses")
    for name, before, after, neither in (
        (NEGATED, words.DENIED_BEFORE, words.DENIED_AFTER, words.NOT_DENIED),
        (UNCERTAIN, words.DOUBTED_BEFORE, words.DOUBTED_AFTER, words.NOT_DOUBTED),
        (ELSEWHERE, words.ELSEWHERE_BEFORE, words.ELSEWHERE_AFTER, words.NOT_ELSEWHERE),
    ):
        terms = {
            "preceding_negations": before,
            "following_negations": after,
            "pseudo_negations": neither,
            "termination": words.ENDS,
        }
        # negspacy's marker is a global extension of spaCy's spans: under a name of ours it meets nobody else's
        nlp.add_pipe("negex", name=name, config={"neg_termset": terms, "extension_name": name})


_LINE = 60  # a line this long without a stop goes on in the next: the text is wrapped
_STOP = re.compile(r"[.!?](?=[\s\"')\]]*(?:\s+[\"'(\[]?[A-Z0-9ΔΑ-Ω*•–-]|\s*$))|\n+[ \t]*|;|\s[|•]\s")
_NO_STOP = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|approx|vs|prev|no|e\.g|i\.e|cf|st|ca|c|hx|pt|resp|incl|max|min|yrs?|mo|hrs?|[a-z]))\.$",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|will|would|show(?:s|ed|n)?|remain(?:s|ed)?|continue[sd]?|started|stopped|stable"
    r"|score[sd]?|measure[sd]?|fell|rose|risen|fallen|declined|increased|decreased|dropped|develop(?:s|ed)?|takes?|taking|took"
    r"|commenced|began|begun|report(?:s|ed)?|denie[sd]|reveal(?:s|ed)?|demonstrate[sd]?|came|went|attended|discontinued"
    r"|receiv(?:es|ed|ing)|improved|worsened|unchanged|stay(?:s|ed)|carrie[sd]|diagnosed|tolerat(?:es|ed|ing)|on\s+treatment"
    r"|yes|no|none|nil|absent|present|negative|positive|normal|low|high|raised|reduced|never|not|without|ongoing|confirmed)\b"
    r"|\d|n['’]t\b|:",
    re.IGNORECASE,
)
_OPENS = re.compile(r"\s*(?:no|not|without|never|nor|possible|possibly|probable|suspected|query)\b|\s*\?", re.IGNORECASE)
_JOINTS = {",", "and", "but", "with", "(", ")", "–", "—", "plus", "&", "though", "/", "+"}


def split_sentences(text: str) -> list[tuple[int, int]]:
    """The sentences as [start, end): ended by a stop, a semicolon, or a line's end where the text is not wrapped."""
    found, begin = [], 0
    for match in _STOP.finditer(text):
        at = match.start()
        if match.group().startswith("\n"):
            line = text[text.rfind("\n", 0, at) + 1 : at]
            if "\n" not in match.group().strip(" \t")[1:] and len(line) >= _LINE and line.rstrip()[-1:] not in ".:;!?":
                continue
        elif match.group() == "." and _NO_STOP.search(text, max(0, at - 8), at + 1) and not text[at - 2 : at].isdigit():
            following = text[at + 1 : at + 3].strip()
            if following and "\n" not in text[at + 1 : at + 2]:
                continue
        if text[begin:at].strip():
            found.append((begin, match.end()))
        begin = match.end()
    if text[begin:].strip():
        found.append((begin, len(text)))
    return found


def mark_clauses(doc: Doc) -> Doc:
    """A spaCy component: a sentence start at every clause, so that NegEx stays inside it; `doc.user_data` keeps whole sentences.

    A joint ("," "and" "but" …) starts a clause where both sides say something of their own: "no ARIA-E, and MMSE was 24";
    in "no fever, cough or rash" and in "fever, cough and rash were denied" it does not.
    """
    sentences = split_sentences(doc.text)
    doc.user_data["sentences"] = sentences
    starts = set()
    at = 0
    for begin, end in sentences:
        while at < len(doc) and doc[at].idx < begin:
            at += 1
        first = at
        while at < len(doc) and doc[at].idx < end:
            at += 1
        starts |= {first, *_clause_starts(doc, first, at)}
    for token in doc:
        token.is_sent_start = token.i in starts or token.i == 0
    return doc


def _clause_starts(doc: Doc, first: int, last: int) -> list[int]:
    joints = [i for i in range(first, last) if doc[i].lower_ in _JOINTS and not doc[i].ent_type_]
    starts, begin = [], first
    for index, joint in enumerate(joints):
        following = joints[index + 1] if index + 1 < len(joints) else last
        before, after = doc[begin:joint].text, doc[joint + 1 : following].text
        if not after.strip():
            continue
        listed = re.search(r"\b(?:or|nor)\b", after.split(" was ")[0]) and doc[joint].lower_ == ","
        opens = _OPENS.match(after) and any(token.ent_type_ for token in doc[begin:joint])
        own = (
            opens or doc[joint].lower_ in ("but", "though") or (_PREDICATE.search(before) and _PREDICATE.search(after))
        )
        if own and not listed:
            starts.append(joint)
            begin = joint
    starts += _treatment_starts(doc, first, last)
    return starts


def _treatment_starts(doc: Doc, first: int, last: int) -> list[int]:
    """ "no ARIA-E on lecanemab": what is said of one thing does not reach the treatment that it happened on."""
    starts, seen = [], False
    for i in range(first, last):
        if doc[i].ent_type_ and doc[i].ent_type_ != "treatment":
            seen = True
        if (
            seen
            and doc[i].lower_ in ("on", "with", "under", "from", "to")
            and any(token.ent_type_ == "treatment" for token in doc[i + 1 : min(i + 3, last)])
        ):
            starts.append(i)
    return starts


def _register_clauses() -> None:
    from spacy.language import Language

    if not Language.has_factory("nosograph_clauses"):
        Language.component("nosograph_clauses", func=mark_clauses)
