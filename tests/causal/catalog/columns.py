"""Patients of the program and of the references as columns of the same names, and what is looked at in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.sampling import sample
from nosograph.simulate.entrants import select_entrants
from nosograph.simulate.runs.tables import Layout, build_tables

from . import reference_alzheimers as alzheimers
from .agreement import Columns, Relations, select_strata
from .reference_demographics import NEVER

MONTHS = (0, 1, 6, 18, 59, 60, 120)
EVENT_MONTHS = (1, 6, 12, 18, 24, 60, 120)
STATICS = (
    "age",
    "education",
    "apoe4",
    "polygenic_score",
    "home_support",
    "frailty",
    "amyloid_onset_age",
    "tau_susceptibility",
    "cognitive_reserve",
)
LEVELS = {"sex": ("female", "male"), "ancestry": ("european", "african", "east_asian", "american")}
CORRELATED = (
    *STATICS,
    "sex is male",
    *(f"{name} @ {month}" for name in alzheimers.STATES for month in (0, 60)),
    *(f"last {name} @ 18" for name in alzheimers.SCHEDULES),
    "cholinesterase_inhibitor @ 0",
    "step of death",
    "step of dropout",
    "step of care_home",
)
BATCH = 10_000


def tabulate_reference(journeys: alzheimers.Journeys) -> Columns:
    columns = tabulate_statics(journeys.statics)
    for place, month in enumerate(journeys.months):
        columns |= {f"{name} @ {month}": values[:, place] for name, values in journeys.values.items()}
        columns |= {f"last {name} @ {month}": values[:, place] for name, values in journeys.last.items()}
    for name, schedule in alzheimers.SCHEDULES.items():
        for place, month in enumerate(schedule):
            columns[f"{name} recorded @ {month}"] = journeys.recorded[name][:, place].astype(np.float64)
    return columns | tabulate_events(journeys.events, journeys.on_record)


def tabulate_program(model: Model, *, patients: int, world: str) -> Columns:
    """The same columns out of the tables that a user gets. `world`: "factual", or an intervention."""
    parts = list(_tabulate_batches(model, patients=patients, world=world))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _tabulate_batches(model: Model, *, patients: int, world: str) -> Iterator[Columns]:
    chosen = FACTUAL if world == "factual" else parse_world(f"set: {world}", model=model)
    kept = (*STATICS, *LEVELS, *alzheimers.STATES, *alzheimers.TREATMENTS)
    for entrants in select_entrants(model, count=patients, seed=0, batch=BATCH):
        journeys = sample(model, patients=entrants.numbers, seed=0, worlds=[chosen])
        tables = build_tables(journeys, model=model, layout=Layout(keep=kept))
        numbers = entrants.numbers.numpy()
        truth = tables["truth"]
        wide = {
            name: truth.column(name).to_pandas().to_numpy().reshape(len(numbers), -1)
            for name in truth.column_names
            if name in kept
        }
        columns = tabulate_statics({name: wide[name][:, 0] for name in (*STATICS, *LEVELS) if name in wide})
        for name in (*alzheimers.STATES, *alzheimers.TREATMENTS):
            if name in wide:
                columns |= {f"{name} @ {month}": wide[name][:, month].astype(np.float64) for month in MONTHS}
        columns |= _tabulate_record(tables["record"].to_pandas(), numbers)
        events = tables["events"].to_pandas()
        instants, on_record = {}, {}
        for name in [name for name in alzheimers.EVENTS if name in model.variables]:
            those = events[events["event"] == name]
            if those["patient"].duplicated().any():
                raise ValueError(f"{name} happens to a patient more than once")
            rows = np.searchsorted(numbers, those["patient"])
            instants[name], on_record[name] = np.full(len(numbers), NEVER), np.zeros(len(numbers), dtype=bool)
            instants[name][rows] = count_months(those["time"].to_numpy())
            on_record[name][rows] = those["recorded"]
        yield columns | tabulate_events(instants, on_record)


def tabulate_statics(statics: Mapping[str, NDArray[Any]]) -> Columns:
    numbers = {name: statics[name] for name in STATICS if name in statics}
    levels = {f"{name} is {level}": statics[name] == level for name, of in LEVELS.items() for level in of}
    return {name: np.asarray(values, dtype=np.float64) for name, values in {**numbers, **levels}.items()}


def count_months(years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times in months, whole where they are a step's end; tables hold nine decimals of a year."""
    months = years * 12
    return np.where(np.abs(months - np.rint(months)) < 1e-7, np.rint(months), months)


