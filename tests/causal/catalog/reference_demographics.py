"""The demographics model again, in plain NumPy, written from docs/catalog/demographics.md alone.

It is quality control, as stdpopsim does for its catalog: whoever wrote this had not seen the model's document nor the
program. It imports nothing of Nosograph, and stays that way.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Patients = dict[str, NDArray[Any]]

STEPS = 120
MONTH = 1 / 12  # a step, in years
NEVER = np.inf  # the instant of what does not happen


@dataclass(frozen=True)
class Demographics:
    age_mean: float = 72
    age_sd: float = 8.5
    female_share: float = 0.56
    african_share: float = 0.12
    east_asian_share: float = 0.08
    american_share: float = 0.08
    education_mean: float = 14
    education_by_age: float = -0.05
    education_sd: float = 3
    mortality_level: float = -3.8
    mortality_slope: float = 0.093
    mortality_male: float = 0.45


def draw_people(p: Demographics, *, patients: int, rng: np.random.Generator) -> Patients:
    """Age (years), sex, ancestry (both as words) and education (years), each an array (patients,)."""
    age = rng.normal(p.age_mean, p.age_sd, patients)
    sex = np.where(rng.random(patients) < p.female_share, "female", "male")
    shares = {"african": p.african_share, "east_asian": p.east_asian_share, "american": p.american_share}
    shares = {"european": 1 - sum(shares.values()), **shares}
    ancestry = rng.choice(np.array(list(shares)), size=patients, p=np.array(list(shares.values())))
    years = rng.normal(p.education_mean + p.education_by_age * (age - 72), p.education_sd)
    return {"age": age, "sex": sex, "ancestry": ancestry, "education": np.clip(np.rint(years), 0, 24)}


def rate_of_death(p: Demographics, people: Patients, *, t: float) -> Floats:
    """Gompertz's hazard of death from any cause but a modelled disease (patients,), a year, t years after entry."""
    male = (people["sex"] == "male").astype(np.float64)
    level = p.mortality_level + p.mortality_slope * (people["age"] - 75) + p.mortality_male * male
    return np.asarray(np.exp(level) * np.exp(p.mortality_slope * t), dtype=np.float64)


def draw_instants(rate: Floats, *, step: int, rng: np.random.Generator) -> Floats:
    """When within this step an event of this yearly hazard happens, in months after entry; NEVER if it does not
    (patients,)."""
    wait = rng.exponential(1 / rate) / MONTH
    return np.where(wait < 1, step - 1 + wait, NEVER)


def simulate(p: Demographics, *, patients: int, rng: np.random.Generator) -> Patients:
    """People and `death`, the instant of each one's death in months after entry (NEVER if not within ten years)."""
    people = draw_people(p, patients=patients, rng=rng)
    death = np.full(patients, NEVER)
    for step in range(1, STEPS + 1):
        drawn = draw_instants(rate_of_death(p, people, t=step * MONTH), step=step, rng=rng)
        death = np.minimum(death, drawn)  # the first one counts
    return {**people, "death": death}
