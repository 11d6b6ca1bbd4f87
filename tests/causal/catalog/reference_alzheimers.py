"""The Alzheimer's model again, in plain NumPy, written from docs/catalog/alzheimers.md alone.

It is quality control, as stdpopsim does for its catalog: whoever wrote this had not seen the model's document nor the
program. It imports nothing of Nosograph, and stays that way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reference_demographics import (
    MONTH,
    NEVER,
    STEPS,
    Demographics,
    Floats,
    Patients,
    draw_instants,
    draw_people,
    rate_of_death,
)

YEARLY = tuple(range(0, STEPS + 1, 12))
HALF_YEARLY = tuple(range(0, STEPS + 1, 6))
PET_MONTHS = (0, 6, 18, 30, 42, 54, 66, 78, 90, 102, 114)

STATES = (
    "amyloid",
    "tau",
    "hippocampal_volume",
    "ventricular_volume",
    "white_matter_hyperintensity",
    "cognition",
    "cdr_sb",
)
TREATMENTS = ("lecanemab", "cholinesterase_inhibitor")
SCHEDULES = {
    "cdr_sb_rated": HALF_YEARLY,
    "mmse": HALF_YEARLY,
    "amyloid_pet": PET_MONTHS,
    "hippocampal_volume_mri": YEARLY,
    "ventricular_volume_mri": YEARLY,
    "white_matter_hyperintensity_mri": YEARLY,
    "plasma_ptau217": YEARLY,
}
EVENTS = ("death", "dropout", "care_home", "aria_e", "mci_diagnosis", "dementia_diagnosis")


@dataclass(frozen=True)
class Alzheimers(Demographics):
    e4_european: float = 0.32
    e4_african: float = 0.34
    e4_east_asian: float = 0.22
    e4_american: float = 0.23
    frailty_by_age: float = 0.04
    onset_age: float = 71
    onset_by_apoe4: float = 10
    onset_by_polygenic: float = 2.5
    onset_sd: float = 15
    amyloid_growth: float = 0.22
    amyloid_capacity: float = 110
    amyloid_start_sd: float = 4
    amyloid_noise: float = 1.5
    lecanemab_clearance: float = 0.91
    tau_susceptibility_sd: float = 0.23
    tau_start: float = -1.13
    tau_start_by_amyloid: float = 1.42
    tau_by_amyloid: float = 0.0031
    tau_spread: float = 0.15
    tau_capacity: float = 6
    hippocampus_mean: float = 7
    hippocampus_male: float = 0.5
    hippocampus_by_age: float = -0.03
    hippocampus_by_tau: float = -0.6
    hippocampus_sd: float = 0.55
    hippocampus_loss: float = 0.008
    hippocampus_loss_by_tau: float = 0.02
    ventricles_level: float = 3.466
    ventricles_male: float = 0.15
    ventricles_by_age: float = 0.025
    ventricles_by_tau: float = 0.12
    ventricles_sd: float = 0.35
    ventricles_growth: float = 0.025
    ventricles_growth_by_tau: float = 0.02
    hyperintensity_level: float = 1.609
    hyperintensity_by_age: float = 0.05
    hyperintensity_sd: float = 0.8
    hyperintensity_growth: float = 0.06
    reserve_mean: float = -0.71
    reserve_by_education: float = 0.08
    reserve_by_age: float = -0.015
    reserve_by_frailty: float = -0.25
    reserve_sd: float = 0.6
    cognition_by_tau: float = -1.67
    cognition_by_hippocampus: float = 0.3
    cognition_by_hyperintensity: float = -0.015
    cognition_by_inhibitor: float = 0.32
    cognition_pull: float = 4
    cognition_start_sd: float = 0.212
    cognition_noise: float = 0.6
    cdr_sb_midpoint: float = -4.2
    cdr_sb_scale: float = 1.1
    mmse_midpoint: float = -4.9
    mmse_scale: float = 1.3
    cdr_sb_error: float = 0.9
    mmse_error: float = 2
    pet_error: float = 5
    hippocampus_error: float = 0.12
    ventricles_error: float = 0.03
    hyperintensity_error: float = 0.15
    ptau_level: float = -1.2
    ptau_by_amyloid: float = 0.7
    ptau_by_tau: float = 0.2
    ptau_sd: float = 0.25
    missed_visit: float = 0.06
    missed_scan: float = -2.6
    missed_scan_by_severity: float = 0.12
    dementia_mortality: float = -5.3
    dementia_mortality_by_severity: float = 0.2
    dementia_mortality_by_frailty: float = 0.4
    dropout_level: float = -3
    dropout_by_severity: float = 0.08
    dropout_by_support: float = -0.2
    care_home_level: float = -4.5
    care_home_by_severity: float = 0.25
    care_home_by_support: float = -0.7
    mci_threshold: float = 1
    dementia_threshold: float = 4.5
    aria_treated_0: float = 0.062
    aria_treated_1: float = 0.107
    aria_treated_2: float = 0.37
    aria_untreated_0: float = 0.002
    aria_untreated_1: float = 0.013
    aria_untreated_2: float = 0.026
    lecanemab_level: float = -0.85
    lecanemab_by_age: float = -0.035
    lecanemab_by_apoe4: float = -0.3
    lecanemab_by_pet: float = 0.022
    lecanemab_by_severity: float = -0.25
    inhibitor_level: float = -0.6
    inhibitor_by_cognition: float = -1.5
    inhibitor_by_frailty: float = -0.3


@dataclass
class Journeys:
    """What happened to everybody who entered (aged 50 or more).

    statics: name -> (patients,). values: state or treatment -> (patients, months), null (NaN) from the step of death
    on. last: measurement -> (patients, months), its last recorded value by then. recorded: measurement -> (patients,
    visits of its schedule), whether it was recorded. events: name -> (patients,), the instant in months after entry, or
    NEVER. on_record: event -> (patients,), whether the record holds it, if it happened.
    """

    months: tuple[int, ...]
    statics: Patients
    events: dict[str, Floats]
    on_record: dict[str, NDArray[np.bool_]]
    values: dict[str, Floats]
    last: dict[str, Floats]
    recorded: dict[str, NDArray[np.bool_]]


def expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def logit(x: float) -> float:
    return float(np.log(x / (1 - x)))


def draw_statics(p: Alzheimers, *, patients: int, rng: np.random.Generator) -> Patients:
    """Everything drawn once. Those under 50 are drawn too and then left out."""
    people = draw_people(p, patients=patients, rng=rng)
    age, ancestry = people["age"], people["ancestry"]
    others = {"african": p.e4_african, "east_asian": p.e4_east_asian, "american": p.e4_american}
    frequency = np.full(patients, p.e4_european)
    for name, value in others.items():
        frequency[ancestry == name] = value
    apoe4 = rng.binomial(2, frequency)
    score = rng.normal(0, 1, patients)
    support = rng.normal(0, 1, patients)
    frailty = rng.normal(p.frailty_by_age * (age - 72), 1)
    onset = rng.normal(p.onset_age - p.onset_by_apoe4 * apoe4 - p.onset_by_polygenic * score, p.onset_sd)
    susceptibility = np.exp(rng.normal(0, p.tau_susceptibility_sd, patients))
    schooling = p.reserve_by_education * (people["education"] - 14)
    reserve = rng.normal(
        p.reserve_mean + schooling + p.reserve_by_age * (age - 72) + p.reserve_by_frailty * frailty, p.reserve_sd
    )
    statics = people | {
        "apoe4": apoe4,
        "polygenic_score": score,
        "home_support": support,
        "frailty": frailty,
        "amyloid_onset_age": onset,
        "tau_susceptibility": susceptibility,
        "cognitive_reserve": reserve,
    }
    return {name: values[age >= 50] for name, values in statics.items()}


def supported_cognition(p: Alzheimers, s: Patients, now: Patients) -> Floats:
    """What the brain of this moment supports, before any drug (patients,)."""
    return np.asarray(
        s["cognitive_reserve"]
        - p.cognition_by_hippocampus * 7
        + p.cognition_by_tau * now["tau"]
        + p.cognition_by_hippocampus * now["hippocampal_volume"]
        + p.cognition_by_hyperintensity * now["white_matter_hyperintensity"],
        dtype=np.float64,
    )


def severity(p: Alzheimers, cognition: Floats) -> Floats:
    """CDR-SB, 0 to 18, of this cognition."""
    return np.asarray(18 * expit((p.cdr_sb_midpoint - cognition) / p.cdr_sb_scale), dtype=np.float64)


def start_states(p: Alzheimers, s: Patients, *, rng: np.random.Generator) -> Patients:
    """The states at step 0."""
    older, male = s["age"] - 72, s["sex"] == "male"
    curve = expit(p.amyloid_growth * (s["age"] - s["amyloid_onset_age"]) + logit(20 / p.amyloid_capacity))
    amyloid = rng.normal(p.amyloid_capacity * curve, p.amyloid_start_sd)
    tau = s["tau_susceptibility"] * np.exp(p.tau_start + p.tau_start_by_amyloid * amyloid / 100)
    hippocampi = p.hippocampus_mean + p.hippocampus_male * male + p.hippocampus_by_age * older
    ventricles = p.ventricles_level + p.ventricles_male * male + p.ventricles_by_age * older
    now = {
        "amyloid": amyloid,
        "tau": tau,
        "hippocampal_volume": rng.normal(hippocampi + p.hippocampus_by_tau * tau, p.hippocampus_sd),
        "ventricular_volume": np.exp(rng.normal(ventricles + p.ventricles_by_tau * tau, p.ventricles_sd)),
        "white_matter_hyperintensity": np.exp(
            rng.normal(p.hyperintensity_level + p.hyperintensity_by_age * older, p.hyperintensity_sd)
        ),
    }
    now["cognition"] = rng.normal(supported_cognition(p, s, now), p.cognition_start_sd)
    now["cdr_sb"] = severity(p, now["cognition"])
    return now


def step_states(p: Alzheimers, s: Patients, before: Patients, *, rng: np.random.Generator) -> Patients:
    """The states a month later; `before` holds the states and treatments of the step before."""
    amyloid, tau = before["amyloid"], before["tau"]
    burden = np.maximum(amyloid, 0)
    growth = p.amyloid_growth - p.amyloid_growth / p.amyloid_capacity * amyloid
    cleared = p.lecanemab_clearance * before["lecanemab"]
    tau_gain = p.tau_spread * tau + p.tau_by_amyloid * s["tau_susceptibility"] * burden
    shrinkage = p.hippocampus_loss + p.hippocampus_loss_by_tau * tau
    widening = p.ventricles_growth + p.ventricles_growth_by_tau * tau
    lifted = supported_cognition(p, s, before) + p.cognition_by_inhibitor * before["cholinesterase_inhibitor"]
    pull = MONTH * p.cognition_pull
    now = {
        "amyloid": rng.normal(amyloid + MONTH * burden * (growth - cleared), p.amyloid_noise * np.sqrt(MONTH)),
        "tau": tau + MONTH * (1 - tau / p.tau_capacity) * tau_gain,
        "hippocampal_volume": before["hippocampal_volume"] * (1 - MONTH * shrinkage),
        "ventricular_volume": before["ventricular_volume"] * (1 + MONTH * widening),
        "white_matter_hyperintensity": before["white_matter_hyperintensity"] * (1 + MONTH * p.hyperintensity_growth),
        "cognition": rng.normal(
            (1 - pull) * before["cognition"] + pull * lifted,
            p.cognition_noise * np.sqrt(MONTH),
        ),
    }
    now["cdr_sb"] = severity(p, now["cognition"])
    return now


def measure(p: Alzheimers, name: str, now: Patients, *, rng: np.random.Generator) -> Floats:
    """What an instrument shows of the states of this step (patients,)."""
    volumes = {
        "ventricular_volume_mri": p.ventricles_error,
        "white_matter_hyperintensity_mri": p.hyperintensity_error,
    }
    if name == "cdr_sb_rated":
        return np.clip(rng.normal(now["cdr_sb"], p.cdr_sb_error), 0, 18)
    if name == "mmse":
        score = 30 * expit((now["cognition"] - p.mmse_midpoint) / p.mmse_scale)
        return np.asarray(np.clip(np.rint(rng.normal(score, p.mmse_error)), 0, 30), dtype=np.float64)
    if name == "amyloid_pet":
        return rng.normal(now["amyloid"], p.pet_error)
    if name == "hippocampal_volume_mri":
        return rng.normal(now["hippocampal_volume"], p.hippocampus_error)
    if name in volumes:
        volume = now[name.removesuffix("_mri")]
        return rng.normal(volume, volumes[name] * volume)
    level = p.ptau_level + p.ptau_by_amyloid * now["amyloid"] / 100 + p.ptau_by_tau * now["tau"]
    return np.asarray(np.exp(rng.normal(level, p.ptau_sd)), dtype=np.float64)


def chance_of_missing(p: Alzheimers, name: str, rated_before: Floats) -> Floats:
    """The probability that a measurement due after entry is not recorded (patients,)."""
    if name in ("cdr_sb_rated", "mmse"):
        return np.full(len(rated_before), p.missed_visit)
    return np.asarray(expit(p.missed_scan + p.missed_scan_by_severity * rated_before), dtype=np.float64)


def start_treatments(p: Alzheimers, s: Patients, now: Patients, last: Patients, *, rng: np.random.Generator) -> None:
    """Write both treatments of step 0 into `now`, from the measurements just taken and from true cognition."""
    odds = (
        p.lecanemab_level
        + p.lecanemab_by_age * (s["age"] - 72)
        + p.lecanemab_by_apoe4 * s["apoe4"]
        + p.lecanemab_by_pet * (last["amyloid_pet"] - 50)
        + p.lecanemab_by_severity * (last["cdr_sb_rated"] - 3)
    )
    now["lecanemab"] = (rng.random(len(odds)) < np.clip(expit(odds), 0.02, 0.9)).astype(np.float64)
    odds = p.inhibitor_level + p.inhibitor_by_cognition * (now["cognition"] + 2) + p.inhibitor_by_frailty * s["frailty"]
    drawn = rng.random(len(odds)) < np.clip(expit(odds), 0.02, 0.95)
    now["cholinesterase_inhibitor"] = drawn.astype(np.float64)


def find_events(
    p: Alzheimers,
    s: Patients,
    before: Patients,
    rated: Floats,
    events: dict[str, Floats],
    *,
    step: int,
    rng: np.random.Generator,
) -> None:
    """Write the instant into every event that happens now for the first time; `rated` is the last rating before now.

    Hazards have an instant within the step, diagnoses its end."""
    untreated = np.array([p.aria_untreated_0, p.aria_untreated_1, p.aria_untreated_2])[s["apoe4"]]
    treated = np.array([p.aria_treated_0, p.aria_treated_1, p.aria_treated_2])[s["apoe4"]]
    exposure = before["lecanemab"] * np.maximum(before["amyloid"], 0)
    of_dementia = np.exp(p.dementia_mortality + p.dementia_mortality_by_frailty * s["frailty"])
    of_dementia = of_dementia * np.exp(p.dementia_mortality_by_severity * before["cdr_sb"])
    leaving = np.exp(p.dropout_level + p.dropout_by_support * s["home_support"] + p.dropout_by_severity * rated)
    moving = p.care_home_level + p.care_home_by_support * s["home_support"]
    moving = np.exp(moving + p.care_home_by_severity * before["cdr_sb"])
    impaired = (rated >= p.mci_threshold) & (rated < p.dementia_threshold)
    happens = {
        "death": draw_instants(rate_of_death(p, s, t=step * MONTH) + of_dementia, step=step, rng=rng),
        "dropout": draw_instants(leaving, step=step, rng=rng),
        "care_home": draw_instants(moving, step=step, rng=rng),
        "aria_e": draw_instants(untreated + treated / 77 * exposure, step=step, rng=rng),
        "mci_diagnosis": np.where(impaired & ~happened_before("dementia_diagnosis", events, step=step), step, NEVER),
        "dementia_diagnosis": np.where(rated >= p.dementia_threshold, step, NEVER),
    }
    for name, instants in happens.items():
        events[name] = np.minimum(events[name], instants)


def happened_before(name: str, events: dict[str, Floats], *, step: int) -> NDArray[np.bool_]:
    """Whether the event happened in a step before this one (patients,)."""
    return events[name] <= step - 1


def end_journeys(events: dict[str, Floats]) -> dict[str, Floats]:
    """The events up to each one's death: what would have come at a later instant never was."""
    return {name: np.where(instants <= events["death"], instants, NEVER) for name, instants in events.items()}


