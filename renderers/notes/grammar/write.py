"""From a plan of facts to a note."""

from __future__ import annotations

from ...noise import Noise
from ..facts import NotePlan
from ..lexicon import Lexicon
from .discharge import write_discharge
from .imaging import write_imaging
from .letter import write_letter
from .note import Note, Writer
from .progress import write_progress
from .telephone import write_telephone
from .teller import start_telling

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
    teller = start_telling(plan, lexicon=lexicon, noise=noise)
    writer = Writer(plan)
    DOCUMENTS[plan.document](teller, writer)
    return writer.finish()
