"""Phenopackets: accepted by hpo-toolkit's validators, true to the run, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from google.protobuf.json_format import Parse
from phenopackets.schema.v2 import Phenopacket, Sex, VitalStatus

from nosograph.causal.catalog.rare import convert_disease, convert_mixture
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.annotations import find_genes, list_diseases
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.exports import phenopacket as phenopacket_module
from nosograph.renderers.exports.phenopacket import PacketWriter, export_phenopackets, write_age
from nosograph.simulate.cohort import Run, open_run, simulate_to
from nosograph.simulate.listing.phenotypes import find_phenotypes

from ... import hpo_toolkit

FILE = Path(__file__).parents[2] / "models" / "phenotypes.yaml"
MODEL = load_model(FILE)
PEOPLE = 250


def write(folder: Path, **keys: Any) -> Run:
    arguments = {"patients": PEOPLE, "seed": 2, "worlds": ["short: long_fingers = 0"], "shard_size": 150, **keys}
    simulate_to(keys.pop("model", MODEL), folder, **{k: v for k, v in arguments.items() if k != "model"})
    return open_run(folder)


def read(files: list[Path]) -> list[Phenopacket]:
    return [Parse(file.read_text(), Phenopacket()) for file in files]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write(tmp_path_factory.mktemp("packets") / "run")


@pytest.fixture(scope="module")
def packets(run: Run) -> list[Phenopacket]:
    return read(export_phenopackets(run))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Phenopacket]]:
    run = write(tmp_path_factory.mktemp("packets") / "listed", clinic="listing=4, imprecise=0.3, incidental=1")
    return run, read(export_phenopackets(run))


@pytest.fixture(scope="module")
def truth(run: Run) -> pd.DataFrame:
    held = run.table("truth").to_pandas()
    return held[held["world"] == "factual"].set_index(["patient", "time"])


def check(packet: Phenopacket) -> None:
    """hpo-toolkit's three validators, no term beside an excluded one above it, none of the other sex."""
    from hpotk.model import TermId
    from hpotk.validate import (
        AnnotationPropagationValidator,
        ObsoleteTermIdsValidator,
        PhenotypicAbnormalityValidator,
        ValidationRunner,
    )

    toolkit = hpo_toolkit.load_toolkit()
    rules = (AnnotationPropagationValidator, ObsoleteTermIdsValidator, PhenotypicAbnormalityValidator)
    present = [f.type.id for f in packet.phenotypic_features if not f.excluded]
    absent = [f.type.id for f in packet.phenotypic_features if f.excluded]
    for terms in (present, absent):
        found = ValidationRunner([rule(toolkit) for rule in rules]).validate_all([TermId.from_curie(t) for t in terms])
        assert found.is_ok(), (packet.id, found.results)
    for term in present:
        assert not ({term} | hpo_toolkit.ancestors(term)) & set(absent), packet.id
        assert len(present) == len(set(present))
    other = "HP:0010461" if packet.subject.sex == Sex.FEMALE else "HP:0010460"
    assert not any(other in hpo_toolkit.ancestors(term) for term in present), packet.id


def test_hpo_toolkit_accepts_every_packet(packets: list[Phenopacket], listed: tuple[Run, list[Phenopacket]]) -> None:
    assert len(packets) == len(listed[1]) == PEOPLE
    for packet in [*packets, *listed[1]]:
        check(packet)


def test_the_check_can_fail() -> None:
    def say(*terms: tuple[str, bool]) -> Phenopacket:
        features = [{"type": {"id": term}, "excluded": excluded} for term, excluded in terms]
        return Parse(json.dumps({"phenotypicFeatures": features, "subject": {"sex": "FEMALE"}}), Phenopacket())

    check(say(("HP:0001166", False), ("HP:0000545", True)))
    for wrong in (
        say(("HP:0001166", False), ("HP:0100807", False)),
        say(("HP:0001166", False), ("HP:0100807", True)),
        say(("HP:0001166", True), ("HP:0100807", True)),
        say(("HP:0000047", False)),
        say(("HP:0000006", False)),
    ):
        with pytest.raises(AssertionError):
            check(wrong)


