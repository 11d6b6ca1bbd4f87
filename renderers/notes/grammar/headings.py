"""What sections are called, as each author calls them; and the lines at the top of a document."""

from __future__ import annotations

from .author import draw
from .compose import identify
from .courtesy import date_piece
from .note import Writer
from .pieces import Phrase, Piece
from .teller import Teller

HEADINGS = {
    "history": ("Background", "History", "Background history", "Relevant history", "Baseline data"),
    "events": ("Diagnoses", "Diagnoses and events", "Problems", "Course to date", "Diagnoses and course"),
    "findings": ("Findings", "Clinical findings", "Clinical features", "Features", "Present and absent findings"),
    "scores": ("Rating scales", "Scales", "Assessment scales", "Ratings", "Scores"),
    "vitals": ("Observations", "Vital signs", "Obs", "Charted observations", "Vitals"),
    "laboratory": ("Laboratory", "Laboratory results", "Bloods", "Blood results", "Labs"),
    "imaging": ("Imaging", "Neuroimaging and imaging", "Scans", "Imaging results", "Radiology"),
    "measures": (
        "Measurements",
        "Other measurements",
        "Further measurements",
        "Other investigations",
        "Investigations",
    ),
    "treatment": ("Treatment", "Medication", "Therapy", "Current treatment", "Treatment and medication"),
    "summary": ("Summary", "Conclusion", "In summary", "Impression", "Synopsis"),
    "subjective": ("Subjective", "S", "As reported", "Reported"),
    "objective": ("Objective", "O", "Recorded", "Data"),
    "assessment": ("Assessment", "A", "Diagnoses", "Status"),
    "plan": ("Treatment", "Tx", "Rx", "Therapy"),
    "technique": ("Technique", "Method", "Examination", "Protocol"),
    "comparison": ("Comparison", "Compared with", "Prior", "Previous study"),
    "radiology": ("Findings", "Report", "Observations", "Measurements"),
    "impression": ("Impression", "Conclusion", "Opinion", "Summary"),
    "course": ("Course", "Hospital course", "Events of the stay", "Course of the stay"),
    "admission": ("On admission", "At admission", "Admission data", "Presentation"),
    "discharge": ("At the end of the stay", "Last observations", "Final status", "Most recent data"),
}
SUBJECTS = ("Re: {who}", "Patient: {who}", "Concerning: {who}", "{who}", "Regarding {a} {who}")
DATES = ("{date}", "Date: {date}", "Dated {date}", "{date}")


def heading(teller: Teller, topic: str) -> str:
    """The author's heading for a topic, in the author's style."""
    options = HEADINGS[topic]
    words = options[int(draw(teller.author.secret, "heading", topic) * len(options))]
    style = teller.author.headings
    return words.upper() if style == "capitals" else f"{words}:" if style == "colon" else words


def head(teller: Teller, writer: Writer) -> None:
    """Title, date and patient."""
    title = teller.plan.title
    writer.line(title.upper() if teller.author.headings == "capitals" else title)
    writer.line(_line(teller, DATES, "date line"))
    if teller.plan.subject.age is not None or teller.plan.subject.noun != "patient":
        writer.line(_line(teller, SUBJECTS, "subject line"))
    writer.gap()


def _line(teller: Teller, options: tuple[str, ...], habit: str) -> Phrase:
    template = options[int(draw(teller.author.secret, habit) * len(options))]
    who = identify(teller)
    if template == "{who}":
        who = (Piece(who[0].text[:1].upper() + who[0].text[1:], *who[0][1:]), *who[1:])
    return teller.fill(template, who=who, date=date_piece(teller))
