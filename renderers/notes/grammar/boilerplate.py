"""What every document has and no fact is: title, headings, opening, transitions, closing and signature.

A line is put together from several choices, so that none is common; none of them says anything about the patient's
health, or what anybody is to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from .author import draw_habit
from .context import NoteContext
from .note import NoteBuilder
from .pieces import Phrase, Piece
from .sentences import knows_sex, name_patient

WE = "{we}"  # in templates that do not fit authors who never speak of themselves


def heading(context: NoteContext, topic: str) -> str:
    """The author's heading for a topic, in the author's style."""
    options = context.documents.headings[topic]
    words = options[int(draw_habit(context.author.secret, "heading", topic) * len(options))]
    style = context.author.headings
    return words.upper() if style == "capitals" else f"{words}:" if style == "colon" else words


def write_head(context: NoteContext, note: NoteBuilder) -> None:
    """Title, date and patient."""
    title = context.plan.title
    note.line(title.upper() if context.author.headings == "capitals" else title)
    note.line(_head_line(context, context.documents.dates, "date line"))
    if context.plan.subject.age is not None or knows_sex(context):
        note.line(_head_line(context, context.documents.subjects, "subject line"))
    note.gap()


def _head_line(context: NoteContext, options: tuple[str, ...], habit: str) -> Phrase:
    template = options[int(draw_habit(context.author.secret, habit) * len(options))]
    who = name_patient(context)
    if template == "{who}":
        who = (Piece(who[0].text[:1].upper() + who[0].text[1:], *who[0][1:]), *who[1:])
    return context.fill(template, who=who, date=date_piece(context))


def slots(context: NoteContext) -> dict[str, str]:
    """The writer, by the author's habit, and the place."""
    words, setting = context.writer, context.setting
    return {
        "we": words.we, "us": words.us.format(setting=setting), "my": words.my, "are": words.are, "saw": words.saw,
        "setting": setting,
    }  # fmt: skip


def pick(context: NoteContext, slot: str, options: tuple[str, ...]) -> str:
    """A choice of this note, not of one fact."""
    return context.choices.any("note", slot, options)


def pick_each(context: NoteContext, slot: str, rows: Sequence[tuple[str, ...]], *, first: int = 0) -> list[str]:
    """One of each row; `first` is the number of the first row."""
    return [pick(context, f"{slot} {number}", options) for number, options in enumerate(rows, first)]


def date_piece(context: NoteContext) -> Phrase:
    date = context.date(context.plan.time)
    if context.plan.hours:
        date += f", {context.plan.date_of(context.plan.time):%H:%M}"
    return (Piece(date, "date"),)


def opening(context: NoteContext) -> Phrase:
    kind = context.author.opening
    options = context.documents.openings[kind]
    if context.author.person == "passive":
        options = tuple(option for option in options if WE not in option)
    template = pick(context, "opening", options)
    template += pick(context, "purpose", context.documents.purposes) if kind != "summary" else ""
    return context.fill(template, who=name_patient(context), date=date_piece(context), more=slots(context))


def transition(context: NoteContext, topic: str, sentence: Phrase) -> Phrase:
    """A sentence that opens a paragraph, with or without words that lead over to it."""
    words = pick(context, f"transition {topic}", context.documents.transitions[topic])
    return (Piece(words), *sentence) if words else sentence


def closings(context: NoteContext) -> list[Phrase]:
    """Sentences before the signature, as many as the author's courtesy asks for."""
    words, author = context.documents, context.author
    said: list[str] = []
    if author.verbosity > 0.3:
        said.append(" ".join(pick_each(context, "close", words.closings)))
    if author.verbosity > 0.6 or author.courtesy == "warm":
        leads = words.thanks.leads
        if author.person == "passive":
            leads = tuple(lead for lead in leads if WE not in lead)
        lead = pick(context, "thank 0", leads) or words.thanks.lead
        said.append(f"{lead} {''.join(pick_each(context, 'thank', words.thanks.rest, first=1))}")
    if author.verbosity > 0.6 and author.courtesy == "formal":
        said.append(" ".join(pick_each(context, "copy", words.copies)))
    return [context.fill(sentence, more=slots(context)) for sentence in said]


def salutation(context: NoteContext) -> str:
    return pick(context, "salutation", context.documents.salutations[context.author.courtesy])


def sign_off(context: NoteContext) -> str:
    return pick(context, "sign-off", context.documents.sign_offs[context.author.courtesy])


def signature(context: NoteContext) -> str:
    """By role, never by name."""
    words, secret = context.documents.signatures, context.author.secret
    rank = words.ranks[int(context.author.role * len(words.ranks))]
    place = words.places[int(draw_habit(secret, "place") * len(words.places))].format(setting=context.setting)
    return rank + place + words.signed[int(draw_habit(secret, "signed") * len(words.signed))]