def test_features_are_the_most_specific_present_and_the_most_general_absent(
    packets: list[Phenopacket], truth: pd.DataFrame
) -> None:
    found = find_phenotypes(MODEL, knowledge=KnowledgeGraph.open())
    ever = truth[list(found.names)].groupby("patient").max() > 0
    lived = truth["affected"].notna().groupby("patient").all()  # and so were examined, at the horizon
    noted = {v.of for v in MODEL.variables.values() if v.kind == "measurement"}
    for patient, packet in enumerate(packets):
        own = {c for name, c in zip(found.names, found.concepts, strict=True) if ever.loc[patient, name]}
        lacks = {c for n, c in zip(found.names, found.concepts, strict=True) if n in noted and not ever.loc[patient, n]}
        above = set().union(*(hpo_toolkit.ancestors(term) for term in own))
        present = {f.type.id for f in packet.phenotypic_features if not f.excluded}
        absent = {f.type.id for f in packet.phenotypic_features if f.excluded}
        assert present == own - above
        expected = {t for t in lacks - above if not hpo_toolkit.ancestors(t) & (lacks - above)}
        assert absent == (expected if lived[patient] else set())


def test_onset_is_exact_where_the_model_has_an_age_and_else_when_it_was_first_seen(
    packets: list[Phenopacket], truth: pd.DataFrame
) -> None:
    exact = seen = 0
    for patient, packet in enumerate(packets):
        own = truth.loc[patient]
        onsets = {f.type.id: f.onset.age.iso8601duration for f in packet.phenotypic_features if not f.excluded}
        if "HP:0100807" in onsets and own["limb_abnormality"].max() > 0:  # it reads `onset`
            assert onsets["HP:0100807"] == write_age(own["onset"].iloc[0])
            exact += 1
        if "HP:0000545" in onsets:
            assert onsets["HP:0000545"] == "P10Y"
            seen += 1
    assert min(exact, seen) > 30


def test_subjects_are_dated_and_the_dead_are_dead(run: Run, packets: list[Phenopacket], truth: pd.DataFrame) -> None:
    events = run.events.to_pandas()
    deaths = events[(events["event"] == "death") & (events["world"] == "factual")].set_index("patient")["time"]
    assert 30 < len(deaths) < PEOPLE
    for patient, packet in enumerate(packets):
        subject = packet.subject
        last = truth.loc[patient]["sex"].dropna().index[-1]
        assert subject.time_at_last_encounter.age.iso8601duration == write_age(last)
        if patient in deaths:
            assert subject.vital_status.status == VitalStatus.DECEASED
            assert subject.vital_status.time_of_death.age.iso8601duration == write_age(deaths[patient])
            assert deaths[patient] >= last
        else:
            assert subject.vital_status.status == VitalStatus.ALIVE
        assert subject.sex == {"female": Sex.FEMALE, "male": Sex.MALE}[truth.loc[patient]["sex"].iloc[0]]


def test_disease_and_genotype_are_those_of_the_affected(packets: list[Phenopacket], truth: pd.DataFrame) -> None:
    for patient, packet in enumerate(packets):
        affected = truth.loc[patient]["affected"].iloc[0] > 0
        assert [disease.term.id for disease in packet.diseases] == (["OMIM:154700"] if affected else [])
        assert len(packet.interpretations) == affected
        for interpretation in packet.interpretations:
            (genomic,) = interpretation.diagnosis.genomic_interpretations
            descriptor = genomic.variant_interpretation.variation_descriptor
            assert descriptor.gene_context.value_id == "HGNC:3603"
            assert descriptor.allelic_state.id == "GENO:0000135"
            assert not descriptor.HasField("variation")


def test_measurements_are_those_of_the_record(run: Run, packets: list[Phenopacket]) -> None:
    record = run.record.to_pandas()
    echo = record[(record["variable"] == "aortic_diameter_echo") & (record["world"] == "factual")]
    values = echo.set_index("patient")["value"]
    for patient, packet in enumerate(packets):
        held = [m for m in packet.measurements if m.assay.id == "HP:0002616"]
        assert len(packet.measurements) == len(held) == (patient in values)
        for measurement in held:
            assert measurement.value.quantity.value == pytest.approx(float(values[patient]), rel=1e-6)
            assert measurement.value.quantity.unit.id == "UCUM:mm"
            assert measurement.time_observed.age.iso8601duration == "P20Y"


