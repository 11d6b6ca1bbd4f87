"""From facts to sentences: which are told together, in what order, and how their clauses are joined."""

from __future__ import annotations

from ..facts import Fact
from .author import draw_habit
from .context import NoteContext
from .courses import say_event, say_treatment
from .findings import group_findings, say_findings
from .history import say_age, say_history
from .pieces import Phrase, Piece, fill
from .systems import group_by_system, list_system, say_system
from .values import say_value, say_value_tersely

TOPICS = ("history", "events", "findings", "scores", "vitals", "laboratory", "imaging", "measures", "treatment")
KINDS = {"history": "history", "event": "events", "treatment": "treatment"}
OF_ROLE = {"score": "scores", "volume": "imaging", "vital": "vitals", "laboratory": "laboratory", "measure": "measures"}
TOGETHER = {
    "scores": 0.45,
    "vitals": 0.7,
    "treatment": 0.75,
    "events": 0.35,
    "history": 0.55,
}  # share joined to the last


def sort_topics(context: NoteContext) -> dict[str, list[Fact]]:
    """The plan's facts by topic, each topic in this note's own order. Age and sex are left to `name_patient`."""
    topics: dict[str, list[Fact]] = {topic: [] for topic in TOPICS}
    for fact in context.plan.facts:
        topics[topic_of(context, fact)].append(fact)
    for facts in topics.values():
        facts.sort(key=lambda fact: (context.choices.chance(fact.variable, "order"), fact.time, fact.key))
    return topics


def topic_of(context: NoteContext, fact: Fact) -> str:
    role = context.term(fact).role
    if fact.kind in KINDS:
        return KINDS[fact.kind]
    if fact.kind == "finding":
        return "vitals" if isinstance(fact.value, str) else "findings"
    return "imaging" if fact.speaker == "radiologist" else OF_ROLE.get(role, "measures")


def knows_sex(context: NoteContext) -> bool:
    """Whether there are words for the patient's sex."""
    return context.plan.subject.sex in ("female", "male")


def is_identity(context: NoteContext, fact: Fact) -> bool:
    """Whether `name_patient` tells this fact: sex, and an age that is the age at the note."""
    role, subject = context.term(fact).role, context.plan.subject
    if role == "sex":
        return knows_sex(context)
    return (
        role == "age" and fact.value is not None and not isinstance(fact.value, str) and int(fact.value) == subject.age
    )


def name_patient(context: NoteContext) -> Phrase:
    """The patient as a noun: "72-year-old woman"."""
    facts = {context.term(fact).role: fact for fact in context.plan.facts if is_identity(context, fact)}
    person, years = context.language.person, context.plan.subject.age
    age, sex = facts.get("age"), facts.get("sex")
    noun = (Piece(context.noun, "value" if sex else "", (sex.key,) if sex else ()),)
    if years is None:
        return noun
    if not age and not years:
        return fill(person.newborn, infant=(Piece(person.infant, "date"),), noun=noun)
    piece = Piece(str(years), "value" if age else "date", (age.key,) if age else ())
    return fill(person.aged, age=(piece,), noun=noun)


def say(context: NoteContext, fact: Fact, *, terse: bool = False, after: Fact | None = None) -> Phrase:
    """A clause about any single fact; `after` is the one told before it in the same sentence."""
    if fact.kind == "history":
        return (say_age if context.term(fact).role == "age" else say_history)(context, fact, terse=terse)
    if fact.kind == "event":
        return say_event(context, fact, terse=terse)
    if fact.kind == "treatment":
        return say_treatment(context, fact, terse=terse)
    if topic_of(context, fact) == "findings":
        return say_findings(context, [fact], terse=terse)
    return say_value_tersely(context, fact) if terse else say_value(context, fact, after=after)


def tell(context: NoteContext, topic: str, facts: list[Fact], *, terse: bool = False, most: int = 3) -> list[Phrase]:
    """The sentences of a topic, without their full stops."""
    facts = [fact for fact in facts if not is_identity(context, fact)]
    if topic == "findings" and context.lexicon.has_systems:
        systems = group_by_system(context, facts).items()
        if terse:
            return [list_system(context, system, group) for system, group in systems]
        return [sentence for system, group in systems for sentence in say_system(context, system, group)]
    if topic == "findings":
        groups = {group[0].key: (number, group) for number, group in group_findings(context, facts)}
        clauses = {
            key: say_findings(context, group, number=number, terse=terse) for key, (number, group) in groups.items()
        }
        sentences = group_keys(context, list(groups), share=0.3, most=2)
        return [connect(context, [(key, clauses[key]) for key in keys], terse=terse) for keys in sentences]
    share = TOGETHER.get(topic, 0.4) * (0.7 + 0.6 * context.author.verbosity)
    return tell_together(context, facts, share=share, most=most, terse=terse)


def tell_together(context: NoteContext, facts: list[Fact], *, share: float, most: int, terse: bool) -> list[Phrase]:
    """Facts in sentences of about `most` clauses. What is denied, doubted or stays for life never stands alone."""
    found = {fact.key: fact for fact in facts}
    light = {fact.key for fact in facts if fact.status != "present" or fact.kind == "history"}
    sentences = []
    for keys in group_keys(context, list(found), share=share, most=most, light=light):
        before = [None, *(found[key] for key in keys)]
        clauses = [
            (key, say(context, found[key], terse=terse, after=last)) for key, last in zip(keys, before, strict=False)
        ]
        sentences.append(connect(context, clauses, terse=terse))
    return sentences


def group_keys(
    context: NoteContext, keys: list[str], *, share: float, most: int, light: frozenset[str] | set[str] = frozenset()
) -> list[list[str]]:
    """Keys by sentence: whether one joins the last is its own choice; a light key alone joins another sentence."""
    sentences: list[list[str]] = []
    for key in keys:
        if (sentences and len(sentences[-1]) < most and context.choices.flip(key, "joins", share)) or (
            sentences and len(sentences[-1]) == 1 and sentences[-1][0] in light
        ):
            sentences[-1].append(key)
        else:
            sentences.append([key])
    if len(sentences) > 1 and len(sentences[-1]) == 1 and sentences[-1][0] in light:
        sentences[-2:] = [sentences[-2] + sentences[-1]]
    return sentences


def connect(context: NoteContext, clauses: list[tuple[str, Phrase]], *, terse: bool = False) -> Phrase:
    """Clauses as one sentence. Where one holds a comma or a colon of its own, they are set apart by semicolons."""
    joins = context.language.joins
    heavy = any(
        "," in piece.text or ":" in piece.text or ";" in piece.text for _, clause in clauses for piece in clause
    )
    pieces = list(clauses[0][1])
    for number, (key, clause) in enumerate(clauses[1:], 2):
        if heavy:
            connector = joins.heavy
        elif len(clauses) == 2 and not terse and context.choices.flip(key, "while", 0.12):
            connector = joins.contrast
        elif number < len(clauses):
            connector = joins.list
        else:
            connector = context.choices.any(key, "connector", joins.terse_clauses if terse else joins.clauses)
        pieces.append(Piece(connector))
        pieces.extend(Piece(context.she) if piece.part == "subject" else piece for piece in clause)
    return tuple(pieces)


def order_topics(context: NoteContext, first: tuple[str, ...], rest: tuple[str, ...]) -> list[str]:
    """Topics in the order that this author always keeps: `first` ahead, the rest as the author likes."""
    return [*first, *sorted(rest, key=lambda topic: draw_habit(context.author.secret, "topic", topic))]
