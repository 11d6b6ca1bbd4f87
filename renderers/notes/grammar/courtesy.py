"""What every document has and no fact is: openings, transitions, closings, salutations and signatures.

A line is put together from several choices, so that none is common; none of them says anything about the patient's
health, or what anybody is to do.
"""

from __future__ import annotations

from .author import draw
from .compose import identify
from .english import show_date
from .pieces import Phrase, Piece
from .teller import Teller

SALUTATIONS = {
    "formal": ("Dear Colleague,", "Dear Doctor,", "Dear Sir or Madam,", "To the general practitioner:", "Dear Dr,"),
    "warm": ("Dear colleagues,", "Dear all,", "Dear friends and colleagues,", "Dear colleague, with kind regards:"),
    "brief": ("Dear Dr,", "To: general practitioner", "Colleague,", "For the attention of the general practitioner"),
}
SIGN_OFFS = {
    "formal": ("Yours sincerely,", "Yours faithfully,", "Respectfully,"),
    "warm": ("With kind regards,", "With best wishes,", "Kind regards,", "Warm regards,"),
    "brief": ("Signed:", "Regards,", "Sincerely,"),
}
RANKS = (
    "Consultant",
    "Attending physician",
    "Specialty registrar",
    "Associate specialist",
    "Senior resident",
    "Staff physician",
    "Physician",
)
PLACES = ("", ", {setting}", " for the {setting}", " on behalf of the {setting} team")
SIGNED = ("", " (dictated, not read)", " (electronically signed)", " (checked and signed)", " (typed from dictation)")

OPENINGS = {
    "courteous": (
        "thank you for your interest in this {who}, whom {we} {saw} in the {setting} on {date}",
        "{we} had the pleasure of meeting this {who} in the {setting} on {date}",
        "it was a pleasure to see this {who} in the {setting} on {date}",
        "{we} {are} grateful to be involved with this {who}, who came to the {setting} on {date}",
        "with thanks for your continued interest, {we} report on this {who}, seen in the {setting} on {date}",
    ),
    "direct": (
        "{we} {saw} this {who} in the {setting} on {date}", "{we} reviewed this {who} in the {setting} on {date}",
        "this {who} attended the {setting} on {date}", "this {who} was seen in the {setting} on {date}",
        "{we} write about this {who}, seen in the {setting} on {date}",
        "on {date} {we} reviewed this {who} in the {setting}",
    ),
    "summary": (
        "this letter sums up what is on record about this {who}, seen in the {setting} on {date}",
        "please find below a summary concerning this {who}, seen in the {setting} on {date}",
        "what follows is the position on {date} of this {who}, who attends the {setting}",
        "an account follows of this {who}, as seen in the {setting} on {date}",
        "the following concerns this {who} and the visit to the {setting} of {date}",
    ),
}  # fmt: skip
PURPOSES = (
    "", "; the details are set out below", "; what is known to date is set out below",
    "; the record is summarised here",
    "; below is where matters stand", "; the main points follow", "; a summary is given here", "; {my} account follows",
)  # fmt: skip
TRANSITIONS = {
    "history": ("by way of background, ", "for the background: ", "to recall the background, ", "as background, ", "",
    ""),
    "events": ("as to what has happened so far, ", "of the course so far: ", "in the history, ", "looking back, ", "",
    "", ""),
    "findings": ("as to findings, ", "clinically, ", "on the clinical side, ", "in the way of findings, ", "", ""),
    "scores": ("on the scales, ", "as to the ratings, ", "turning to the ratings, ", "on formal rating, ", "", ""),
    "vitals": ("as to vital signs, ", "on the observation chart, ", "in the observations, ", "", ""),
    "laboratory": ("from the laboratory, ", "as to blood results, ", "in the laboratory results, ", "biochemically, ",
    "", ""),
    "imaging": ("on imaging, ", "as to imaging, ", "turning to the scans, ", "radiologically, ", "", ""),
    "measures": ("as to measurements, ", "among the other measurements, ", "on measurement, ",
    "of the investigations, ", "", ""),
    "treatment": ("as to treatment, ", "on the treatment side, ", "with regard to treatment, ", "therapeutically, ",
    "", ""),
}  # fmt: skip
SUMMARIES = (
    "in summary, ",
    "to sum up, ",
    "in short, ",
    "to summarise: ",
    "in brief, ",
    "overall: ",
    "to recapitulate, ",
    "the essentials: ",
)
CLOSINGS = (
    ("please", "do please", "feel free to", "kindly", "you are welcome to", "do not hesitate to"),
    ("write", "call", "ring", "get in touch", "contact {us}", "let {us} know", "send {us} a line", "come back to {us}",
    "telephone", "reply"),
    ("should anything here need", "if any of this needs", "if there is anything that needs", "should a point need",
    "where anything above needs", "if a passage needs"),
    ("explaining", "clarifying", "correcting", "discussing", "amending", "setting right", "adding to", "going over"),
)  # fmt: skip
THANKS = (
    ("", "with many thanks for", "thank you for", "{we} {are} grateful for", "thanks again for", "{we} thank you for",
    "{we} appreciate"),
    ("your interest", "your help", "your support", "reading this", "your attention", "your time", "your part in this",
    "your cooperation"),
    ("", " as ever", " as always", " and for your patience", " once again", " throughout", " all along",
    " in the past and now"),
)  # fmt: skip
COPIES = (
    ("a copy of", "one copy of", "the original of", "a duplicate of"), ("this letter", "this report", "this summary",
    "this account", "the letter", "the present letter"),
    ("is kept", "is filed", "is held", "stays", "remains", "will stay", "has been placed"),
    ("with the notes", "in the record", "in the {setting}'s file", "with the {setting}", "at the {setting}",
    "in the electronic record", "on file here"),
)  # fmt: skip