def tabulate_events(instants: Mapping[str, NDArray[np.float64]], on_record: Mapping[str, NDArray[np.bool_]]) -> Columns:
    """Whether each event happened by some months, in which step and at what part of it, whether the record holds it,
    and what else happened in the steps of death and dropout. `instants`: months after entry, or NEVER."""
    columns: Columns = {}
    steps = {name: np.ceil(instant) for name, instant in instants.items()}
    ends = [name for name in ("death", "dropout") if name in instants]
    for name, instant in instants.items():
        happened = instant < NEVER
        part = np.full(len(instant), np.nan)
        part[happened] = instant[happened] - steps[name][happened] + 1
        columns |= {f"{name} by {month}": (instant <= month).astype(np.float64) for month in EVENT_MONTHS}
        columns[f"step of {name}"] = np.minimum(steps[name], 121)
        columns[f"part of the step of {name}"] = part
        columns[f"{name} on record"] = np.where(happened, on_record[name], np.nan)
        for end in ends:
            if name == end:
                continue
            ended, together = instants[end] < NEVER, happened & (steps[name] == steps[end])
            columns[f"{name} in the step of {end}"] = np.where(ended, together, np.nan)
            columns[f"{name} in the step of {end}, on record"] = np.where(ended, together & on_record[name], np.nan)
    return columns


def _tabulate_record(record: pd.DataFrame, numbers: NDArray[np.int64]) -> Columns:
    """Which visits the record holds, and the last value that it holds by some months."""
    columns: Columns = {}
    for name, schedule in alzheimers.SCHEDULES.items():
        rows = record[record["variable"] == name]
        if rows.empty:
            continue
        values = np.full((len(numbers), 121), np.nan)
        months = np.rint(rows["time"].to_numpy() * 12).astype(int)
        if not set(months) <= set(schedule):
            raise ValueError(f"{name} is recorded off its schedule, at {sorted(set(months) - set(schedule))}")
        values[np.searchsorted(numbers, rows["patient"]), months] = rows["value"]
        taken = ~np.isnan(values)
        latest = np.maximum.accumulate(np.where(taken, np.arange(121), 0), axis=1)
        columns |= {f"{name} recorded @ {month}": taken[:, month].astype(np.float64) for month in schedule}
        for month in MONTHS:
            columns[f"last {name} @ {month}"] = values[np.arange(len(numbers)), latest[:, month]]
    return columns


def build_strata(c: Columns) -> Columns:
    """Treatment, ARIA-E, death, dropout and care homes among those alike in what decides them."""
    e4, pet, rated = c["apoe4"], c["last amyloid_pet @ 0"], c["last cdr_sb_rated @ 0"]
    old, frail, male = c["age"] > 72, c["frailty"] > 0, c["sex is male"] == 1
    treated, poor = c["lecanemab @ 0"] == 1, c["cognition @ 0"] < -2
    either = (False, True)
    prescribed = {
        f"{n} e4, PET > 25 {a}, rated > 3 {b}, over 72 {o}": (e4 == n)
        & ((pet > 25) == a)
        & ((rated > 3) == b)
        & (old == o)
        for n in (0, 1, 2)
        for a in either
        for b in either
        for o in either
    }
    odds = -0.85 - 0.035 * (c["age"] - 72) - 0.3 * e4 + 0.022 * (pet - 50) - 0.25 * (rated - 3)
    prescribed |= {"the least chance": odds < logit(0.02), "the greatest chance": odds > logit(0.9)}
    lifted = {f"frail {a}, cognition < -2 {b}": (frail == a) & (poor == b) for a in either for b in either}
    lifted["the greatest chance"] = -0.6 - 1.5 * (c["cognition @ 0"] + 2) - 0.3 * c["frailty"] > logit(0.95)
    bleeding = {f"{n} e4, treated {a}": (e4 == n) & (treated == a) for n in (0, 1, 2) for a in either}
    dying = {f"male {a}, over 72 {b}": (male == a) & (old == b) for a in either for b in either}
    alone = c["home_support"] < 0
    leaving = {f"alone {a}, rated > 3 {b}": (alone == a) & ((rated > 3) == b) for a in either for b in either}
    failing = {f"frail {a}, rated > 3 {b}": (frail == a) & ((rated > 3) == b) for a in either for b in either}
    found = {
        **select_strata(c, "lecanemab @ 0", prescribed),
        **select_strata(c, "cholinesterase_inhibitor @ 0", lifted),
        **select_strata(c, "aria_e by 18", bleeding),
        **select_strata(c, "death by 60", dying | failing),
        **select_strata(c, "dropout by 60", leaving),
        **select_strata(c, "care_home by 60", leaving),
    }
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def _pick(c: Columns, *names: str) -> Columns:
    return {name: c[name] for name in names}


