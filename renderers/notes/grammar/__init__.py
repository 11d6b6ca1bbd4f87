"""The grammar: a plan of facts becomes a note, and every fact has its place in the words."""

from __future__ import annotations

from ...noise import Noise
from ..facts import NotePlan
from ..lexicon import Lexicon
from .author import Author, find_author
from .context import build_context
from .discharge import write_discharge
from .imaging import write_imaging
from .letter import write_letter
from .note import Note, NoteBuilder, Span, SpanPart
from .progress import write_progress
from .telephone import write_telephone

__all__ = ["DOCUMENTS", "Author", "Note", "Span", "SpanPart", "find_author", "write_note"]

DOCUMENTS = {
    "letter": write_letter,
    "progress": write_progress,
    "imaging": write_imaging,
    "discharge": write_discharge,
    "telephone": write_telephone,
}


def write_note(plan: NotePlan, *, lexicon: Lexicon, noise: Noise) -> Note:
    """The note of a plan: it states exactly the plan's facts, each with the place of its words.

    Every choice depends on the noise, the author and the fact that it is about, never on the world: where two plans
    have the same fact, their notes have the same words for it.
    """
    context = build_context(plan, lexicon=lexicon, noise=noise)
    note = NoteBuilder(plan)
    DOCUMENTS[plan.document](context, note)
    return note.finish()
