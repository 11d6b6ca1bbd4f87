"""Phenopackets: each patient of a run as one document of GA4GH's Phenopacket Schema, version 2.

Schema: J. O. B. Jacobsen et al., "The GA4GH Phenopacket schema defines a computable representation of clinical data",
Nature Biotechnology 40 (2022), doi:10.1038/s41587-022-01357-4, as the package `phenopackets` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.timestamp_pb2 import Timestamp
from phenopackets.schema import v2

from ...causal.catalog.rare.names import to_name
from ...causal.model.clock import time_of
from ...causal.model.model import Model
from ...errors import fail
from ...ontology.annotations import find_genes
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.output import join_path
from ...ontology.prefixes import find_prefix
from ...simulate.cohort import Run
from ...simulate.listing.phenotypes import ABNORMALITY, ModelPhenotypes, find_phenotypes
from ...simulate.runs.job import add_files
from ...simulate.runs.tables import LISTING
from ..binding import begins_at_birth
from ..selection import choose_patients, find_worlds, parse_times
from .patients import PatientSummary, summarize_patients

SCHEMA = "2.0"
UNKNOWN = "unknown"
ZYGOSITIES = {  # what a genotype's name begins with -> its term in GENO
    "heterozygous": ("GENO:0000135", "heterozygous"),
    "homozygous": ("GENO:0000136", "homozygous"),
    "compound_heterozygous": ("GENO:0000402", "compound heterozygous"),
    "hemizygous": ("GENO:0000134", "hemizygous"),
    "heteroplasmic": ("GENO:0000603", "heteroplasmic"),
}
OTHER_RESOURCES = {  # of prefixes that we write but that are none of the knowledge graph's
    "GENO": ("Genotype Ontology", "http://purl.obolibrary.org/obo/GENO_"),
    "UCUM": ("Unified Code for Units of Measure", "http://unitsofmeasure.org/"),
}
YEAR, MONTH, DAY, HOUR = 525_960, 43_830, 1_440, 60  # minutes; a year is 365.25 days, a month a twelfth of it
SEXES = {"female": v2.Sex.FEMALE, "male": v2.Sex.MALE}


@dataclass(frozen=True)
class Diagnosis:
    """What one patient has: a disease, and the names of the statics of genotype and age at onset that belong to it."""

    disease: str
    genotype: str = "genotype"
    onset: str = "onset"


class PacketWriter:
    """Turns patients of one run into phenopackets."""

    def __init__(self, model: Model, *, world: str, phenotypes: ModelPhenotypes, knowledge: KnowledgeGraph) -> None:
        self.model = model
        self.world = world
        self.phenotypes = phenotypes
        self.knowledge = knowledge
        self.from_birth = begins_at_birth(model)
        self.concepts = dict(zip(phenotypes.names, phenotypes.concepts, strict=True))
        self._labels: dict[str, str] = {}
        self._above: dict[str, frozenset[str]] = {}

    def write(self, patient: PatientSummary) -> str:
        """The phenopacket as JSON, the same text for the same patient; it is read back before it is handed out."""
        packet = self.build(patient)
        text: str = MessageToJson(packet, indent=2) + "\n"
        if Parse(text, v2.Phenopacket()) != packet:
            raise AssertionError(f"the phenopacket of patient {patient.number} is not read back as it was written")
        return text

    def build(self, patient: PatientSummary) -> v2.Phenopacket:
        name = f"patient-{patient.number}"
        packet = v2.Phenopacket(
            id=f"{self.model.id}-{self.world}-{patient.number}",
            subject=self.subject(patient, name),
            phenotypic_features=self.features(patient),
            measurements=self.measurements(patient),
        )
        for number, diagnosis in enumerate(self.diagnoses(patient)):
            disease = v2.Disease(term=self.term(diagnosis.disease))
            onset = patient.statics.get(diagnosis.onset)
            if isinstance(onset, float) and onset <= patient.encounter + self.model.clock.dt:
                _set(disease.onset, self.age(patient, min(max(onset, 0.0), patient.encounter)))
            packet.diseases.append(disease)
            interpretation = self.interpret(patient, diagnosis, name)
            if interpretation is not None:
                interpretation.id = f"{packet.id}-interpretation-{number}"
                packet.interpretations.append(interpretation)
        packet.meta_data.CopyFrom(self.describe(packet))
        return packet

    # Who, and when

    def subject(self, patient: PatientSummary, name: str) -> v2.Individual:
        subject = v2.Individual(
            id=name,
            sex=SEXES.get(patient.statics.get("sex", ""), v2.Sex.UNKNOWN_SEX),
            time_at_last_encounter=self.age(patient, patient.encounter),
            taxonomy=v2.OntologyClass(id="NCBITaxon:9606", label="Homo sapiens"),
        )
        if patient.death is not None:
            subject.vital_status.status = v2.VitalStatus.DECEASED
            _set(subject.vital_status.time_of_death, self.age(patient, patient.death))
        elif not patient.lost:
            subject.vital_status.status = v2.VitalStatus.ALIVE
        return subject

    def age(self, patient: PatientSummary, time: float) -> v2.TimeElement | None:
        """The age at a time since entry: from the static `age`, or from birth; None where neither is known."""
        entry = patient.statics.get("age", 0.0 if self.from_birth else None)
        if entry is None:
            return None
        years = float(entry) + time * self.model.clock.unit
        return v2.TimeElement(age=v2.Age(iso8601duration=write_age(years, hours=self.model.clock.step < 1 / 365)))

    # What is seen

    def features(self, patient: PatientSummary) -> list[v2.PhenotypicFeature]:
        """The most specific present terms, with onset; the most general of those examined and absent, which stand
        neither above nor equal to a present one. What a clinic wrote goes instead of both, where there is a clinic."""
        held: dict[str, float | None]
        if patient.written is None:
            held = {
                self.concepts[name]: time for name, time in sorted(patient.onsets.items(), key=lambda item: -item[1])
            }
        else:
            held = {concept: patient.onsets.get(variable) for concept, variable in reversed(patient.written)}
        above_present = frozenset().union(*(self.above(concept) for concept in held))
        present = [concept for concept in self.ordered(held) if concept not in above_present]
        absent: list[str] = []
        if patient.written is None:
            excluded = {self.concepts[name] for name in patient.examined} - above_present - held.keys()
            absent = [concept for concept in self.ordered(excluded) if not self.above(concept) & excluded]
        features = []
        for concept in present:
            feature = v2.PhenotypicFeature(type=self.term(concept))
            onset = held[concept]
            if onset is not None:
                _set(feature.onset, self.age(patient, onset))
            features.append(feature)
        return features + [v2.PhenotypicFeature(type=self.term(concept), excluded=True) for concept in absent]

    def ordered(self, concepts: Iterable[str]) -> list[str]:
        """In the model's order, then what is not of the model."""
        rank = {concept: place for place, concept in enumerate(self.phenotypes.concepts)}
        return sorted(concepts, key=lambda concept: (rank.get(concept, len(rank)), concept))

    def measurements(self, patient: PatientSummary) -> Iterator[v2.Measurement]:
        """Recorded numbers that have a unit, and a concept of their own or of what they measure. A level is left out:
        no ontology class stands for it."""
        for measured in patient.measured:
            variable = self.model.variables[measured.variable]
            of = self.model.variables.get(variable.of)
            concept = variable.concept or (of.concept if of else "")
            number = isinstance(measured.value, float)
            if number and variable.kind == "measurement" and concept and variable.unit:
                unit = v2.OntologyClass(id=f"UCUM:{variable.unit}", label=variable.unit)
                yield v2.Measurement(
                    assay=self.term(self.knowledge.curie(concept)),
                    value=v2.Value(quantity=v2.Quantity(unit=unit, value=measured.value)),
                    time_observed=self.age(patient, measured.time),
                )

    # What it is

    def diagnoses(self, patient: PatientSummary) -> list[Diagnosis]:
        """The disease that a patient has: of a mixture the true diagnosis, else the model's; none where unaffected."""
        if not patient.statics.get("affected", 1.0):
            return []
        level = patient.statics.get("diagnosis")
        if isinstance(level, str) and ":" in level:  # a mixture's levels are diseases
            return [Diagnosis(self.knowledge.curie(level), f"{to_name(level)}_genotype")]
        return [Diagnosis(self.knowledge.curie(self.model.disease))] if self.model.disease else []

    def interpret(self, patient: PatientSummary, diagnosis: Diagnosis, name: str) -> v2.Interpretation | None:
        """The causal genotype as far as the model knows it: gene and zygosity. No variant is invented: there is none
        in the descriptor."""
        genotype = patient.statics.get(diagnosis.genotype)
        genes = self.genes(diagnosis)
        if not isinstance(genotype, str) or genotype in ("reference", "wild type") or not genes:
            return None
        zygosity = next((ZYGOSITIES[z] for z in sorted(ZYGOSITIES, key=len) if genotype.startswith(z)), None)
        found = []
        for curie, symbol in genes:
            gene = v2.GeneDescriptor(value_id=curie, symbol=symbol)
            variation = v2.VariationDescriptor(
                id=f"{name}-{symbol}", description=genotype.replace("_", " "), gene_context=gene,
                molecule_context=v2.MoleculeContext.genomic,
            )  # fmt: skip
            if zygosity is not None:
                variation.allelic_state.CopyFrom(v2.OntologyClass(id=zygosity[0], label=zygosity[1]))
            status = v2.GenomicInterpretation.CAUSATIVE if len(genes) == 1 else v2.GenomicInterpretation.CANDIDATE
            call = v2.VariantInterpretation(variation_descriptor=variation)
            found.append(
                v2.GenomicInterpretation(
                    subject_or_biosample_id=name, interpretation_status=status, variant_interpretation=call
                )
            )
        solved = v2.Diagnosis(disease=self.term(diagnosis.disease), genomic_interpretations=found)
        return v2.Interpretation(progress_status=v2.Interpretation.SOLVED, diagnosis=solved)

    def genes(self, diagnosis: Diagnosis) -> list[tuple[str, str]]:
        """The gene that the model's genotype names as its concept, or those that HPO associates with the disease."""
        variable = self.model.variables.get(diagnosis.genotype)
        own = self.knowledge.curie(variable.concept) if variable is not None and variable.concept else ""
        if own.partition(":")[0] in ("HGNC", "NCBIGene"):
            return [(own, self.knowledge.label(own) or own)]
        return [
            (gene.curie, gene.symbol or gene.curie) for gene in find_genes(diagnosis.disease, knowledge=self.knowledge)
        ]

    # Terms and where they come from

    def above(self, concept: str) -> frozenset[str]:
        if concept not in self._above:
            self._above[concept] = self.knowledge.ancestors(concept)
        return self._above[concept]

    def term(self, concept: str) -> v2.OntologyClass:
        if concept not in self._labels:
            own = self.model.title if concept == self.model.disease else concept
            self._labels[concept] = self.knowledge.label(concept) or own
        return v2.OntologyClass(id=concept, label=self._labels[concept])

    @cached_property
    def release(self) -> str:
        """The date of the HPO's release."""
        return self.knowledge.release("HP") or UNKNOWN

    def describe(self, packet: v2.Phenopacket) -> v2.MetaData:
        """Metadata. The schema asks for a time of creation: it is the date of the HPO's release, so that a packet
        depends on the run and on nothing else."""
        created = Timestamp()
        if self.release != UNKNOWN:
            created.FromJsonString(f"{self.release}T00:00:00Z")
        prefixes = sorted({"HP", *_prefixes_of(packet)})
        return v2.MetaData(
            created=created,
            created_by="nosograph",
            resources=[resource for resource in map(self.resource, prefixes) if resource is not None],
            phenopacket_schema_version=SCHEMA,
        )

    def resource(self, prefix: str) -> v2.Resource | None:
        known = find_prefix(prefix)
        title, iri = (known.title, known.iri) if known else OTHER_RESOURCES.get(prefix, ("", ""))
        if not title:
            return None
        with_release = ("HP", "OMIM", "ORPHA", "DECIPHER")  # diseases are named as HPO's annotations name them
        version = self.release if prefix in with_release else self.knowledge.release(prefix) or UNKNOWN
        return v2.Resource(
            id=prefix.lower(), name=title, url=iri, version=version, namespace_prefix=prefix, iri_prefix=iri
        )


