"""Distribution families: how a variable's noise becomes its value."""

from __future__ import annotations

from ...errors import fail, nearest
from .base import Constraint, Family, Noise, Number, log_mass, restrict, satisfies
from .bernoulli import Bernoulli
from .categorical import Categorical
from .counts import Binomial, NegativeBinomial, Poisson
from .gamma import Beta, Gamma
from .hazard import Hazard, chance_within, compete, event_delay
from .logistic import Logistic
from .normal import LogNormal, Normal
from .student import StudentT
from .uniform import Uniform
from .waiting import Exponential, Weibull

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Normal(),
        LogNormal(),
        StudentT(),
        Logistic(),
        Uniform(),
        Exponential(),
        Weibull(),
        Gamma(),
        Beta(),
        Bernoulli(),
        Binomial(),
        Poisson(),
        NegativeBinomial(),
        Categorical(),
        Hazard(),
    )
}


def family_named(name: str) -> Family:
    """The family of this name; NosographError, with the nearest name, where there is none."""
    if name not in FAMILIES:
        guess = nearest(name, FAMILIES)
        raise fail(
            "there is no distribution of this name",
            value=name,
            fix=guess or "one of " + ", ".join(FAMILIES),
        )
    return FAMILIES[name]


__all__ = [
    "FAMILIES",
    "Constraint",
    "Family",
    "Noise",
    "Number",
    "chance_within",
    "compete",
    "event_delay",
    "family_named",
    "log_mass",
    "restrict",
    "satisfies",
]
