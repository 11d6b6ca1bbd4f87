"""The reader on small texts of our own: what a clinician would take each to say, written down by hand."""

from __future__ import annotations

import datetime
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.reading.reader import NoteReader, NoteReading, build_reader

NOTE = datetime.date(2024, 9, 12)
HOUR = datetime.datetime(2024, 9, 12, 14, 0)
MONTH, DAY = 1 / 12, 1 / 365.25


@pytest.fixture(scope="module")
def readers() -> dict[str, NoteReader]:
    knowledge = KnowledgeGraph.open()
    return {
        name: build_reader(build_lexicon(load_model(name), knowledge=knowledge)) for name in ("alzheimers", "sepsis")
    }


def on(year: int, month: int, day: int = 15) -> float:
    """Years from the note to a date."""
    return (datetime.date(year, month, day) - NOTE).days / 365.25


def tell(reading: NoteReading) -> str:
    """A reading in short: "mmse 24", "mmse 26 past", "aria_e absent"."""
    words = reading.variable
    if reading.kind == "value" or isinstance(reading.value, str) or reading.kind == "history":
        words += f" {reading.value:g}" if isinstance(reading.value, float) else f" {reading.value}"
    if reading.kind in ("event", "treatment") or reading.status != "present":
        words += f" {reading.status}"
    return words + (" past" if reading.past else "")


def check(reader: NoteReader, text: str, expected: str, date: datetime.date = NOTE) -> None:
    readings = reader.read(text, date=date)
    assert sorted(tell(r) for r in readings) == sorted(x.strip() for x in expected.split(";") if x.strip())
    for reading in readings:
        assert 0 <= reading.start < reading.end <= len(text)


