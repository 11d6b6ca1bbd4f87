"""What is asserted of a mention, and how names are spelt: small texts of our own, and what a clinician would take them
to say. The classes are those of the 2010 i2b2/VA challenge, with ConText's historical."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nosograph.renderers.notes.lexicon import Lexicon, LexiconTerm
from nosograph.renderers.notes.reading.reader import NoteReader, build_reader

NOTE = datetime.date(2031, 3, 12)
FINDINGS = {
    "ataxia": (), "hypertension": ("high blood pressure",), "headache": (), "tremor": (),
    "seizure": ("epileptic seizure",), "fever": (), "cough": (), "dementia": (), "nystagmus": (),
    "dyspnea": ("shortness of breath",), "edema": (),
    "leg weakness": ("lower limb weakness",), "shuffling gait": (),
    "elevated circulating creatine kinase concentration": (),
    "rash": (), "chest pain": (),
}  # fmt: skip
TREATMENTS = {
    "cholinesterase inhibitor": ("donepezil", "rivastigmine"), "lecanemab": (), "antibiotics": ("ceftriaxone",),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> NoteReader:
    terms = {
        name: LexiconTerm(name, "finding", f"X:{name}", name, synonyms, binary=True)
        for name, synonyms in FINDINGS.items()
    }
    for name, drugs in TREATMENTS.items():
        terms[name] = LexiconTerm(name, "treatment", "", name, related=drugs, unit="1", binary=True)
    return build_reader(Lexicon(terms))


def tell(reader: NoteReader, text: str) -> str:
    readings = reader.read_all(text, date=NOTE)
    assert all(text[r.start : r.end].strip() for r in readings)
    return "; ".join(f"{r.variable} {r.assertion}" for r in readings)


SAID = [  # scope, and denials that are none
    ("Hypertension with no headache.", "hypertension present; headache absent"),
    ("Hypertension without headache but with tremor.", "hypertension present; headache absent; tremor present"),
    ("Tremor, no headache.", "tremor present; headache absent"),
    ("Ataxia has not improved.", "ataxia present"),
    ("The tremor did not resolve.", "tremor present"),
    ("No worsening of ataxia.", "ataxia present"),
    ("No change in the tremor.", "tremor present"),
    ("Tremor is no worse.", "tremor present"),
    ("Nystagmus was not absent.", "nystagmus present"),
    ("She is not free of tremor.", "tremor present"),
    ("Not only ataxia, also tremor.", "ataxia present; tremor present"),
    ("No fever, cough or rash.", "fever absent; cough absent; rash absent"),
    ("Denies fever, cough or rash but has headache.", "fever absent; cough absent; rash absent; headache present"),
    ("No return of the seizures.", "seizure absent"),
    ("Tremor was looked for and was not seen.", "tremor absent"),
    ("Fever -, cough +, headache -.", "fever absent; cough present; headache absent"),
    ("+ headache, + tremor, - fever, - rash", "headache present; tremor present; fever absent; rash absent"),
    ("Ataxia is present but tremor is not.", "ataxia present; tremor absent"),
    ("Seizure-free for two years.", "seizure absent"),
    ("Rash: none. Fever: no. Cough: yes.", "rash absent; fever absent; cough present"),
    ("he denies fever cough and rash he has headache", "fever absent; cough absent; rash absent; headache present"),
    # doubts, and doubts that are settled
    ("?seizure", "seizure possible"),
    ("Seizure?", "seizure possible"),
    ("Tremor - ?seizure in the night.", "tremor present; seizure possible"),
    ("Cannot exclude seizures.", "seizure possible"),
    ("Seizures are suspected.", "seizure possible"),
    ("Seizures were suspected but it was ruled out.", "seizure absent"),
    # whose it is
    ("FAMILY HISTORY\nAtaxia, tremor.\n\nEXAMINATION\nNystagmus.",
     "ataxia someone_else; tremor someone_else; nystagmus present"),
    ("FH: dementia.\nO/E: tremor.", "dementia someone_else; tremor present"),
    ("Mother: dementia.", "dementia someone_else"),
    ("An uncle is said to have had seizures.", "seizure someone_else"),
    ("Mother reports seizures twice a week.", "seizure present"),
    ("Brother well, no seizures.", "seizure someone_else"),
    ("Husband takes donepezil.", "cholinesterase inhibitor someone_else"),
    ("No family history of seizures.", "seizure someone_else"),
    ("Her maternal aunt had ataxia, but she has only tremor.", "ataxia someone_else; tremor present"),
    ("Tremor in her father.", "tremor someone_else"),
    ("His wife says that he has a tremor.", "tremor present"),
    ("He came with his daughter and has a tremor.", "tremor present"),
    ("He lives with his sister, who has dementia.", "dementia someone_else"),
    ("No one else in the family has ataxia. He has a tremor.", "ataxia someone_else; tremor present"),
    # what may come
    ("Plan: start lecanemab next month.", "lecanemab hypothetical"),
    ("PLAN\n- start donepezil\n- continue antibiotics", "cholinesterase inhibitor hypothetical; antibiotics present"),
    ("We spoke about lecanemab, which may cause headache.", "lecanemab hypothetical; headache hypothetical"),
    ("Return if fever or rash.", "fever hypothetical; rash hypothetical"),
    ("Watch for seizures.", "seizure hypothetical"),
    ("Warned of tremor and rash.", "tremor hypothetical; rash hypothetical"),
    ("At risk of dementia.", "dementia hypothetical"),
    # only under circumstances
    ("If fever, start ceftriaxone.", "fever conditional; antibiotics conditional"),
    ("Ceftriaxone only if fever.", "antibiotics conditional; fever conditional"),
    ("Headache only when coughing.", "headache conditional; cough conditional"),
    ("Chest pain on exertion.", "chest pain conditional"),
    ("Headache when he stands up. Tremor too.", "headache conditional; tremor present"),
    ("Tremor, worse when tired.", "tremor present"),
    # what is over
    ("Seizures as a toddler.", "seizure historical"),
    ("He used to have headaches.", "headache historical"),
    ("Previous seizure.", "seizure historical"),
    ("PMH: seizure, hypertension.", "seizure historical; hypertension present"),
    ("The rash has resolved.", "rash historical"),
    ("A two-week history of cough.", "cough present"),
    ("Headache since 2026.", "headache present"),
    # treatments
    ("Donepezil was stopped and prednisolone given.", "cholinesterase inhibitor absent"),
    ("She will not be offered lecanemab.", "lecanemab absent"),
    ("Not for antibiotics.", "antibiotics absent"),
    ("Ceftriaxone stopped, lecanemab goes on.", "antibiotics absent; lecanemab present"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SAID)
def test_class(reader: NoteReader, text: str, expected: str) -> None:
    assert tell(reader, text) == expected


def test_only_facts_of_the_patient_are_read_where_facts_are_asked_for(reader: NoteReader) -> None:
    text = "Mother: dementia.\nTremor. No rash. ?seizure. Return if fever. Ataxia only when tired. Used to have cough."
    read = reader.read(text, date=NOTE)
    assert [(r.variable, r.status) for r in read] == [
        ("tremor", "present"), ("rash", "absent"), ("seizure", "uncertain"), ("cough", "present"),
    ]  # fmt: skip
    assert {r.assertion for r in reader.read_all(text, date=NOTE)} == {
        "present", "absent", "possible", "hypothetical", "conditional", "someone_else", "historical",
    }  # fmt: skip


SPELT = [
    ("ataxic", "ataxia"), ("hypertensive", "hypertension"), ("oedema", "edema"), ("oedematous", "edema"),
    ("dyspnoea", "dyspnea"), ("SOB", "dyspnea"), ("HTN", "hypertension"), ("headaches", "headache"),
    ("weakness of both legs", "leg weakness"), ("lower-limb weakness", "leg weakness"),
    ("Gait is shuffling", "shuffling gait"),
    ("raised CK", "elevated circulating creatine kinase concentration"),
    ("creatine kinase was elevated", "elevated circulating creatine kinase concentration"),
    ("fits", "seizure"), ("febrile", "fever"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "name"), SPELT)
def test_names_are_found_however_they_are_spelt(reader: NoteReader, words: str, name: str) -> None:
    (reading,) = reader.read_all(f"{words}.", date=NOTE)
    assert (reading.variable, f"{words}."[reading.start : reading.end]) == (name, words)


@pytest.mark.parametrize("text", ["fit for discharge", "sob story", "a headache diary", "dementia clinic", "htn"])
def test_what_only_looks_like_a_name(reader: NoteReader, text: str) -> None:
    assert reader.read_all(text, date=NOTE) == []


TIMES = ["at 23:59", "on 30 December 2031", "on 31/12/2031", "in December", "in June 2033", "in 2040", "today",
         "tomorrow", "since 9 March", "six months ago", "last week", "on March 30, 2031"]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.datetimes(min_value=datetime.datetime(1, 1, 1), max_value=datetime.datetime(9999, 12, 31)),
    st.sampled_from(TIMES),
)
@example(datetime.datetime(1, 1, 1), "at 23:59")
@example(datetime.datetime(1, 1, 1), "six months ago")
def test_nothing_is_dated_after_the_note(reader: NoteReader, date: datetime.datetime, when: str) -> None:
    for note in (date, date.date()):
        for reading in reader.read_all(f"Headache {when}. Antibiotics were started {when}.", date=note):
            assert reading.time is None or reading.time <= 0
