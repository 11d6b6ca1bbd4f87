"""Who or what a mention is about: present, absent, uncertain, or not said of this patient at all.

NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029, as negspacy) runs inside clauses of our own. The same algorithm
with other words marks uncertainty and what is only hypothetical, planned or about somebody else, after ConText
(Harkema et al. 2009, doi:10.1016/j.jbi.2009.05.002).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

NEGATED, UNCERTAIN, ELSEWHERE = "nosograph_negated", "nosograph_uncertain", "nosograph_elsewhere"

# what ends the reach of any of these words
_ENDS = (
    "although", "apart from", "aside from", "but", "except", "however", "nevertheless", "though", "which", "yet",
    "secondary to", "due to", "because", "because of", "as a result of", "following", "after", "since", "despite",
    "in spite of", "whereas", "while", "when", "until", "otherwise", "instead", "cause of", "reason for", "owing to",
)  # fmt: skip
_NEGATION = {
    "pseudo_negations": [
        "no further", "not certain if", "not certain whether", "not necessarily", "without difficulty", "not only",
        "no increase", "no significant change", "no change", "no definite change", "no interval change", "not cause",
        "no significant interval change", "gram negative", "not rule out", "not ruled out", "not been ruled out",
        "cannot be ruled out", "cannot rule out", "cannot exclude", "cannot be excluded", "not excluded", "not exclude",
        "not been excluded", "can not be excluded", "could not be excluded", "no doubt", "without doubt", "not clear",
        "not sure", "not certain", "no new complaints", "no longer able", "not able to", "unable to", "not yet clear",
        "not unlike", "not uncommon", "no worse", "no better", "not confirmed", "not been confirmed", "no less than",
        "not clear whether", "not known whether", "no missed doses", "without interruption", "no difficulty",
        "no side effects", "no side-effects", "no adverse", "without complication", "without complications",
        "no problems", "without problems", "no concerns", "not to be excluded", "not possible to exclude", "no fewer than",
        "without event", "no one",
    ],
    "preceding_negations": [
        "absence of", "declined", "denied", "denies", "denying", "no sign of", "no signs of", "not", "n't", "negative for",
        "no", "without", "cannot", "never", "no evidence of", "free of", "free from", "rules out", "ruled out", "excludes",
        "excluded", "nor", "neither", "none of", "lack of", "lacks", "absent", "fails to reveal", "failed to reveal",
        "failed to show", "not had", "nil", "negative", "no history of", "no known", "no longer", "clear of", "lacking",
        "nothing to suggest", "nothing to indicate", "devoid of", "unremarkable for", "never developed", "refused",
        "non", "no suggestion of", "no features of", "no indication of", "no diagnosis of", "no recorded",
    ],
    "following_negations": [
        "unlikely", "was not", "were not", "is not", "are not", "has not", "have not", "had not", "wasn't", "weren't",
        "isn't", "aren't", "hasn't", "haven't", "hadn't", "was ruled out", "were ruled out", "ruled out", "has been ruled out",
        "excluded", "was excluded", "absent", "is absent", "negative", "none", "no", "nil", "not seen", "not present",
        "not detected", "not found", "not identified", "not demonstrated", "not given", "not started", "not prescribed",
        "not evident", "not reported", "not observed", "not diagnosed", "not noted", "not made", "not met", "never", "denied",
        "did not", "does not", "not apparent", "not visualised", "not visualized", "not required", "not indicated",
        "not used", "not taken", "not offered", "not in use", "has never", "free", "not recorded", "not developed", "neg",
    ],
    "termination": [*_ENDS],
}  # fmt: skip
_DOUBT = {
    "pseudo_negations": [
        "no possible", "not possible", "as possible", "if possible", "where possible", "as well as possible",
        "possible to", "query whether to", "questionable benefit", "out of a possible", "may 1",
    ],
    "preceding_negations": [
        "possible", "possibly", "probable", "probably", "suspected", "suspicion of", "suspicious for", "suspicion for",
        "suspect", "suspects", "query", "?", "may have", "might have", "may be", "might be", "could be", "could have",
        "may represent", "might represent", "could represent", "may reflect", "might reflect", "could reflect", "cannot exclude",
        "can not exclude", "cannot rule out", "could not exclude", "does not exclude", "do not exclude", "did not exclude",
        "not excluded", "not rule out", "concern for", "concerns about", "concerning for", "concern about", "questionable",
        "equivocal", "equivocal for", "suggestive of", "suggests possible", "suggesting possible", "suggest possible",
        "unclear whether", "unclear if", "uncertain whether", "uncertain if", "not certain whether", "not certain if",
        "not clear whether", "not clear if", "not sure whether", "not sure if", "unsure whether", "unsure if", "perhaps",
        "potential", "potentially", "presumed", "presumptive", "likely", "raises the possibility of", "possibility of",
        "question of", "in question", "rule out", "to rule out", "r/o", "evaluate for", "evaluated for", "appears to have",
        "seems to have", "thought to have", "borderline", "doubtful", "uncertain", "indeterminate for", "not known whether",
        "not possible to exclude", "wonder about", "wondered about", "wondered whether", "wonders whether", "tentative",
        "differential includes", "provisional", "provisionally", "unconfirmed", "raised the question of", "could not rule out",
        "raises the question of", "maybe", "working diagnosis of", "believes", "thinks", "whether", "in keeping with possible",
        "compatible with possible", "consistent with possible", "not entirely excluded", "not completely excluded",
    ],
    "following_negations": [
        "is possible", "possible", "suspected", "was suspected", "is suspected", "cannot be excluded", "can not be excluded",
        "could not be excluded", "cannot be ruled out", "could not be ruled out", "not excluded", "not ruled out",
        "not been ruled out", "not been excluded", "is uncertain", "was uncertain", "remains uncertain", "uncertain",
        "is unclear", "unclear", "remains unclear", "questionable", "equivocal", "in question", "to be confirmed", "unconfirmed",
        "was questioned", "is questioned", "is likely", "probable", "doubtful", "indeterminate", "query", "not certain",
        "not confirmed", "not been confirmed", "is considered", "was considered", "being considered", "not clear", "?",
        "borderline", "is not excluded", "remains possible", "remains a possibility", "is a possibility", "a possibility",
        "remains in doubt", "in doubt", "not entirely excluded", "not completely excluded", "not fully excluded",
        "not definitely", "inconclusive", "tentative", "provisional", "awaits confirmation", "awaiting confirmation",
        "not yet confirmed", "not yet clear",
    ],
    "termination": [*_ENDS],
}  # fmt: skip
_OTHERS = (
    r"mother|father|brothers?|sisters?|siblings?|sons?|daughters?|aunts?|uncles?|grandmother|grandfather|grandparents?"
    r"|parents?|cousins?|family|wife|husband|relatives?|maternal|paternal"
)
_ELSEWHERE = {
    "pseudo_negations": [
        "if anything", "family informed", "if any", "family meeting", "as if", "what if", "family history of note",
        "no family history of note", "no family history of",
    ],
    "preceding_negations": [
        "family history of", "family history positive for", "fh of", "fh:", "fhx", "if she develops", "if he develops",
        "if they develop", "should she develop", "should he develop", "in case of", "in the event of", "risk of", "risks of",
        "at risk for", "at risk of", "risk for", "monitor for", "monitoring for", "monitored for", "watch for", "look out for",
        "return if", "advised about", "counselled about", "counseled about", "warned about", "educated about", "screen for",
        "screening for", "symptoms of", "signs and symptoms of", "surveillance for", "informed about", "to look for",
        "discussed the risk of", "discussed the risks of", "if", "should", "unless", "eligible for", "eligibility for",
        "consider", "considering", "candidate for", "discussed starting", "prophylaxis against", "prevention of", "to prevent",
        "may start", "to discuss", "suitability for", "in the hope", "information on", "information about", "leaflet about",
        "leaflet on", "to consider", "to exclude", "will consider", "would consider", "vigilant for", "alert for", "ahead of",
        "clinic for", "criteria for", "threshold for", "test for", "tested for", "indication for",
    ],
    "following_negations": ["in the family", "runs in the family", "is planned", "risk", "screening", "was discussed",
                            "will be considered", "to be considered", "may be considered", "should be considered",
                            "to be repeated", "will be repeated", "service", "clinic", "society", "nurse", "monitoring"],
    "termination": [*_ENDS],
}  # fmt: skip


def add_assertion(nlp: Language) -> None:
    """Append clauses and the three markers to a pipeline that has found its entities."""
    import negspacy.negation  # noqa: F401  registers "negex"

    _register_clauses()
    nlp.add_pipe("nosograph_clauses")
    for name, terms in ((NEGATED, _NEGATION), (UNCERTAIN, _DOUBT), (ELSEWHERE, _ELSEWHERE)):
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
        own = doc[joint].lower_ in ("but", "though") or (_PREDICATE.search(before) and _PREDICATE.search(after))
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