def close_records(events: dict[str, Floats]) -> dict[str, NDArray[np.bool_]]:
    """Which events are on the record, if they happened: those that came no later than dropout."""
    return {name: instants <= events["dropout"] for name, instants in events.items()}


def take_measurements(
    p: Alzheimers, now: Patients, last: Patients, seen: NDArray[np.bool_], *, step: int, rng: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    """Write into `last` what is recorded in this step of those still seen; return who had what recorded."""
    rated_before = last["cdr_sb_rated"]
    recorded = {name: seen for name, schedule in SCHEDULES.items() if step in schedule}
    for name in recorded:
        shown = measure(p, name, now, rng=rng)
        if step > 0:
            recorded[name] = seen & (rng.random(len(seen)) >= chance_of_missing(p, name, rated_before))
        last[name] = np.where(recorded[name], shown, last[name])
    return recorded


def simulate(
    p: Alzheimers,
    *,
    patients: int,
    rng: np.random.Generator,
    lecanemab: int | None = None,
    months: Sequence[int] = (0, 6, 18, 60, 120),
) -> Journeys:
    """Ten years of those of `patients` who enter; `lecanemab` of 0 or 1 sets it at every step, None leaves it."""
    s = draw_statics(p, patients=patients, rng=rng)
    entered = len(s["age"])
    events = {name: np.full(entered, NEVER) for name in EVENTS}
    kept: dict[str, list[Floats]] = {name: [] for name in (*STATES, *TREATMENTS, *SCHEDULES)}
    recorded: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in SCHEDULES}
    last: Patients = {name: np.full(entered, np.nan) for name in SCHEDULES}
    now = start_states(p, s, rng=rng)
    for step in range(STEPS + 1):
        if step > 0:
            before = now
            find_events(p, s, before, last["cdr_sb_rated"], events, step=step, rng=rng)
            now = step_states(p, s, before, rng=rng)
            now["lecanemab"] = np.where(happened_before("aria_e", events, step=step), 0.0, before["lecanemab"])
            now["cholinesterase_inhibitor"] = before["cholinesterase_inhibitor"]
        alive = events["death"] > step
        seen = alive & (events["dropout"] > step)
        for name, who in take_measurements(p, now, last, seen, step=step, rng=rng).items():
            recorded[name].append(who)
        if step == 0:
            start_treatments(p, s, now, last, rng=rng)
        if lecanemab is not None:
            now["lecanemab"] = np.full(entered, float(lecanemab))
        if step in months:
            for name in (*STATES, *TREATMENTS):
                kept[name].append(np.where(alive, now[name], np.nan))
            for name in SCHEDULES:
                kept[name].append(last[name])
    stacked = {name: np.stack(columns, axis=1) for name, columns in kept.items()}
    events = end_journeys(events)
    return Journeys(
        months=tuple(months),
        statics=s,
        events=events,
        on_record=close_records(events),
        values={name: stacked[name] for name in (*STATES, *TREATMENTS)},
        last={name: stacked[name] for name in SCHEDULES},
        recorded={name: np.stack(columns, axis=1) for name, columns in recorded.items()},
    )
