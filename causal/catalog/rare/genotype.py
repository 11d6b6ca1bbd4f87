"""The patient's variables: sex, genotype, heteroplasmy, and the probability of having the disease.

In a cohort of affected people, genotypes are drawn among those that cause the disease. In a `population`, they are as
frequent as the prevalence implies. If both copies of a gene must be altered, the prevalence gives the frequency q of
altered copies, and so the number of healthy carriers of one copy: the Hardy-Weinberg proportions q^2, 2q(1 - q) and
(1 - q)^2, which assume random mating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....ontology.hpo import Gene
from .entries import DraftParameter, DraftVariable, write_number
from .inheritance import BIALLELIC, THRESHOLD, X_RECESSIVE, Inheritance, Shares

CARRIER = "heterozygous_carrier"
ALLELE = "allele_frequency"
X_ALLELE = "x_allele_frequency"


def place_sex(share: str, *, causes: Mapping[str, tuple[str, ...]] | None = None) -> DraftVariable:
    """Sex, with the share of women from a parameter or from a variable among the `causes`."""
    mechanism = f'Categorical("female": {share}, "male": 1 - {share})'
    return DraftVariable("sex", "static", mechanism, title="Sex", causes=causes or {})


def place_genotype(
    inheritance: Inheritance,
    *,
    prefix: str = "",
    drawn: str = "",
    population: bool = False,
    genes: Sequence[Gene] = (),
) -> tuple[list[DraftParameter], list[DraftVariable]]:
    """Penetrance, genotype and, for mitochondrial inheritance, heteroplasmy. `drawn` is the condition under which a
    patient of a mixture has this disease; `population` draws everybody, not only people with the genotype."""
    value, uncertain, words = inheritance.penetrance
    said = words or "whoever has the genotype falls ill, nothing else is annotated"
    title = f"Penetrance: {said}" if inheritance.genotypes else "Everybody who is drawn has the disease"
    parameters = [DraftParameter(f"{prefix}penetrance", value, uncertain=uncertain, unit="1", title=title)]
    if not inheritance.genotypes:
        return ([], []) if population else (parameters, [])
    if population:
        parameters += place_alleles(inheritance)
    variables = [_genotype(inheritance, prefix, drawn, population, genes)]
    if "heteroplasmic" in inheritance.genotypes:
        title = "Share of altered mitochondrial DNA from which on a carrier falls ill"
        parameters.append(DraftParameter(f"{prefix}heteroplasmy_threshold", THRESHOLD, unit="1", title=title))
        title = "Heteroplasmy: share of mitochondrial DNA that is altered, in carriers"
        variables.append(DraftVariable(f"{prefix}heteroplasmy", "static", "Beta(8, 2)", title=title, unit="1"))
    return parameters, variables


def _genotype(
    inheritance: Inheritance, prefix: str, drawn: str, population: bool, genes: Sequence[Gene]
) -> DraftVariable:
    weights = weigh_population(inheritance) if population else weigh_affected(inheritance)
    if drawn:
        weights = {level: f"where({drawn}, {w}, {int(level == 'reference')})" for level, w in weights.items()}
    text = ", ".join(f'"{level}": {weight}' for level, weight in weights.items())
    causes: dict[str, tuple[str, ...]] = {"diagnosis": ()} if drawn else {}
    if "sex ==" in text:
        causes["sex"] = inheritance.citations
    of = f" ({', '.join(gene.symbol for gene in genes)})" if genes else ""
    title = f"Genotype{of}: {inheritance.comments[0]}"
    concept = genes[0].curie if len(genes) == 1 else ""
    return DraftVariable(
        f"{prefix}genotype", "static", f"Categorical({text})", title=title, concept=concept, causes=causes
    )


def weigh_affected(inheritance: Inheritance) -> dict[str, str]:
    """The weights of each genotype among affected people, as expressions."""
    genotypes = inheritance.genotypes
    men = sum(shares[0] for shares in genotypes.values())
    women = sum(shares[1] for shares in genotypes.values())
    weights = {
        level: choose_by_sex(of_men / men if men else 0.0, of_women / women if women else 0.0)
        for level, (of_men, of_women) in genotypes.items()
    }
    return weights | {"reference": choose_by_sex(float(not men), float(not women))}


def choose_by_sex(men: float, women: float) -> str:
    if abs(men - women) < 1e-12:
        return write_number(men)
    return f'where(sex == "male", {write_number(men)}, {write_number(women)})'


def write_chance(
    inheritance: Inheritance, *, prefix: str = "", population: bool = False
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The probability of having the disease as an expression, and the causes that it reads."""
    if not inheritance.genotypes:
        return "prevalence" if population else f"{prefix}penetrance", {}
    causes = {f"{prefix}genotype": inheritance.citations}
    healthy = f'{prefix}genotype == "reference"'
    if population and has_carriers(inheritance):
        healthy += f' or {prefix}genotype == "{CARRIER}"'
    if "heteroplasmic" in inheritance.genotypes:
        few = f"{prefix}heteroplasmy < {prefix}heteroplasmy_threshold"
        only = len(inheritance.genotypes) == 1
        healthy += f" or {few}" if only else f' or ({prefix}genotype == "heteroplasmic" and {few})'
        causes[f"{prefix}heteroplasmy"] = ()
    if inheritance.limited:
        healthy += f' or sex != "{inheritance.limited}"'
        causes["sex"] = inheritance.citations
    return f"where({healthy}, 0, {prefix}penetrance)", causes


