"""What a note is to say, before any words: facts of the record that are known at its time, and which document it is."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

Status = Literal["present", "absent", "uncertain"]
FactKind = Literal["value", "finding", "event", "treatment", "history"]
Speaker = Literal["clinician", "patient", "informant", "radiologist", "laboratory"]
Document = Literal["letter", "progress", "imaging", "discharge", "telephone"]


@dataclass(frozen=True)
class Fact:
    """One thing that the record says by the time of the note. Times are in the clock's unit, since entry.

    kind "value": a measured number. "finding": measured as there or not (0 or 1), or as a level (`value` is its name).
    "event": it happened, at `time`; absent: it is on no record; uncertain: see `plan_notes`. "treatment": `value` (a
    dose, 1 or 0) since `time`; absent: not given now, `previous` says whether it was before. "history": a static.
    """

    key: str  # stable, the same in twins: variable@step
    kind: FactKind
    variable: str
    concept: str  # a CURIE, or empty
    label: str  # the preferred one, as in the middle of a sentence
    value: float | str | None
    unit: str  # UCUM, or empty
    time: float  # when it was so
    status: Status
    previous: float | str | None = None  # the value recorded before it
    previous_time: float | None = None
    speaker: Speaker = "clinician"


ADULT = 18  # years


@dataclass(frozen=True)
class Subject:
    """Whom a note is about: no name is invented. Age in whole years at the note's time, and sex, where recorded."""

    age: int | None
    sex: str  # "female", "male", another level of the model's, or empty

    @property
    def child(self) -> bool:
        return self.age is not None and self.age < ADULT


@dataclass(frozen=True)
class NotePlan:
    """A note before its words. `facts` are in no order of telling.

    `entry` is the invented date at which time is 0, the same in all worlds; `year` is how many of the clock's units
    make one (1 for years, 8766 for hours). `hours`: a stay whose times are told by the hour.
    """

    document: Document
    title: str  # what the document calls itself: "Memory clinic letter"
    setting: str  # where it is written: "memory clinic"
    patient: int
    world: str
    step: int
    time: float
    entry: datetime.datetime
    year: float
    facts: tuple[Fact, ...]
    subject: Subject
    author: int  # who writes: a number whose habits stay its own (`Noise.of_author`)
    locale: str = "en"  # in whose words

    def date_of(self, time: float) -> datetime.datetime:
        """When a time of the journey is, to the minute; a year has 365.25 days."""
        exact = self.entry + datetime.timedelta(days=time / self.year * 365.25)
        return (exact + datetime.timedelta(seconds=30)).replace(second=0, microsecond=0)

    @property
    def date(self) -> datetime.date:
        return self.date_of(self.time).date()

    @property
    def hours(self) -> bool:
        """Whether times are told by the hour."""
        return self.year > 366