def test_a_packet_says_what_the_clinic_wrote(listed: tuple[Run, list[Phenopacket]]) -> None:
    run, packets = listed
    listing = run.listing.to_pandas().astype("object")
    written = (
        listing[(listing["world"] == "factual") & listing["concept"].notna()].groupby("patient")["concept"].agg(set)
    )
    for patient, packet in enumerate(packets):
        own = written.get(patient, set())
        above = set().union(*(hpo_toolkit.ancestors(term) for term in own))
        assert {f.type.id for f in packet.phenotypic_features} == own - above
        assert not any(f.excluded for f in packet.phenotypic_features)


def test_metadata_names_the_release_and_no_clock(packets: list[Phenopacket]) -> None:
    for packet in packets:
        meta = packet.meta_data
        assert meta.created_by == "nosograph"
        assert meta.created.ToJsonString() == "2025-01-16T00:00:00Z"
        assert {r.namespace_prefix: r.version for r in meta.resources}["HP"] == "2025-01-16"
        prefixes = {f.type.id.partition(":")[0] for f in packet.phenotypic_features}
        prefixes |= {d.term.id.partition(":")[0] for d in packet.diseases}
        prefixes |= {m.value.quantity.unit.id.partition(":")[0] for m in packet.measurements}
        assert prefixes <= {r.namespace_prefix for r in meta.resources}


def test_the_same_bytes_for_any_shards_and_choice(run: Run, tmp_path: Path) -> None:
    other = write(tmp_path / "run", shard_size=PEOPLE, patients=120)
    chosen = export_phenopackets(other, patients="3,100-105")
    assert [path.name for path in chosen] == ["000003.json", *(f"000{n}.json" for n in range(100, 106))]
    for path in chosen:
        assert path.read_bytes() == (run.folder / "phenopackets" / "factual" / path.name).read_bytes()
    export_phenopackets(run, world="short", patients="0-20")
    assert {path.name for path in run.folder.iterdir()} >= {"phenopackets", "truth"}
    short = read(sorted((run.folder / "phenopackets" / "short").iterdir()))
    assert not any(f.type.id == "HP:0001166" and not f.excluded for p in short for f in p.phenotypic_features)


def test_an_earlier_time_knows_no_more_than_it_can(run: Run, tmp_path: Path) -> None:
    other = write(tmp_path / "run", patients=60)
    for packet in read(export_phenopackets(other, at="5 years")):
        assert packet.subject.time_at_last_encounter.age.iso8601duration in {f"P{n}Y" for n in range(1, 6)} | {"P0D"}
        assert not packet.measurements
        assert not any(f.type.id == "HP:0000545" or f.excluded for f in packet.phenotypic_features)


def test_all_files_or_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write(tmp_path / "run", patients=30)
    before = {path.name for path in other.folder.iterdir()}
    kept = PacketWriter.write

    def break_off(self: PacketWriter, patient: Any) -> str:
        if patient.number == 20:
            raise OSError(28, "No space left on device")
        return kept(self, patient)

    monkeypatch.setattr(phenopacket_module.PacketWriter, "write", break_off)
    with pytest.raises(NosographError, match="disk is full"):
        export_phenopackets(other)
    assert {path.name for path in other.folder.iterdir()} == before


def test_any_model_gives_packets(tmp_path: Path) -> None:
    model = load_model("alzheimers")
    packets = read(export_phenopackets(write(tmp_path / "run", model=model, patients=40, worlds=[], years=3.0)))
    for packet in packets:
        check(packet)
        assert [d.term.id for d in packet.diseases] == ["MONDO:0004975"]
        assert packet.subject.time_at_last_encounter.age.iso8601duration >= "P50Y"
    assays = {m.assay.id for packet in packets for m in packet.measurements}
    assert "HP:0100256" in assays  # of amyloid, in Centiloid
    assert any(f.type.id == "HP:0000726" for packet in packets for f in packet.phenotypic_features)