def write_age(years: float, *, hours: bool = False) -> str:
    """An age in years as an ISO 8601 duration to the day, "P40Y3M12D", or with `hours` to the minute, "P65Y2DT3H20M".
    Nothing is "P0D".

    Raises ValueError for a negative age.
    """
    if years < 0:
        raise ValueError(f"an age is not negative: {years}")
    months, rest = divmod(round(years * YEAR), MONTH)
    days = rest // DAY if hours else round(rest / DAY)
    minutes = rest % DAY if hours else 0
    dated = _write_counts({"Y": months // 12, "M": months % 12, "D": days})
    timed = _write_counts({"H": minutes // HOUR, "M": minutes % HOUR})
    return f"P{dated}T{timed}" if timed else f"P{dated or '0D'}"


def _write_counts(counts: dict[str, int]) -> str:
    return "".join(f"{count}{letter}" for letter, count in counts.items() if count)


def _set(field: v2.TimeElement, age: v2.TimeElement | None) -> None:
    """Left unset where the age is not known."""
    if age is not None:
        field.CopyFrom(age)


def _prefixes_of(message: Any) -> Iterator[str]:
    """The prefixes of all CURIEs that stand in a message's ontology classes and genes."""
    for field, value in message.ListFields():
        values = value if not hasattr(value, "ListFields") and not isinstance(value, str) else [value]
        if field.message_type is None:
            continue
        for item in values:
            if isinstance(item, v2.OntologyClass):
                yield item.id.partition(":")[0]
            elif isinstance(item, v2.GeneDescriptor):
                yield item.value_id.partition(":")[0]
            else:
                yield from _prefixes_of(item)


def export_phenopackets(
    run: Run,
    *,
    patients: str | Iterable[int] | None = None,
    world: str | None = None,
    at: str | None = None,
    knowledge: KnowledgeGraph | None = None,
    progress: Callable[[int], None] = lambda patients: None,
) -> list[Path]:
    """Write one JSON file a patient, `phenopackets/<world>/<patient>.json` in the run's folder: the files.

    `patients` are numbers ("0-11,20"; all by default), `world` is the first by default, `at` a time ("18 months"; by
    default the last encounter). All of the files appear at the end, or none. Raises NosographError.
    """
    chosen = find_worlds(run, world)[0]
    target = join_path(run.folder, "phenopackets", chosen)
    numbers = choose_patients(run, patients)
    if at is not None and LISTING in run.manifest["rows"]:
        fix = "no --at, or a run without --clinic"
        raise fail("the clinic of this run wrote at the last encounter only", value=at, fix=fix)
    steps = parse_times(run, at)
    if steps is not None and len(steps) > 1:
        raise fail("a phenopacket tells of one time", value=at, fix="--at with one time")
    time = time_of(steps[0], clock=run.model.clock) if steps is not None else None
    known = knowledge if knowledge is not None else KnowledgeGraph.open()
    phenotypes = find_phenotypes(run.model, knowledge=known)
    if not len(phenotypes) and not run.model.disease:
        fix = f"a model with a disease, or with a state that is 0 or 1 and has a concept below {ABNORMALITY}"
        raise fail("the model has neither phenotypes nor a disease to tell of", value=run.model.id, fix=fix)
    writer = PacketWriter(run.model, world=chosen, phenotypes=phenotypes, knowledge=known)
    with add_files(run.folder) as files:
        for patient in summarize_patients(run, world=chosen, phenotypes=phenotypes, patients=numbers, at=time):
            content = writer.write(patient).encode()
            files.write_bytes("phenopackets", chosen, name_file(patient.number), content=content)
            progress(1)
    return [target / name_file(number) for number in numbers]


def name_file(patient: int) -> str:
    return f"{patient:06d}.json"