def relate_people(c: Columns) -> Relations:
    who = _pick(c, "age", "sex is male")
    return {
        "education": (c["education"], _pick(c, "age")),
        "step of death": (c["step of death"], who),
        "death by 120": (c["death by 120"], who),
    }


def relate(c: Columns) -> Relations:
    """What each mechanism draws, and what it draws it from, in the form in which its noise is plainest."""
    age, ancestry = c["age"], [f"ancestry is {level}" for level in LEVELS["ancestry"][1:]]
    curve = expit(0.22 * (age - c["amyloid_onset_age"]) + logit(20 / 110))
    bend = curve * (1 - curve)
    brain = ("cognitive_reserve", "tau @ 0", "hippocampal_volume @ 0", "white_matter_hyperintensity @ 0")
    relations = relate_people(c) | {
        "apoe4": (c["apoe4"], _pick(c, *ancestry)),
        "frailty": (c["frailty"], _pick(c, "age")),
        "amyloid_onset_age": (c["amyloid_onset_age"], _pick(c, "apoe4", "polygenic_score")),
        "cognitive_reserve": (c["cognitive_reserve"], _pick(c, "education", "age", "frailty")),
        "amyloid @ 0": (
            c["amyloid @ 0"],
            {"curve": curve, "bend": bend, "bend by years": bend * (age - c["amyloid_onset_age"])},
        ),
        "hippocampal_volume @ 0": (c["hippocampal_volume @ 0"], _pick(c, "sex is male", "age", "tau @ 0")),
        "log ventricles @ 0": (np.log(c["ventricular_volume @ 0"]), _pick(c, "sex is male", "age", "tau @ 0")),
        "log hyperintensity @ 0": (np.log(c["white_matter_hyperintensity @ 0"]), _pick(c, "age")),
        "cognition @ 0": (c["cognition @ 0"], _pick(c, *brain)),
        "lecanemab @ 0": (
            c["lecanemab @ 0"],
            _pick(c, "age", "apoe4", "last amyloid_pet @ 0", "last cdr_sb_rated @ 0"),
        ),
        "cholinesterase_inhibitor @ 0": (c["cholinesterase_inhibitor @ 0"], _pick(c, "cognition @ 0", "frailty")),
    }
    return relations | _relate_steps(c) | _relate_measurements(c) | _relate_events(c)