@pytest.mark.parametrize("mix", ["OMIM:154700", "OMIM:300554=2, OMIM:540000=1"])
def test_converted_diseases_give_packets_with_the_true_diagnosis(mix: str, tmp_path: Path) -> None:
    knowledge = KnowledgeGraph.open()
    made = convert_mixture(mix, knowledge=knowledge) if "=" in mix else convert_disease(mix, knowledge=knowledge)
    (tmp_path / "model.yaml").write_text(made.text)
    run = write(tmp_path / "run", model=load_model(tmp_path / "model.yaml"), patients=60, worlds=[])
    truth = run.table("truth").to_pandas().groupby("patient").first()
    for patient, packet in zip(truth.index, read(export_phenopackets(run)), strict=True):  # not all drawn enter
        check(packet)
        expected = truth["diagnosis"][patient] if "=" in mix else mix
        assert [d.term.id for d in packet.diseases] == [expected]
        symbols = {
            genomic.variant_interpretation.variation_descriptor.gene_context.symbol
            for interpretation in packet.interpretations
            for genomic in interpretation.diagnosis.genomic_interpretations
        }
        assert symbols == {gene.symbol for gene in find_genes(expected, knowledge=knowledge)}


@pytest.mark.verification
def test_packets_of_many_diseases_are_accepted(tmp_path: Path) -> None:
    """Twenty diseases by a fixed seed, thirty patients each, perfect and imperfect: no exception is allowed."""
    knowledge = KnowledgeGraph.open()
    draw = np.random.default_rng(0)
    for number, disease in enumerate(draw.choice(list(list_diseases(knowledge=knowledge)), 20, replace=False)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(convert_disease(str(disease), knowledge=knowledge).text)
        model = load_model(path)
        for clinic in (None, "listing=7, imprecise=0.3, incidental=1"):
            if clinic and not len(find_phenotypes(model, knowledge=knowledge)):
                continue
            folder = tmp_path / f"{number}-{bool(clinic)}"
            run = write(folder, model=model, patients=30, worlds=[], clinic=clinic)
            for packet in read(export_phenopackets(run, knowledge=knowledge)):
                check(packet)


def test_bad_requests_are_named(run: Run, listed: tuple[Run, list[Phenopacket]], tmp_path: Path) -> None:
    for keys, message in (
        ({"world": "shor"}, "no such world"),
        ({"patients": "9999"}, "no such patient"),
        ({"at": "70 years"}, "horizon"),
        ({"at": "2 years, 3 years"}, "one time"),
    ):
        with pytest.raises(NosographError, match=message):
            export_phenopackets(run, **keys)  # type: ignore[arg-type]
    with pytest.raises(NosographError, match="last encounter"):
        export_phenopackets(listed[0], at="5 years")
    thin = write(tmp_path / "thin", patients=20, keep=["sex"])
    with pytest.raises(NosographError, match="kept whole"):
        export_phenopackets(thin)


@pytest.mark.parametrize(
    ("years", "hours", "text"),
    [
        (0.0, False, "P0D"),
        (40.0, False, "P40Y"),
        (40.25, False, "P40Y3M"),
        (1.5 + 10 / 365.25, False, "P1Y6M10D"),
        (1 / 8766, False, "P0D"),
        (1 / 8766, True, "PT1H"),
        (65 + 2 / 365.25 + 200 / 525_960, True, "P65Y2DT3H20M"),
        (39.9999999, False, "P40Y"),
    ],
)
def test_ages_are_iso_8601(years: float, hours: bool, text: str) -> None:
    assert write_age(years, hours=hours) == text


def test_no_age_is_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        write_age(-0.5)


def test_no_ages_where_time_0_is_neither_an_age_nor_birth(tmp_path: Path) -> None:
    """Who comes to intensive care is no newborn."""
    files = export_phenopackets(write(tmp_path / "run", model=load_model("sepsis"), patients=40, worlds=[]))
    packets = read(files)
    assert any(packet.subject.vital_status.status == VitalStatus.DECEASED for packet in packets)
    for packet in packets:
        assert packet.diseases
        assert not packet.subject.HasField("time_at_last_encounter")
    assert not any(word in file.read_text() for file in files for word in ('"age"', '"onset"', "iso8601", '"timeOf'))