SAID = [  # negation and its reach
    ("No ARIA-E.", "aria_e absent"),
    ("There was no evidence of ARIA-E on MRI.", "aria_e absent"),
    ("ARIA-E was not seen.", "aria_e absent"),
    ("ARIA-E has not occurred.", "aria_e absent"),
    ("MRI was negative for ARIA-E.", "aria_e absent"),
    ("She has never had ARIA-E.", "aria_e absent"),
    ("ARIA-E: none.", "aria_e absent"),
    ("ARIA-E absent.", "aria_e absent"),
    ("He does not have dementia.", "dementia_diagnosis absent"),
    ("He doesn't have dementia.", "dementia_diagnosis absent"),
    ("She isn't demented and dementia has not been diagnosed.", "dementia_diagnosis absent; dementia_diagnosis absent"),
    ("Dementia has been ruled out.", "dementia_diagnosis absent"),
    ("No diagnosis of dementia has been made.", "dementia_diagnosis absent"),
    ("A diagnosis of dementia was not made.", "dementia_diagnosis absent"),
    ("Neither dementia nor mild cognitive impairment.", "dementia_diagnosis absent; mci_diagnosis absent"),
    ("No ARIA-E, dementia or mild cognitive impairment.",
     "aria_e absent; dementia_diagnosis absent; mci_diagnosis absent"),
    ("She has had no ARIA-E, dementia or MCI so far.",
     "aria_e absent; dementia_diagnosis absent; mci_diagnosis absent"),
    ("There is MCI but no dementia.", "mci_diagnosis present; dementia_diagnosis absent"),
    ("No dementia but MCI was diagnosed.", "dementia_diagnosis absent; mci_diagnosis present"),
    ("MCI without dementia.", "mci_diagnosis present; dementia_diagnosis absent"),
    ("ARIA-E and dementia were not found.", "aria_e absent; dementia_diagnosis absent"),
    ("Mild cognitive impairment, not dementia.", "mci_diagnosis present; dementia_diagnosis absent"),
    ("No ARIA-E on lecanemab.", "aria_e absent; lecanemab present"),
    ("She continues on lecanemab without ARIA-E.", "lecanemab present; aria_e absent"),
    ("No ARIA-E, MMSE 24/30.", "aria_e absent; mmse 24"),
    ("Lecanemab was continued because no ARIA-E was seen.", "lecanemab present; aria_e absent"),
    ("There is no doubt that she has dementia.", "dementia_diagnosis present"),
    ("ARIA-E: yes. Dementia: no.", "aria_e present; dementia_diagnosis absent"),
    ("ARIA-E: no, dementia: yes.", "aria_e absent; dementia_diagnosis present"),
    ("Denies ever being told of dementia.", "dementia_diagnosis absent"),
    ("Free of ARIA-E since the first infusion.", "aria_e absent"),
    ("ARIA-E not detected.\nDementia diagnosed.", "aria_e absent; dementia_diagnosis present"),
    ("Amyloid-related imaging abnormality with oedema was excluded.", "aria_e absent"),
    # uncertainty, and what is not said of the patient
    ("Possible ARIA-E.", "aria_e uncertain"),
    ("Possible dementia, to be reviewed.", "dementia_diagnosis uncertain"),
    ("ARIA-E cannot be excluded.", "aria_e uncertain"),
    ("We cannot exclude ARIA-E.", "aria_e uncertain"),
    ("Query ARIA-E.", "aria_e uncertain"),
    ("?dementia", "dementia_diagnosis uncertain"),
    ("It is unclear whether she has dementia.", "dementia_diagnosis uncertain"),
    ("Mild cognitive impairment is suspected.", "mci_diagnosis uncertain"),
    ("Findings are suspicious for ARIA-E.", "aria_e uncertain"),
    ("She may have dementia.", "dementia_diagnosis uncertain"),
    ("The diagnosis of dementia remains in doubt.", "dementia_diagnosis uncertain"),
    ("Dementia has not been ruled out.", "dementia_diagnosis uncertain"),
    ("Probable mild cognitive impairment, no ARIA-E.", "mci_diagnosis uncertain; aria_e absent"),
    ("Her mother had dementia.", ""),
    ("Family history of dementia.", ""),
    ("There is a family history of dementia in two aunts.", ""),
    ("We discussed the risk of ARIA-E.", ""),
    ("If she develops ARIA-E, the infusions must be stopped.", ""),
    ("MRI surveillance for ARIA-E will go on.", ""),
    # what happened
    ("Dementia was diagnosed in March 2024.", "dementia_diagnosis present"),
    ("She was diagnosed with mild cognitive impairment two years ago.", "mci_diagnosis present"),
    ("MRI showed ARIA-E.", "aria_e present"),
    ("ARIA-E occurred and lecanemab was stopped.", "aria_e present; lecanemab absent"),
    ("He died on 3 May 2024.", "death present"),
    ("He was lost to follow-up.", "dropout present"),
    # values
    ("MMSE 24.", "mmse 24"),
    ("MMSE: 24/30", "mmse 24"),
    ("MMSE=24", "mmse 24"),
    ("MMSE was 24 out of 30.", "mmse 24"),
    ("Her Mini-Mental State Examination score was 24 of a possible 30.", "mmse 24"),
    ("She scored 24/30 on the MMSE.", "mmse 24"),
    ("She scored 24 on MMSE and 4.5 on CDR-SB.", "mmse 24; cdr_sb_rated 4.5"),
    ("MMSE 24, CDR-SB 4.5.", "mmse 24; cdr_sb_rated 4.5"),
    ("MMSE 24/30; CDR sum of boxes 4.5/18", "mmse 24; cdr_sb_rated 4.5"),
    ("MMSE and CDR-SB were stable.", ""),
    ("MMSE was not done.", ""),
    ("CDR-SB of four and a half points.", "cdr_sb_rated 4.5"),
    ("MMSE twenty-four.", "mmse 24"),
    ("MMSE fell from 26 to 24.", "mmse 26 past; mmse 24"),
    ("MMSE 26 → 24", "mmse 26 past; mmse 24"),
    ("MMSE is 24, down from 26.", "mmse 24; mmse 26 past"),
    ("MMSE 24 (previously 26).", "mmse 24; mmse 26 past"),
    ("MMSE 24 (26 six months ago).", "mmse 24; mmse 26 past"),
    ("MMSE was 26 six months ago and is 24 now.", "mmse 26 past; mmse 24"),
    ("MMSE has dropped by 2 points to 24.", "mmse 24"),
    ("MMSE has dropped by two points to 24.", "mmse 24"),
    ("MMSE 24, 2 points lower than last time.", "mmse 24"),
    ("A 3-point decline in MMSE, which is now 21.", "mmse 21"),
    ("MMSE is 24 compared with 26 at the last visit.", "mmse 24; mmse 26 past"),
    ("MMSE 24 versus 26 in March.", "mmse 24; mmse 26 past"),
    ("CDR-SB has risen to 5.5 from 4.0.", "cdr_sb_rated 5.5; cdr_sb_rated 4 past"),
    ("CDR-SB 5.5 (normal 0).", "cdr_sb_rated 5.5"),
    ("Hippocampal volume 6.21 mL.", "hippocampal_volume_mri 6.21"),
    ("The hippocampi measured 6.2 ml together.", "hippocampal_volume_mri 6.2"),
    ("Hippocampal volume 6,2 is not written so, but 6.2 cc is.", "hippocampal_volume_mri 6.2"),
    ("Ventricular volume is 41.3 cm³.", "ventricular_volume_mri 41.3"),
    ("Volume of both hippocampi: 6.2 mL. Volume of the ventricles: 41 mL.",
     "hippocampal_volume_mri 6.2; ventricular_volume_mri 41"),
    ("WMH volume 7.5 mL", "white_matter_hyperintensity_mri 7.5"),
    ("White matter hyperintensities amount to 7.5 mL, from 7.0 mL a year ago.",
     "white_matter_hyperintensity_mri 7.5; white_matter_hyperintensity_mri 7 past"),
    ("Amyloid PET 82 CL.", "amyloid_pet 82"),
    ("Amyloid PET shows 82 Centiloids.", "amyloid_pet 82"),
    ("Amyloid PET 12 March 2024: 82 CL", "amyloid_pet 82"),
    ("Plasma p-tau217 0.84 pg/mL.", "plasma_ptau217 0.84"),
    ("p-tau217 was 0.84 ng/L.", "plasma_ptau217 0.84"),
    ("p-tau 217 of 0.84 pg/ml (reference <0.4)", "plasma_ptau217 0.84"),
    ("Amyloid PET was -3.2 Centiloids.", "amyloid_pet -3.2"),
    ("The amyloid scan fell from 82 to 20 CL on lecanemab.", "amyloid_pet 82 past; amyloid_pet 20; lecanemab present"),
    ("MMSE was repeated. The score was 23/30.", "mmse 23"),
    ("A score of 24 was recorded on the MMSE.", "mmse 24"),
    ("At 24/30, her MMSE is stable.", "mmse 24"),
    ("MMSE on 12/03/2024 was 25.", "mmse 25"),
    ("MMSE (12 March 2024): 25/30", "mmse 25"),
    ("In March 2024 MMSE was 25, today it is 23.", "mmse 25 past; mmse 23"),
    ("MMSE 25 in March 2024, 23 today.", "mmse 25 past; mmse 23"),
    ("Lecanemab 10 mg/kg every 2 weeks, MMSE 23.", "lecanemab present; mmse 23"),
    ("MMSE will be repeated in 6 months.", ""),
    ("MMSE 23 today, review in 6 months.", "mmse 23"),
    ("MMSE 23 was scored by a 75-year-old man.", "mmse 23; age 75; sex male"),
    ("MMSE 24 | CDR-SB 4.5 | Amyloid PET 80 CL", "mmse 24; cdr_sb_rated 4.5; amyloid_pet 80"),
    ("- MMSE: 24/30\n- CDR-SB: 4.5/18\n- Amyloid PET: 80 CL", "mmse 24; cdr_sb_rated 4.5; amyloid_pet 80"),
    # treatments
    ("She is on lecanemab.", "lecanemab present"),
    ("She is not on lecanemab.", "lecanemab absent"),
    ("Lecanemab was started in March 2024.", "lecanemab present"),
    ("Lecanemab was stopped in March 2024.", "lecanemab absent"),
    ("Lecanemab has never been given.", "lecanemab absent"),
    ("She has never received lecanemab.", "lecanemab absent"),
    ("She no longer takes donepezil.", "cholinesterase_inhibitor absent"),
    ("Lecanemab started in March 2023 and stopped in May 2024.", "lecanemab absent"),
    ("Lecanemab was stopped in May and restarted in July.", "lecanemab present"),
    ("Lecanemab was not stopped.", "lecanemab present"),
    ("Continues lecanemab; cholinesterase inhibitor stopped.", "lecanemab present; cholinesterase_inhibitor absent"),
    ("Takes a cholinesterase inhibitor but no lecanemab.", "cholinesterase_inhibitor present; lecanemab absent"),
    ("Neither lecanemab nor a cholinesterase inhibitor has been given.",
     "lecanemab absent; cholinesterase_inhibitor absent"),
    ("Treated with lecanemab and a cholinesterase inhibitor.", "lecanemab present; cholinesterase_inhibitor present"),
    ("Lecanemab was discontinued after ARIA-E.", "lecanemab absent; aria_e present"),
    ("He came off donepezil last year.", "cholinesterase_inhibitor absent"),
    ("No cholinesterase inhibitor.", "cholinesterase_inhibitor absent"),
    ("Lecanemab is being considered.", ""),
    ("We will start lecanemab next month.", ""),
    ("Lecanemab was given until May 2024.", "lecanemab absent"),
    ("Current medication: lecanemab.", "lecanemab present"),
    ("Donepezil was declined.", "cholinesterase_inhibitor absent"),
    # the person
    ("This 72-year-old woman was seen.", "age 72; sex female"),
    ("A 72 year old gentleman.", "age 72; sex male"),
    ("Mr X, aged 81, attended.", "age 81"),
    ("72F with MCI.", "age 72; sex female; mci_diagnosis present"),
    ("She carries one copy of the APOE ε4 allele.", "apoe4 1"),
    ("APOE e4 alleles: 2", "apoe4 2"),
    ("APOE genotype ε3/ε4.", "apoe4 1"),
    ("APOE e4/e4.", "apoe4 2"),
    ("She is homozygous for APOE ε4.", "apoe4 2"),
    ("APOE ε4 non-carrier.", "apoe4 0"),
    ("No APOE e4 allele.", "apoe4 0"),
    ("She has two APOE e4 alleles.", "apoe4 2"),
    ("14 years of education.", "education 14"),
    ("He had fourteen years of education.", "education 14"),
    ("Education: 14 years", "education 14"),
    ("She is of East Asian ancestry.", "ancestry east_asian"),
    ("Polygenic risk score 0.84.", "polygenic_score 0.84"),
]  # fmt: skip