def _relate_steps(c: Columns) -> Relations:
    """One month's change of what fluctuates, and five years' of what does not."""
    relations: Relations = {}
    for before, now in ((0, 1), (59, 60)):
        plaque = np.maximum(c[f"amyloid @ {before}"], 0)
        relations[f"amyloid @ {now}"] = (
            c[f"amyloid @ {now}"] - c[f"amyloid @ {before}"],
            {"plaque": plaque, "its square": plaque**2, "cleared": plaque * c[f"lecanemab @ {before}"]},
        )
        brain = ("tau", "hippocampal_volume", "white_matter_hyperintensity", "cognition", "cholinesterase_inhibitor")
        causes = _pick(c, "cognitive_reserve", *(f"{name} @ {before}" for name in brain))
        relations[f"cognition @ {now}"] = (c[f"cognition @ {now}"], causes)
    tau = c["tau @ 0"]
    drive = c["tau_susceptibility"] * np.maximum(c["amyloid @ 0"], 0)
    course = {"tau": tau, "its square": tau**2, "its cube": tau**3, "drive": drive, "both": drive * tau}
    course |= {"treated": c["lecanemab @ 0"] * drive}
    for name in ("hippocampal_volume", "ventricular_volume"):
        relations[f"change of {name}"] = (np.log(c[f"{name} @ 60"] / c[f"{name} @ 0"]), {"tau": tau})
    return relations | {"tau @ 60": (c["tau @ 60"], course)}


def _relate_measurements(c: Columns) -> Relations:
    """What is shown against what is, at entry, where everything is recorded; and what is missed of what is due."""
    amyloid, tau = c["amyloid @ 0"], c["tau @ 0"]
    score = 30 * expit((c["cognition @ 0"] + 4.9) / 1.3)
    relations: Relations = {
        "cdr_sb_rated": (c["last cdr_sb_rated @ 0"], _pick(c, "cdr_sb @ 0")),
        "mmse": (c["last mmse @ 0"], {"score": score}),
        "amyloid_pet": (c["last amyloid_pet @ 0"], {"amyloid": amyloid}),
        "plasma_ptau217": (np.log(c["last plasma_ptau217 @ 0"]), {"amyloid": amyloid, "tau": tau}),
    }
    for name in ("hippocampal_volume", "ventricular_volume", "white_matter_hyperintensity"):
        ratio = c[f"last {name}_mri @ 0"] / c[f"{name} @ 0"]
        relations[f"{name}_mri"] = (ratio, _pick(c, f"{name} @ 0"))
    gone = np.minimum(c["step of death"], c["step of dropout"])
    for name, schedule in alzheimers.SCHEDULES.items():
        due = np.sum([gone > month for month in schedule], axis=0).astype(np.float64)
        missed = due - np.sum([c[f"{name} recorded @ {month}"] for month in schedule], axis=0)
        relations[f"{name} missed"] = (missed, {"due": due, "due by rating": due * c["last cdr_sb_rated @ 18"]})
    return relations


def _relate_events(c: Columns) -> Relations:
    e4, rated = c["apoe4"], c["last cdr_sb_rated @ 0"]
    exposed = c["lecanemab @ 0"] * np.maximum(c["amyloid @ 0"], 0)
    genes = {f"{n} e4": (e4 == n).astype(np.float64) for n in (1, 2)}
    genes |= {f"{n} e4, exposed": (e4 == n) * exposed for n in (0, 1, 2)}
    who = _pick(c, "age", "sex is male", "frailty", "cdr_sb @ 0")
    crossed = {"age by severity": c["age"] * c["cdr_sb @ 0"], "frailty by severity": c["frailty"] * c["cdr_sb @ 0"]}
    near = {f"rated >= {level}": (rated >= level).astype(np.float64) for level in (1, 4.5)}
    return {
        "death by 60": (c["death by 60"], who | crossed),
        "death by 60, of all causes": (c["death by 60"], who),
        "dropout by 24": (c["dropout by 24"], _pick(c, "home_support", "last cdr_sb_rated @ 0")),
        "care_home by 24": (c["care_home by 24"], _pick(c, "home_support", "cdr_sb @ 0")),
        "care_home on record": (c["care_home on record"], _pick(c, "home_support", "last cdr_sb_rated @ 0")),
        "death on record": (c["death on record"], _pick(c, "home_support", "last cdr_sb_rated @ 0")),
        "aria_e by 18": (c["aria_e by 18"], genes),
        "aria_e by 120": (c["aria_e by 120"], genes),
        "mci_diagnosis by 6": (c["mci_diagnosis by 6"], near),
        "dementia_diagnosis by 6": (c["dementia_diagnosis by 6"], near),
    }
