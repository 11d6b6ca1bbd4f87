"""From facts to sentences: which are told together, in what order, and how their clauses are joined."""

from __future__ import annotations

from ..facts import Fact
from .author import draw
from .pieces import Phrase, Piece
from .say_courses import say_event, say_treatment
from .say_findings import group_findings, say_findings
from .say_history import say_age, say_history
from .say_systems import group_by_system, list_system, say_system
from .say_values import say_value, say_value_tersely
from .teller import Teller

TOPICS = ("history", "events", "findings", "scores", "vitals", "laboratory", "imaging", "measures", "treatment")
KINDS = {"history": "history", "event": "events", "treatment": "treatment"}
OF_ROLE = {"score": "scores", "volume": "imaging", "vital": "vitals", "laboratory": "laboratory", "measure": "measures"}
CONNECTORS = (" and ", "; ", ", and ", "; ", ", and ", " and ")
TERSE_CONNECTORS = ("; ", ", ", "; ")
TOGETHER = {
    "scores": 0.45,
    "vitals": 0.7,
    "treatment": 0.75,
    "events": 0.35,
    "history": 0.55,
}  # share joined to the last


def sort_topics(teller: Teller) -> dict[str, list[Fact]]:
    """The plan's facts by topic, each topic in this note's own order. Age and sex are left to `identify`."""
    topics: dict[str, list[Fact]] = {topic: [] for topic in TOPICS}
    for fact in teller.plan.facts:
        topics[topic_of(teller, fact)].append(fact)
    for facts in topics.values():
        facts.sort(key=lambda fact: (teller.choices.chance(fact.variable, "order"), fact.time, fact.key))
    return topics


def topic_of(teller: Teller, fact: Fact) -> str:
    role = teller.term(fact).role
    if fact.kind in KINDS:
        return KINDS[fact.kind]
    if fact.kind == "finding":
        return "vitals" if isinstance(fact.value, str) else "findings"
    return "imaging" if fact.speaker == "radiologist" else OF_ROLE.get(role, "measures")


def is_identity(teller: Teller, fact: Fact) -> bool:
    """Whether `identify` tells this fact: sex, and an age that is the age at the note."""
    role, subject = teller.term(fact).role, teller.plan.subject
    if role == "sex":
        return subject.noun != "patient"
    return (
        role == "age" and fact.value is not None and not isinstance(fact.value, str) and int(fact.value) == subject.age
    )


def identify(teller: Teller) -> Phrase:
    """The patient as a noun: "72-year-old woman"."""
    facts = {teller.term(fact).role: fact for fact in teller.plan.facts if is_identity(teller, fact)}
    subject, pieces = teller.plan.subject, []
    if subject.age is not None:
        age = facts.get("age")
        newborn = not age and not subject.age
        pieces += (
            [Piece("infant", "date"), Piece(" ")]
            if newborn
            else [Piece(str(subject.age), "value" if age else "date", (age.key,) if age else ()), Piece("-year-old ")]
        )
    sex = facts.get("sex")
    pieces.append(Piece(subject.noun, "value" if sex else "", (sex.key,) if sex else ()))
    return tuple(pieces)


def say(teller: Teller, fact: Fact, *, terse: bool = False, after: Fact | None = None) -> Phrase:
    """A clause about any single fact; `after` is the one told before it in the same sentence."""
    if fact.kind == "history":
        return (say_age if teller.term(fact).role == "age" else say_history)(teller, fact, terse=terse)
    if fact.kind == "event":
        return say_event(teller, fact, terse=terse)
    if fact.kind == "treatment":
        return say_treatment(teller, fact, terse=terse)
    if topic_of(teller, fact) == "findings":
        return say_findings(teller, [fact], terse=terse)
    return say_value_tersely(teller, fact) if terse else say_value(teller, fact, after=after)


def tell(teller: Teller, topic: str, facts: list[Fact], *, terse: bool = False, most: int = 3) -> list[Phrase]:
    """The sentences of a topic, without their full stops."""
    facts = [fact for fact in facts if not is_identity(teller, fact)]
    if topic == "findings" and teller.lexicon.has_systems:
        systems = group_by_system(teller, facts).items()
        if terse:
            return [list_system(teller, system, group) for system, group in systems]
        return [sentence for system, group in systems for sentence in say_system(teller, system, group)]
    if topic == "findings":
        groups = {group[0].key: (number, group) for number, group in group_findings(teller, facts)}
        clauses = {
            key: say_findings(teller, group, number=number, terse=terse) for key, (number, group) in groups.items()
        }
        sentences = group_keys(teller, list(groups), share=0.3, most=2)
        return [connect(teller, [(key, clauses[key]) for key in keys], terse=terse) for keys in sentences]
    share = TOGETHER.get(topic, 0.4) * (0.7 + 0.6 * teller.author.verbosity)
    return tell_together(teller, facts, share=share, most=most, terse=terse)


def tell_together(teller: Teller, facts: list[Fact], *, share: float, most: int, terse: bool) -> list[Phrase]:
    """Facts in sentences of about `most` clauses. What is denied, doubted or stays for life never stands alone."""
    found = {fact.key: fact for fact in facts}
    light = {fact.key for fact in facts if fact.status != "present" or fact.kind == "history"}
    sentences = []
    for keys in group_keys(teller, list(found), share=share, most=most, light=light):
        before = [None, *(found[key] for key in keys)]
        clauses = [
            (key, say(teller, found[key], terse=terse, after=last)) for key, last in zip(keys, before, strict=False)
        ]
        sentences.append(connect(teller, clauses, terse=terse))
    return sentences


def group_keys(
    teller: Teller, keys: list[str], *, share: float, most: int, light: frozenset[str] | set[str] = frozenset()
) -> list[list[str]]:
    """Keys by sentence: whether one joins the last is its own choice; a light key alone joins another sentence."""
    sentences: list[list[str]] = []
    for key in keys:
        if (sentences and len(sentences[-1]) < most and teller.choices.flip(key, "joins", share)) or (
            sentences and len(sentences[-1]) == 1 and sentences[-1][0] in light
        ):
            sentences[-1].append(key)
        else:
            sentences.append([key])
    if len(sentences) > 1 and len(sentences[-1]) == 1 and sentences[-1][0] in light:
        sentences[-2:] = [sentences[-2] + sentences[-1]]
    return sentences


def connect(teller: Teller, clauses: list[tuple[str, Phrase]], *, terse: bool = False) -> Phrase:
    """Clauses as one sentence. Where one holds a comma or a colon of its own, they are set apart by semicolons."""
    heavy = any(
        "," in piece.text or ":" in piece.text or ";" in piece.text for _, clause in clauses for piece in clause
    )
    pieces = list(clauses[0][1])
    for number, (key, clause) in enumerate(clauses[1:], 2):
        connector = teller.choices.any(key, "connector", TERSE_CONNECTORS if terse else CONNECTORS)
        if heavy:
            connector = "; "
        elif len(clauses) == 2 and not terse and teller.choices.flip(key, "while", 0.12):
            connector = ", while "
        elif number < len(clauses):
            connector = ", "
        pieces.append(Piece(connector))
        pieces.extend(Piece(teller.she) if piece.part == "subject" else piece for piece in clause)
    return tuple(pieces)


def order_topics(teller: Teller, first: tuple[str, ...], rest: tuple[str, ...]) -> list[str]:
    """Topics in the order that this author always keeps: `first` ahead, the rest as the author likes."""
    return [*first, *sorted(rest, key=lambda topic: draw(teller.author.secret, "topic", topic))]
