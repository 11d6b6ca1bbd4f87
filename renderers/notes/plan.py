"""The facts of each document: what the record holds by its time, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...causal.model.clock import time_of
from ..journey import Journey, RecordedEvent, RecordedValue
from ..noise import Noise, invent_entry
from .documents import NARROW, ClinicalPractice, Criterion, Due, plan_documents
from .facts import Document, Fact, FactKind, NotePlan, Speaker, Status, Subject
from .lexicon import LexiconTerm, Role
from .words.grammar import DocumentWords
from .words.locale import load_words

CLINICIANS, RADIOLOGISTS = 12, 6  # invented people: numbers 0 to 11, and 12 to 17
SPEAKERS: dict[Role, Speaker] = {"volume": "radiologist", "laboratory": "laboratory", "history": "patient"}


def plan_notes(
    journey: Journey, *, practice: ClinicalPractice, seed: int, steps: Sequence[int] | None = None
) -> list[NotePlan]:
    """The notes of a journey: those that are due, or those of `steps`, where a progress note stands in for a step that
    has none. None is later than the end of the journey or of its record, and none knows what came after its time.

    Every fact is on the record, at its time and with its value. An event that the record does not hold is told as
    absent (the letter asks after each diagnosis and after each complication); as uncertain, where it is a diagnosis
    whose stated criterion the last recorded value meets, or misses by at most a tenth of the bound. Entry date and
    authors are invented by keyed noise, the same in every world. Times are in the clock's unit.
    """
    due = plan_documents(journey, practice)
    if steps is not None:
        clock = practice.model.clock
        held = {document.step for document in due}
        due = [document for document in due if document.step in set(steps)]
        for step in steps:
            if step not in held and journey.covers(time_of(step, clock=clock)):
                due.append(Due(step, time_of(step, clock=clock), "progress", -1))
        due.sort(key=lambda document: (document.time, document.step))
    return [_Planner(journey, practice, seed, document).plan() for document in due]


@dataclass(frozen=True)
class _Planner:
    """What one document tells: all that whoever writes it can look up."""

    journey: Journey
    practice: ClinicalPractice
    seed: int
    due: Due

    def plan(self) -> NotePlan:
        clock = self.practice.model.clock
        gather: dict[Document, Callable[[], Iterable[Fact]]] = {
            "letter": self._letter, "progress": self._progress, "imaging": self._imaging,
            "discharge": self._stay if self.practice.hospital else self._admission, "telephone": self._call,
        }  # fmt: skip
        title, setting = self._describe()
        patient = Noise(self.seed, "notes", self.journey.patient, 0).of_patient()
        return NotePlan(
            document=self.due.document,
            title=title,
            setting=setting,
            patient=self.journey.patient,
            world=self.journey.world,
            step=self.due.step,
            time=self.due.time,
            entry=invent_entry(self.seed, self.journey.patient, clock=clock),
            year=1 / clock.unit,
            facts=tuple({fact.key: fact for fact in gather[self.due.document]()}.values()),
            subject=self._subject(),
            author=self._author(patient),
            locale=self.practice.lexicon.locale,
        )

    def _describe(self) -> tuple[str, str]:
        """What the document calls itself, and where it is written."""
        practice = self.practice
        words = load_words(DocumentWords, practice.lexicon.locale)
        settings, titles = words.settings, words.titles
        clinic = settings.memory if practice.memory else settings.clinic
        setting = settings.ward if practice.hospital else clinic
        match self.due.document:
            case "letter":
                return (titles.memory_letter if practice.memory else titles.clinic_letter), setting
            case "progress":
                admitted = practice.hospital and self.due.step == 0
                return (titles.admission if admitted else titles.progress), setting
            case "imaging":
                return (titles.brain if practice.brain else titles.imaging), settings.radiology
            case "discharge":
                return titles.discharge, settings.ward
            case _:
                return titles.telephone, setting

    def _author(self, patient: Noise) -> int:
        """A patient's own clinician; whichever radiologist is there."""
        if self.due.document == "imaging":
            return CLINICIANS + int(patient.uniform(f"radiologist {self.due.step}")[0] * RADIOLOGISTS)
        return int(patient.uniform("clinician")[0] * CLINICIANS)

    def _subject(self) -> Subject:
        clock = self.practice.model.clock
        ages = [self.journey.statics.get(term.variable) for term in self.practice.lexicon.of_role("age")]
        age = next((a for a in ages if isinstance(a, float)), None)
        elapsed = self.due.time * clock.unit
        if self.practice.birth:
            age = 0.0
        return Subject(None if age is None else math.floor(age + elapsed), self._sex)

    @property
    def _sex(self) -> str:
        sexes = [self.journey.statics.get(term.variable) for term in self.practice.lexicon.of_role("sex")]
        return str(next((s for s in sexes if s), ""))

    # What each document tells

    def _letter(self) -> Iterable[Fact]:
        """All that is known: history, the last value of everything, treatments, diagnoses made, not made, in doubt."""
        yield from self._statics()
        yield from self._values(latest=True)
        yield from self._treatments()
        yield from self._events("diagnosis", "occurrence", absent=True)
        yield from self._events("happening", since=self.due.since)

    def _progress(self) -> Iterable[Fact]:
        """What was measured now (the last values where nothing was), treatments given or changed, and what is new."""
        first = self.due.since < 0
        if first:
            yield from self._statics()
        today = [fact for fact in self._values(latest=False) if self.practice.lexicon[fact.variable].role != "volume"]
        yield from today or self._values(latest=True)
        yield from self._treatments(all_of_them=first or self.practice.hospital)
        yield from self._events("diagnosis", "occurrence", "happening", since=self.due.since)

    def _imaging(self) -> Iterable[Fact]:
        """The volumes measured now, and lesions that images show."""
        volumes = [fact for fact in self._values(latest=False) if self.practice.lexicon[fact.variable].role == "volume"]
        yield from volumes
        before = min((fact.previous_time for fact in volumes if fact.previous_time is not None), default=-1.0)
        for term in self.practice.lexicon.of_role("occurrence"):
            if term.variable in self.practice.lesions:
                seen = [e for e in self._known(term) if e.time > before]
                yield self._event(term, seen[-1] if seen else None, speaker="radiologist")

    def _admission(self) -> Iterable[Fact]:
        """What brought them to hospital, what is known of them, and their treatment."""
        yield from self._statics()
        yield from self._events("occurrence", since=self.due.step - 1)
        yield from self._events("diagnosis")
        yield from self._values(latest=True)
        yield from self._treatments()

    def _stay(self) -> Iterable[Fact]:
        """A stay from its first values to its last, and how it ended."""
        yield from self._statics()
        yield from (self._value(row) for row in self._rows() if row.step == 0 and not self._treats(row))
        yield from self._values(latest=True)
        yield from self._treatments()
        yield from self._events("diagnosis", "occurrence")
        yield from self._events("end", "departure", since=self.due.step - 1)

    def _call(self) -> Iterable[Fact]:
        """What the call is about: treatment changed, what is new since the last document, and leaving the clinic."""
        if self.due.closing:
            speaker: Speaker = "informant" if self.practice.memory else "patient"
            yield from self._events("departure", since=self.due.step - 1, speaker=speaker)
        yield from self._events("occurrence", "diagnosis", since=self.due.since)
        yield from self._treatments(all_of_them=self.due.closing)

    # What the record holds by now

    def _rows(self) -> list[RecordedValue]:
        return [row for row in self.journey.rows if row.time <= self.due.time]

    def _treats(self, row: RecordedValue) -> bool:
        return self.practice.lexicon[row.variable].role == "treatment"

    def _known(self, term: LexiconTerm) -> list[RecordedEvent]:
        return [e for e in self.journey.events if e.event == term.variable and e.time <= self.due.time]

    def _statics(self) -> Iterable[Fact]:
        age = self.due.time * self.practice.model.clock.unit
        untold = set(self.practice.common)
        for onset, foretold in self.practice.onsets.items():
            value = self.journey.statics.get(onset)
            untold |= foretold if isinstance(value, float) and value > age else set()
        for term in self.practice.lexicon.of_role("gene", "history"):
            value = self.journey.statics.get(term.variable)
            if value is not None and term.variable not in untold:
                status: Status = "absent" if term.binary and value == 0 else "present"
                yield _make(term, "history", value, 0.0, step=0, status=status)

    def _values(self, *, latest: bool) -> Iterable[Fact]:
        """A fact for each measurement taken now or, `latest`, for the last one of each."""
        chosen = {row.variable: row for row in self._rows() if latest or row.step == self.due.step}
        facts = (self._value(row) for row in chosen.values() if not self._treats(row))
        yield from (fact for fact in facts if not self._goes_without_saying(fact))

    def _goes_without_saying(self, fact: Fact) -> bool:
        """Whether somebody lacks what only the other sex can have."""
        other = {"male": "female", "female": "male"}.get(self.practice.lexicon[fact.variable].sex)
        return fact.status == "absent" and other is not None and other == self._sex

    def _before(self, row: RecordedValue) -> RecordedValue | None:
        earlier = [other for other in self._rows() if other.variable == row.variable and other.step < row.step]
        return earlier[-1] if earlier else None

    def _value(self, row: RecordedValue) -> Fact:
        term = self.practice.lexicon[row.variable]
        kind: FactKind = "finding" if term.binary or term.levels else "value"
        status: Status = "absent" if term.binary and row.value == 0 else "present"
        return _make(term, kind, row.value, row.time, step=row.step, status=status, before=self._before(row))

    def _treatments(self, *, all_of_them: bool = True) -> Iterable[Fact]:
        """Each treatment as it is since it last changed; or only those given, and those that changed lately."""
        chosen = {row.variable: row for row in self._rows() if self._treats(row)}
        for row in chosen.values():
            given = row.value != 0
            if all_of_them or given or row.step > max(0, self.due.since):
                status: Status = "present" if given else "absent"
                term = self.practice.lexicon[row.variable]
                yield _make(term, "treatment", row.value, row.time, step=row.step, status=status,
                            before=self._before(row))  # fmt: skip

    def _events(
        self, *roles: Role, since: int = -1, absent: bool = False, speaker: Speaker = "clinician"
    ) -> Iterable[Fact]:
        """The last of each event after step `since`; where `absent`, also that there was none, or that there may be."""
        for term in self.practice.lexicon.of_role(*roles):
            known = self._known(term)
            recent = [e for e in known if e.step > since]
            if recent:
                yield self._event(term, recent[-1], speaker=speaker)
            elif absent and not known:
                yield self._event(term, None, speaker=speaker)

    def _event(self, term: LexiconTerm, happened: RecordedEvent | None, *, speaker: Speaker) -> Fact:
        if happened is not None:
            return _make(term, "event", 1.0, happened.time, step=happened.step, status="present", speaker=speaker)
        criterion = self.practice.criteria.get(term.variable)
        status: Status = "uncertain" if criterion is not None and self._nearly(criterion) else "absent"
        value = None if status == "uncertain" else 0.0
        return _make(term, "event", value, self.due.time, step=self.due.step, status=status, speaker=speaker)

    def _nearly(self, criterion: Criterion) -> bool:
        """Whether the last values meet a criterion; a bound that is a measurement's only one may be missed narrowly."""
        lexicon = self.practice.lexicon
        if any(name in lexicon.terms and self._known(lexicon[name]) for name in criterion.excludes):
            return False
        last = {row.variable: row.value for row in self._rows()}
        names = [name for name, _, _ in criterion.bounds]
        for name, sign, bound in criterion.bounds:
            value, slack = last.get(name), NARROW * abs(bound) if names.count(name) == 1 else 0.0
            if not isinstance(value, float):
                return False
            away = bound - value if sign.startswith(">") else value - bound
            if away > slack or (away == 0 and slack == 0 and "=" not in sign):
                return False
        return True


def _make(
    term: LexiconTerm,
    kind: FactKind,
    value: float | str | None,
    time: float,
    *,
    step: int,
    status: Status,
    before: RecordedValue | None = None,
    speaker: Speaker | None = None,
) -> Fact:
    return Fact(
        key=f"{term.variable}@{step}",
        kind=kind,
        variable=term.variable,
        concept=term.concept,
        label=term.label,
        value=value,
        unit=term.unit,
        time=time,
        status=status,
        previous=before.value if before is not None else None,
        previous_time=before.time if before is not None else None,
        speaker=speaker or SPEAKERS.get(term.role, "clinician"),
    )
