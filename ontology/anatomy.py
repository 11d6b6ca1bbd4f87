"""Phenotypes that only one sex has, by annotation or by the anatomy in which the ontology places them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .hpo import Annotation

Sex = Literal["MALE", "FEMALE"]
SEXES: tuple[Sex, Sex] = ("MALE", "FEMALE")

# The most general terms of one sex's anatomy, physiology or course, by their labels in HPO: they and all below them.
ANATOMY: dict[Sex, dict[str, str]] = {
    "MALE": {
        "HP:0010461": "Abnormality of the male genitalia",
        "HP:0012874": "Abnormal male reproductive system physiology",
        "HP:0012863": "Abnormal male germ cell morphology",
        "HP:0033019": "Male reproductive system neoplasm",
        "HP:0012041": "Decreased fertility in males",
        "HP:0008668": "Gonadal dysgenesis, male",
        "HP:0008723": "Gonadal dysgenesis with female appearance, male",
        "HP:0008185": "Precocious puberty in males",
        "HP:0000052": "Urethral atresia, male",
        "HP:0000771": "Gynecomastia",
    },
    "FEMALE": {
        "HP:0010460": "Abnormality of the female genitalia",
        "HP:0030012": "Abnormal female reproductive system physiology",
        "HP:0033338": "Abnormal female meiosis",
        "HP:0033020": "Female reproductive system neoplasm",
        "HP:0000868": "Decreased fertility in females",
        "HP:0010465": "Precocious puberty in females",
        "HP:0008647": "Pubertal developmental failure in females",
        "HP:0012204": "Recurrent vulvovaginal candidiasis",
        "HP:0200148": "Abnormal liver function tests during pregnancy",
        "HP:0200150": "Increased serum bile acid concentration during pregnancy",
    },
}


def find_anatomy(lineage: frozenset[str]) -> Sex | None:
    """The only sex that can have a phenotype, by its anatomy; None if both can. `lineage` is the phenotype with its
    ancestors."""
    found = [sex for sex in SEXES if not lineage.isdisjoint(ANATOMY[sex])]
    return found[0] if len(found) == 1 else None


def split_by_sex(rows: Sequence[Annotation], lineage: frozenset[str]) -> dict[Sex | None, list[Annotation]]:
    """The rows of one phenotype that hold for each sex, or for both under None. A sex without rows never shows it.

    `lineage` is the phenotype with its ancestors. If only one sex has the anatomy, rows are about that sex unless they
    name the other one. Rows that name a sex replace the rows that name none, if they give a frequency.
    """
    stated = {sex: [row for row in rows if row.sex == sex] for sex in SEXES}
    general = [row for row in rows if row.sex not in SEXES]
    anatomy = find_anatomy(lineage)
    if anatomy is None and not any(stated.values()):
        return {None: general}
    split: dict[Sex | None, list[Annotation]] = {}
    for sex in SEXES:
        own = stated[sex]
        if anatomy == sex or (anatomy is None and not any(row.frequency for row in own)):
            own = own + general
        if own:
            split[sex] = own
    return split
