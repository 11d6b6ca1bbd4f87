"""Genotype causes disease: modes of inheritance as HPO annotates them, penetrance, and which genotypes are drawn.

In a cohort of affected people, genotypes are drawn among those that cause the disease, so nearly everybody who is drawn
enters; sex follows from the mode. The modes are those below HP:0000005, with the definitions in hp.obo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ....ontology.hpo import Annotation
from ....ontology.vocabulary import CITATION

RARE_ALLELE = 0.001  # assumed: for an X-linked variant, the ratio of homozygous women to men who have it
PREVALENCE = 1e-4
THRESHOLD = 0.6  # assumed: the share of altered mitochondrial DNA at which a carrier falls ill
DE_NOVO = 0.95  # assumed, of "exclusively or predominantly" (HP:0025352)

# genotype -> shares of men and of women with it, of all people with a genotype of the disease
Shares = dict[str, tuple[float, float]]
_AUTOSOMAL = {"heterozygous": (0.5, 0.5)}
BIALLELIC: Shares = {"homozygous": (0.25, 0.25), "compound_heterozygous": (0.25, 0.25)}
X_RECESSIVE: Shares = {
    "hemizygous": (1 / (1 + RARE_ALLELE), 0.0),
    "homozygous": (0.0, RARE_ALLELE / (1 + RARE_ALLELE)),
}
_X_DOMINANT = {"hemizygous": (1 / 3, 0.0), "heterozygous": (0.0, 2 / 3)}
_X_EITHER = {
    "hemizygous": ((X_RECESSIVE["hemizygous"][0] + 1 / 3) / 2, 0.0),
    "heterozygous": (0.0, 1 / 3),
    "homozygous": (0.0, X_RECESSIVE["homozygous"][1] / 2),
}
_X_WORDS = "women have two X chromosomes: their share follows from the mode of inheritance"

# mode -> its genotypes, and a description
MODES: dict[str, tuple[Shares, str]] = {
    "HP:0000006": (_AUTOSOMAL, "autosomal dominant: one altered copy is enough"),
    "HP:0000007": (BIALLELIC, "autosomal recessive: both copies are altered, alike or each in its own way (equally)"),
    "HP:0001419": (X_RECESSIVE, f"X-linked recessive; {_X_WORDS}"),
    "HP:0001423": (_X_DOMINANT, f"X-linked dominant; {_X_WORDS} (two women to a man)"),
    "HP:0001417": (_X_EITHER, "X-linked, recessive or dominant is not said: taken as either, equally"),
    "HP:0001427": ({"heteroplasmic": (0.5, 0.5)}, "mitochondrial: whoever has enough altered copies falls ill"),
    "HP:0001450": ({"hemizygous_y": (1.0, 0.0)}, "Y-linked: men only"),
    "HP:0032113": (
        {"heterozygous": (0.25, 0.25), "homozygous": (0.25, 0.25)},
        "semidominant: one altered copy or two, equally",
    ),
    "HP:0034340": (_AUTOSOMAL, "pseudoautosomal dominant: one altered copy is enough"),
    "HP:0034341": (BIALLELIC, "pseudoautosomal recessive: both copies are altered"),
    "HP:0010984": ({"digenic": (0.5, 0.5)}, "digenic: altered copies of two genes together"),
    "HP:0010983": ({"oligogenic": (0.5, 0.5)}, "oligogenic: altered copies of a few genes together"),
    "HP:0001466": ({"deletion_or_duplication": (0.5, 0.5)}, "a contiguous gene syndrome: neighbouring genes together"),
    "HP:0001442": ({"mosaic": (0.5, 0.5)}, "somatic mosaicism: some of the cells are altered"),
    "HP:0032382": ({"uniparental_disomy": (0.5, 0.5)}, "uniparental disomy: both copies from one parent"),
    "HP:0032383": ({"uniparental_disomy": (0.5, 0.5)}, "uniparental heterodisomy: both copies from one parent"),
    "HP:0032384": ({"uniparental_disomy": (0.5, 0.5)}, "uniparental isodisomy: one copy of one parent, twice"),
    "HP:0012274": (
        {"heterozygous_from_mother": (0.5, 0.5)},
        "autosomal dominant, silent when it comes from the father",
    ),
    "HP:0012275": (
        {"heterozygous_from_father": (0.5, 0.5)},
        "autosomal dominant, silent when it comes from the mother",
    ),
}
# mode -> the share of its patients who are ill by two altered copies, while one makes a healthy carrier
RECESSIVE = {"HP:0000007": 1.0, "HP:0034341": 1.0}
RECESSIVE_ON_X = {"HP:0001419": 1.0, "HP:0001417": 0.5}
# qualifiers that say how a dominant genotype arises; they are not modes of their own
REFINES = ("HP:0001442", "HP:0001466", "HP:0012274", "HP:0012275", "HP:0032382", "HP:0032383", "HP:0032384")
DE_NOVO_MODES = {"HP:0025352": DE_NOVO, "HP:0003745": 0.5}  # typically de novo; sporadic (its share assumed)
NO_GENOTYPE = {
    "HP:0001426": "non-Mendelian: no one genotype causes it",
    "HP:0010982": "polygenic: no one genotype causes it",
    "HP:0003745": "sporadic: nothing is said of a genotype",
}
PENETRANCES = {  # HPO's ranges if it suggests any, otherwise assumed: value, uncertainty, words
    "HP:4000158": (0.9, "Uniform(0.8, 1)", "high penetrance, at least 80% by HPO's definition"),
    "HP:4000159": (0.5, "Uniform(0.2, 0.8)", "moderate penetrance, 20 to 80% by HPO's definition"),
    "HP:4000160": (0.1, "Uniform(0, 0.2)", "low penetrance, less than 20% by HPO's definition"),
    "HP:0003829": (0.8, "Beta(8, 2)", "incomplete penetrance, a number is not annotated"),
    "HP:0034950": (1.0, "", "complete penetrance"),
}
LIMITED = {"HP:0001475": "male", "HP:0034344": "female"}
SAID = {  # what changes nothing here, but is mentioned
    "HP:0001470": "limited to one sex, which is not said",
    "HP:0003743": "anticipation (earlier and worse in later generations)",
    "HP:0003744": "anticipation, mostly from the father",
    "HP:0003831": "age-related onset",
    "HP:0034338": "imprinted, of which parent is not said",
    "HP:0034343": "requires heterozygosity",
    "HP:0034857": "highly variable age of onset",
    "HP:0034335": "a qualifier without more",
}


@dataclass(frozen=True)
class Inheritance:
    """How a disease is inherited: its genotypes with the shares of men and women who have them (all sum to 1)."""

    genotypes: Shares
    penetrance: tuple[float, str, str]
    limited: str  # the only sex that falls ill, or ""
    citations: tuple[str, ...]
    comments: tuple[str, ...]
    assumed: tuple[str, ...]  # kinds of assumption, for the survey
    recessive: float = 0.0  # the share of patients who are ill by both copies of a gene on an autosome
    x_recessive: float = 0.0  # the same on the X chromosome, where men have one copy

    @property
    def female_share(self) -> float:
        """The share of women among affected people."""
        return sum(women for _, women in self.genotypes.values()) if self.genotypes else 0.5

    @property
    def expressing(self) -> float:
        """The share of people with a genotype whose heteroplasmy is high enough to fall ill; 1 without heteroplasmy."""
        below = 9 * THRESHOLD**8 - 8 * THRESHOLD**9  # the distribution function of Beta(8, 2)
        return 1 - below * sum(self.genotypes.get("heteroplasmic", (0.0, 0.0)))


def read_inheritance(annotations: Sequence[Annotation], *, population: bool = False) -> Inheritance:
    """What the rows of aspect I say together; several modes are assumed to be equally common.

    `population`: the comments are about everybody, not only about affected people.
    """
    rows = {row.phenotype: row for row in annotations if row.aspect == "I" and not row.absent}
    comments, assumed = [], []
    modes = [mode for mode in MODES if mode in rows]
    refining = [mode for mode in modes if mode in REFINES]
    if refining and "HP:0000006" in modes:
        modes.remove("HP:0000006")
    if "HP:0001417" in modes and ("HP:0001419" in modes or "HP:0001423" in modes):
        modes.remove("HP:0001417")
    if not modes and "HP:0025352" in rows:
        modes = ["HP:0000006"]
    genotypes = _mix([MODES[mode][0] for mode in modes])
    comments += [MODES[mode][1] for mode in modes]
    if len(modes) > 1:
        comments.append("several modes are annotated: taken as equally common")
        assumed.append("modes of inheritance equally common")
    for mode, share in DE_NOVO_MODES.items():
        if mode in rows and "heterozygous" in genotypes and "heterozygous_de_novo" not in genotypes:
            men, women = genotypes["heterozygous"]
            genotypes["heterozygous_de_novo"] = (men * share, women * share)
            genotypes["heterozygous"] = (men * (1 - share), women * (1 - share))
            comments.append(f"{'typically de novo' if share == DE_NOVO else 'sporadic too'}: {share:.0%} assumed new")
    if not genotypes:
        said = [NO_GENOTYPE[mode] for mode in NO_GENOTYPE if mode in rows]
        comments += said or ["no mode of inheritance is annotated: no genotype"]
        assumed.append("no genotype")
    comments += [f"{SAID[mode]}: said here, changes nothing" for mode in SAID if mode in rows]
    unknown = [
        m for m in rows if not any(m in k for k in (MODES, DE_NOVO_MODES, NO_GENOTYPE, PENETRANCES, LIMITED, SAID))
    ]
    comments += [f"{mode} is left out" for mode in unknown]
    recessive, x_recessive = (
        sum(table.get(mode, 0.0) for mode in modes) / max(len(modes), 1) for table in (RECESSIVE, RECESSIVE_ON_X)
    )
    if population and (recessive or x_recessive):
        comments.append("healthy carriers of one altered copy follow from the prevalence: random mating is assumed")
    elif x_recessive:
        comments.append(f"a woman is assumed to have two altered copies {RARE_ALLELE:g} times as often as a man one")
    limited = next((LIMITED[mode] for mode in LIMITED if mode in rows), "")
    if limited:
        genotypes = _limit(genotypes, limited)
        comments.append(f"only the {limited} sex falls ill")
    penetrance = next((PENETRANCES[mode] for mode in PENETRANCES if mode in rows), (1.0, "", ""))
    if genotypes:
        assumed.append("penetrance complete" if not penetrance[2] else "penetrance, a number")
    references = (ref for mode in (modes or rows) if mode in rows for ref in rows[mode].references)
    two_copies = (0.0, 0.0) if limited else (recessive, x_recessive)
    return Inheritance(genotypes, penetrance, limited, cite(references), tuple(comments), tuple(assumed), *two_copies)


def cite(references: Iterable[str]) -> tuple[str, ...]:
    """The references that can be evidence, each once."""
    return tuple(dict.fromkeys(reference for reference in references if CITATION.fullmatch(reference)))


def _mix(modes: Sequence[Shares]) -> Shares:
    mixed: Shares = {}
    for shares in modes:
        for level, (men, women) in shares.items():
            before = mixed.get(level, (0.0, 0.0))
            mixed[level] = (before[0] + men / len(modes), before[1] + women / len(modes))
    return mixed


def _limit(genotypes: Shares, sex: str) -> Shares:
    kept = {level: (men * (sex == "male"), women * (sex == "female")) for level, (men, women) in genotypes.items()}
    total = sum(men + women for men, women in kept.values())
    return {level: (men / total, women / total) for level, (men, women) in kept.items()} if total else genotypes