def pronouns(teller: Teller) -> dict[str, str]:
    """The writer, by the author's habit."""
    words = {
        "I": {"we": "I", "us": "me", "my": "my", "are": "am"},
        "we": {"we": "we", "us": "us", "my": "our", "are": "are"},
        "passive": {"we": "", "us": "the {setting}", "my": "an", "are": ""},
    }[teller.author.person]
    words["us"] = words["us"].format(setting=setting(teller))
    return words | {"saw": "saw", "setting": setting(teller)}


def setting(teller: Teller) -> str:
    return teller.plan.setting or "clinic"


def pick(teller: Teller, slot: str, options: tuple[str, ...]) -> str:
    """A choice of this note, not of one fact."""
    return teller.choices.any("note", slot, options)


def date_piece(teller: Teller) -> Phrase:
    date = show_date(teller.plan.date, teller.author.dates)
    if teller.plan.hours:
        date += f", {teller.plan.date_of(teller.plan.time):%H:%M}"
    return (Piece(date, "date"),)


def opening(teller: Teller) -> Phrase:
    words = pronouns(teller)
    options = OPENINGS[teller.author.opening]
    if teller.author.person == "passive":
        options = tuple(option for option in options if "{we}" not in option) or OPENINGS["direct"][2:4]
    template = pick(teller, "opening", options)
    template += pick(teller, "purpose", PURPOSES) if teller.author.opening != "summary" else ""
    return teller.fill(template, who=identify(teller), date=date_piece(teller), more=words)


def transition(teller: Teller, topic: str, sentence: Phrase) -> Phrase:
    """A sentence that opens a paragraph, with or without words that lead over to it."""
    words = pick(teller, f"transition {topic}", TRANSITIONS[topic])
    return (Piece(words), *sentence) if words else sentence


def closings(teller: Teller) -> list[Phrase]:
    """Sentences before the signature, as many as the author's courtesy asks for."""
    words = pronouns(teller)
    said: list[str] = []
    if teller.author.verbosity > 0.3:
        first = [pick(teller, f"close {number}", options) for number, options in enumerate(CLOSINGS)]
        said.append(" ".join(first))
    if teller.author.verbosity > 0.6 or teller.author.courtesy == "warm":
        if teller.author.person == "passive":
            options = tuple(option for option in THANKS[0] if "{we}" not in option)
        else:
            options = THANKS[0]
        thanks = pick(teller, "thank 0", options)
        what, more = (pick(teller, f"thank {number}", options) for number, options in enumerate(THANKS[1:], 1))
        said.append(f"{thanks or 'thank you for'} {what}{more}")
    if teller.author.verbosity > 0.6 and teller.author.courtesy == "formal":
        said.append(" ".join(pick(teller, f"copy {number}", options) for number, options in enumerate(COPIES)))
    return [teller.fill(sentence, more=words) for sentence in said]


def salutation(teller: Teller) -> str:
    return pick(teller, "salutation", SALUTATIONS[teller.author.courtesy])


def sign_off(teller: Teller) -> str:
    return pick(teller, "sign-off", SIGN_OFFS[teller.author.courtesy])


def signature(teller: Teller) -> str:
    """By role, never by name."""
    rank = RANKS[int(teller.author.role * len(RANKS))]
    place = PLACES[int(draw(teller.author.secret, "place") * len(PLACES))].format(setting=setting(teller))
    return rank + place + SIGNED[int(draw(teller.author.secret, "signed") * len(SIGNED))]