def has_carriers(inheritance: Inheritance) -> bool:
    """Whether there are healthy carriers of one altered copy."""
    return inheritance.recessive > 0 or inheritance.x_recessive > 0


def place_alleles(inheritance: Inheritance) -> list[DraftParameter]:
    """The frequencies of altered copies, which follow from the prevalence.

    If a share s of the patients has the disease by two copies on autosomes, q^2 = s * prevalence / penetrance. On the X
    chromosome one copy is enough for a man, and half of all people are men: (q + q^2) / 2 has that value.
    """
    parameters = []
    if inheritance.recessive:
        formula = f"sqrt(min({_prevalence(inheritance.recessive, inheritance)}, 1))"
        title = "Share of altered copies of the gene, by Hardy and Weinberg, of which the square is ill"
        parameters.append(DraftParameter(ALLELE, formula=formula, unit="1", title=title))
    if inheritance.x_recessive:
        formula = f"(sqrt(1 + 8 * min({_prevalence(inheritance.x_recessive, inheritance)}, 1)) - 1) / 2"
        title = "Share of altered copies on the X chromosome, by Hardy and Weinberg; half of all people are men"
        parameters.append(DraftParameter(X_ALLELE, formula=formula, unit="1", title=title))
    return parameters


def _prevalence(share: float, inheritance: Inheritance) -> str:
    """The prevalence of the genotypes of this share of the patients, as an expression."""
    part = share / inheritance.expressing
    return "prevalence / penetrance" if part == 1 else f"{write_number(part)} * prevalence / penetrance"


def weigh_population(inheritance: Inheritance) -> dict[str, str]:
    """The weights of each genotype in the population, as expressions; `reference` has the rest."""
    scale = 2 / inheritance.expressing
    rest = dict(inheritance.genotypes)
    for shares, part in ((BIALLELIC, inheritance.recessive), (X_RECESSIVE, inheritance.x_recessive)):
        rest = _subtract(rest, shares, part) if part else rest
    parts: dict[str, list[str]] = {
        level: [_times_prevalence(choose_by_sex(men * scale, women * scale))]
        for level, (men, women) in rest.items()
        if men + women > 1e-9
    }
    single = not parts and not (inheritance.recessive and inheritance.x_recessive)
    others = ""
    if inheritance.recessive:
        half = f"{ALLELE} ** 2 / 2"  # homozygous or compound heterozygous, equally
        _add(parts, dict.fromkeys(BIALLELIC, half) | {CARRIER: f"2 * {ALLELE} * (1 - {ALLELE})"})
        others = f"(1 - {ALLELE}) ** 2"
    if inheritance.x_recessive:
        women = {"homozygous": f"{X_ALLELE} ** 2", CARRIER: f"2 * {X_ALLELE} * (1 - {X_ALLELE})"}
        _add(parts, {level: f'where(sex == "female", {text}, 0)' for level, text in women.items()})
        _add(parts, {"hemizygous": f'where(sex == "male", {X_ALLELE}, 0)'})
        others = f'where(sex == "male", 1 - {X_ALLELE}, (1 - {X_ALLELE}) ** 2)'
    weights = {level: " + ".join(texts) for level, texts in parts.items()}
    if not single:
        others = f"max(1 - ({' + '.join(weights.values())}), 0)"
    return weights | {"reference": others}


def _times_prevalence(share: str) -> str:
    return "prevalence / penetrance" if share == "1" else f"prevalence / penetrance * {share}"


def _subtract(shares: Shares, own: Shares, part: float) -> Shares:
    return {
        level: (men - part * own.get(level, (0.0, 0.0))[0], women - part * own.get(level, (0.0, 0.0))[1])
        for level, (men, women) in shares.items()
    }


def _add(parts: dict[str, list[str]], weights: dict[str, str]) -> None:
    for level, text in weights.items():
        parts.setdefault(level, []).append(text)