CHARTED = [
    ("Heart rate high.", "heart_rate_charted high"),
    ("Heart rate is high, blood pressure low and oxygen normal.",
     "heart_rate_charted high; systolic_bp_charted low; oxygen_charted normal"),
    ("High heart rate, low blood pressure.", "heart_rate_charted high; systolic_bp_charted low"),
    ("HR high, SBP normal, sats low.", "heart_rate_charted high; systolic_bp_charted normal; oxygen_charted low"),
    ("Tachycardic and hypotensive.", "heart_rate_charted high; systolic_bp_charted low"),
    ("Hypoxic, on mechanical ventilation.", "oxygen_charted low; ventilation present"),
    ("Oxygen saturation within normal limits.", "oxygen_charted normal"),
    ("Blood pressure has come up from low to normal.", "systolic_bp_charted low past; systolic_bp_charted normal"),
    ("Heart rate now normal (previously high).", "heart_rate_charted normal; heart_rate_charted high past"),
    ("Not hypotensive.", ""),
    ("Antibiotics were started 3 hours ago.", "antibiotics present"),
    ("Vasopressors off, ventilation ongoing.", "vasopressors absent; ventilation present"),
    ("No antibiotics, vasopressors or mechanical ventilation.",
     "antibiotics absent; vasopressors absent; ventilation absent"),
    ("Intubated and ventilated; no pressors.", "ventilation present; vasopressors absent"),
    ("Discharged home.", "discharge present"),
    ("The patient died at 13:00.", "death present"),
    ("Heart rate: low\nBlood pressure: raised", "heart_rate_charted low; systolic_bp_charted high"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SAID)
def test_memory_clinic(readers: dict[str, NoteReader], text: str, expected: str) -> None:
    check(readers["alzheimers"], text, expected)


@pytest.mark.parametrize(("text", "expected"), CHARTED)
def test_hospital(readers: dict[str, NoteReader], text: str, expected: str) -> None:
    check(readers["sepsis"], text, expected, HOUR)


WHEN = [  # what is said, of which variable, how many years from the note, and within how many
    ("MMSE was 24 on 12 March 2024.", "mmse", on(2024, 3, 12), DAY),
    ("MMSE was 24 on March 12, 2024.", "mmse", on(2024, 3, 12), DAY),
    ("MMSE was 24 on 2024-03-12.", "mmse", on(2024, 3, 12), DAY),
    ("MMSE was 24 on 25/03/2024.", "mmse", on(2024, 3, 25), DAY),
    ("MMSE was 24 on 03/25/2024.", "mmse", on(2024, 3, 25), DAY),
    ("MMSE was 24 on 12.03.2024.", "mmse", on(2024, 3, 12), DAY),
    ("09/12/2024. MMSE was 24 on 03/04/2024.", "mmse", on(2024, 3, 4), DAY),
    ("12/09/2024. MMSE was 24 on 03/04/2024.", "mmse", on(2024, 4, 3), DAY),
    ("MMSE was 24 on 12th March 2024.", "mmse", on(2024, 3, 12), DAY),
    ("MMSE was 24 on 25/08.", "mmse", on(2024, 8, 25), DAY),
    ("MMSE was 24 on 25/11.", "mmse", on(2023, 11, 25), DAY),
    ("MMSE was 24 in March 2024.", "mmse", on(2024, 3), 16 * DAY),
    ("MMSE was 24 in Mar 2024.", "mmse", on(2024, 3), 16 * DAY),
    ("MMSE was 24 in 03/2024.", "mmse", on(2024, 3), 16 * DAY),
    ("MMSE was 24 in March.", "mmse", on(2024, 3), 16 * DAY),
    ("MMSE was 24 in November.", "mmse", on(2023, 11), 16 * DAY),
    ("MMSE was 24 in 2022.", "mmse", on(2022, 7, 2), 0.5),
    ("MMSE was 24 six months ago.", "mmse", -0.5, DAY),
    ("MMSE was 24 6 months ago.", "mmse", -0.5, DAY),
    ("MMSE was 24 about 18 months ago.", "mmse", -1.5, DAY),
    ("MMSE was 24 a year and a half ago.", "mmse", -1.5, DAY),
    ("MMSE was 24 half a year ago.", "mmse", -0.5, DAY),
    ("MMSE was 24 two weeks ago.", "mmse", -14 * DAY, DAY),
    ("MMSE was 24 yesterday.", "mmse", -DAY, DAY / 10),
    ("MMSE is 24 today.", "mmse", 0.0, DAY),
    ("MMSE was 24 last year.", "mmse", -1.0, 0.5),
    ("Dementia was diagnosed in May 2021.", "dementia_diagnosis", on(2021, 5), 16 * DAY),
    ("In May 2021 dementia was diagnosed.", "dementia_diagnosis", on(2021, 5), 16 * DAY),
    ("MCI (May 2021)", "mci_diagnosis", on(2021, 5), 16 * DAY),
    ("ARIA-E three months ago.", "aria_e", -0.25, DAY),
    ("Lecanemab was started on 2 January 2024.", "lecanemab", on(2024, 1, 2), DAY),
    ("On lecanemab since January 2024.", "lecanemab", on(2024, 1), 16 * DAY),
    ("She has been on lecanemab for eight months.", "lecanemab", -8 * MONTH, DAY),
    ("Lecanemab was started in January 2023 and stopped in January 2024.", "lecanemab", on(2024, 1), 16 * DAY),
]  # fmt: skip


@pytest.mark.parametrize(("text", "variable", "years", "within"), WHEN)
def test_times(readers: dict[str, NoteReader], text: str, variable: str, years: float, within: float) -> None:
    found = [r for r in readers["alzheimers"].read(text, date=NOTE) if r.variable == variable]
    assert len(found) == 1
    assert found[0].time == pytest.approx(years, abs=within)


def test_times_by_the_hour(readers: dict[str, NoteReader]) -> None:
    hour = 1 / 24 / 365.25
    said = {"Heart rate high 3 hours ago.": -3, "Heart rate high at 13:00.": -1, "Heart rate high at 22:00.": -16}
    for text, hours in said.items():
        (reading,) = readers["sepsis"].read(text, date=HOUR)
        assert reading.time == pytest.approx(hours * hour, abs=0.1 * hour)


def test_both_ends_of_a_change_have_their_time(readers: dict[str, NoteReader]) -> None:
    text = "MMSE fell from 26 to 24 over six months. CDR-SB was 5 in March 2024, having been 4 one year earlier."
    read = {(r.variable, r.past): (r.value, r.time) for r in readers["alzheimers"].read(text, date=NOTE)}
    assert read["mmse", False] == (24, None)
    assert read["mmse", True] == (26, pytest.approx(-0.5, abs=DAY))
    assert read["cdr_sb_rated", False] == (5, pytest.approx(on(2024, 3), abs=16 * DAY))
    assert read["cdr_sb_rated", True] == (4, pytest.approx(on(2023, 3), abs=16 * DAY))


def test_words_stand_where_they_are_said_to(readers: dict[str, NoteReader]) -> None:
    text = "Seen with “Zoë” – 🙂 naïve. No ARIA-E; the MMSE was 24/30 (26 in May)."
    read = {(r.variable, r.past): text[r.start : r.end] for r in readers["alzheimers"].read(text, date=NOTE)}
    assert read == {("aria_e", False): "ARIA-E", ("mmse", False): "MMSE was 24/30", ("mmse", True): "26"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([text for text, _ in SAID]), min_size=1, max_size=4),
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Nd", "Nl", "No")), max_size=20),
)
def test_offsets_slice_to_what_was_read(readers: dict[str, NoteReader], texts: list[str], other: str) -> None:
    text = f"{other}\n\n" + "\n\n".join(texts)
    for reading in readers["alzheimers"].read(text, date=NOTE):
        words = text[reading.start : reading.end]
        assert words
        assert words == words.strip()
        if reading.kind == "value" and words[-1:].isdigit() and "/" not in words and " of " not in words:
            assert words.endswith(f"{reading.value:g}"[-1]) or "." in words


def test_building_again_and_the_order_of_notes_change_nothing(readers: dict[str, NoteReader]) -> None:
    texts = [text for text, _ in SAID]
    alone = [readers["alzheimers"].read(text, date=NOTE) for text in texts]
    again = build_reader(readers["alzheimers"].lexicon)
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    together = list(again.read_many((texts[i], NOTE) for i in order))
    assert [together[order.index(i)] for i in range(len(texts))] == alone


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "…", "No.", "24", "0" * 400, "MMSE " * 50, "(((((", "12/13/2024 31/02/2024", "a hundred and"],
)
def test_odd_texts_are_read_without_a_word_invented(readers: dict[str, NoteReader], text: str) -> None:
    assert readers["alzheimers"].read(text, date=NOTE) == []
