"""The sepsis model again, in plain NumPy, from docs/catalog/sepsis.md: transitions as matrices, categories as indices.

It imports nothing of Nosograph. It was not written blind, as the other references were: whoever
wrote it had written the model, in another form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVELS = {"heart_rate": 3, "systolic_bp": 3, "oxygen": 2, "glucose": 5}
NORMAL = {"heart_rate": 1, "systolic_bp": 1, "oxygen": 1, "glucose": 2}
CHARTED = ("heart_rate", "systolic_bp", "oxygen")
TREATMENTS = ("antibiotics", "ventilation", "vasopressors")
NEVER = 10_000


@dataclass(frozen=True)
class Sepsis:
    diabetes_share: float = 0.2
    worsening: float = 0.02
    recovery: float = 0.05
    glucose_worsening: float = 0.02
    glucose_worsening_diabetes: float = 0.1
    glucose_recovery: float = 0.2
    antibiotics_on_heart_rate: float = 0.2
    antibiotics_on_pressure: float = 0.2
    antibiotics_stopped: float = 0.1
    vasopressors_on_pressure: float = 0.4
    vasopressors_on_pressure_diabetes: float = 0.25
    vasopressors_overshoot: float = 0.05
    vasopressors_stopped: float = 0.1
    vasopressors_on_glucose: float = 0.3
    ventilation_on_oxygen: float = 0.4
    ventilation_stopped: float = 0.1
    start_indicated: float = 0.5
    start_otherwise: float = 0.1
    begin_indicated: float = 0.1
    begin_otherwise: float = 0.01
    keep_indicated: float = 0.95
    keep_otherwise: float = 0.8
    caution: float = 0.8
    misread: float = 0.02
    missed: float = 0.05


def find_transitions(p: Sepsis, vital: str, last: dict[str, Integers], before: dict[str, Integers]) -> Floats:
    """(patients, from, to): how a vital sign moves, given the treatments of the last hour and of the one before."""
    diabetic = last["diabetes"] == 1
    on = {name: last[name] == 1 for name in TREATMENTS}
    stopped = {name: (before[name] == 1) & (last[name] == 0) for name in TREATMENTS}
    up, down = np.zeros((2, len(diabetic), LEVELS[vital]))  # from each level, one level up or down
    if vital == "heart_rate":
        up[:, 0], down[:, 1] = p.recovery, p.worsening
        up[:, 1] = p.worsening + p.antibiotics_stopped * stopped["antibiotics"]
        down[:, 2] = p.recovery + p.antibiotics_on_heart_rate * on["antibiotics"]
    elif vital == "systolic_bp":
        lift = np.where(diabetic, p.vasopressors_on_pressure_diabetes, p.vasopressors_on_pressure)
        up[:, 0] = p.recovery + lift * on["vasopressors"]
        up[:, 1] = p.worsening + p.vasopressors_overshoot * on["vasopressors"]
        up[:, 1] += p.antibiotics_stopped * stopped["antibiotics"]
        down[:, 1] = p.worsening + p.vasopressors_stopped * stopped["vasopressors"]
        down[:, 2] = p.recovery + p.antibiotics_on_pressure * on["antibiotics"]
    elif vital == "oxygen":
        up[:, 0] = p.recovery + p.ventilation_on_oxygen * on["ventilation"]
        down[:, 1] = p.worsening + p.ventilation_stopped * stopped["ventilation"]
    else:
        away = np.where(diabetic, p.glucose_worsening_diabetes, p.glucose_worsening)
        up[:, :2], down[:, 3:] = p.glucose_recovery, p.glucose_recovery
        up[:, 2:4], down[:, 1:3] = away[:, None], away[:, None]
        up[:, :4] += p.vasopressors_on_glucose * (on["vasopressors"] & diabetic)[:, None]
    count = LEVELS[vital]
    moves = np.zeros((len(diabetic), count, count))
    for level in range(count):
        moves[:, level, level] = 1 - up[:, level] - down[:, level]
        if level + 1 < count:
            moves[:, level, level + 1] = up[:, level]
        if level:
            moves[:, level, level - 1] = down[:, level]
    return moves


def draw_level(weights: Floats, rng: np.random.Generator) -> Integers:
    """One level a row, by the cumulative weights."""
    drawn: Integers = (rng.random(len(weights))[:, None] > weights.cumsum(axis=1)).sum(axis=1)
    return np.minimum(drawn, weights.shape[1] - 1)


def count_abnormal(now: dict[str, Integers]) -> Integers:
    return np.sum([now[vital] != NORMAL[vital] for vital in LEVELS], axis=0)


def draw_entry(p: Sepsis, candidates: int, rng: np.random.Generator) -> dict[str, Integers]:
    """Candidates at step 0, and of them those with one or two vital signs out of range."""
    diabetes = (rng.random(candidates) < p.diabetes_share).astype(np.int64)
    spread = np.where(diabetes[:, None] == 1, [0.05, 0.15, 0.5, 0.2, 0.1], [0.01, 0.04, 0.85, 0.08, 0.02])
    starts = {"heart_rate": [0.1, 0.4, 0.5], "systolic_bp": [0.5, 0.4, 0.1], "oxygen": [0.4, 0.6]}
    now = {vital: draw_level(np.tile(weights, (candidates, 1)), rng) for vital, weights in starts.items()}
    now |= {"diabetes": diabetes, "glucose": draw_level(spread, rng)}
    enters = np.isin(count_abnormal(now), (1, 2))
    return {name: values[enters] for name, values in now.items()}


def chart(p: Sepsis, now: dict[str, Integers], charted: dict[str, Integers], step: int, rng: np.random.Generator):
    """What is on the chart: each reading may be wrong, and after admission missing; then the last one stands."""
    found = {}
    for vital in CHARTED:
        weights = np.full((len(now[vital]), LEVELS[vital]), p.misread)
        weights[np.arange(len(weights)), now[vital]] = 1 - p.misread * (LEVELS[vital] - 1)
        read = draw_level(weights, rng)
        kept = rng.random(len(read)) >= (p.missed if step else 0)
        found[vital] = np.where(kept, read, charted.get(vital, read))
    return found


def treat(p: Sepsis, now: dict[str, Integers], charted: dict[str, Integers], last, rng: np.random.Generator):
    """The treatments of this hour; `last` is None at admission."""
    pressure = charted["systolic_bp"]
    indicated = {
        "antibiotics": (charted["heart_rate"] == 2) | (pressure == 2),
        "ventilation": charted["oxygen"] == 0,
        "vasopressors": pressure == 0,
    }
    risky = (now["diabetes"] == 1) | (now["glucose"] >= 3)
    found = {}
    for name, sign in indicated.items():
        first = np.where(sign, p.start_indicated, p.start_otherwise)
        begin = first if last is None else np.where(sign, p.begin_indicated, p.begin_otherwise)
        if name == "vasopressors":
            begin = begin * (1 - p.caution * risky)
        keep = np.where(sign, p.keep_indicated, p.keep_otherwise)
        chance = begin if last is None else np.where(last[name] == 1, keep, begin)
        found[name] = (rng.random(len(sign)) < chance).astype(np.int64)
    return found


def simulate(p: Sepsis, *, candidates: int, hours: int, rng: np.random.Generator, fixed: dict[str, int] | None = None):
    """Journeys of those who enter: each hour's values by name, (hours + 1, patients), the chart under `… charted`, and
    the hours of death and discharge (NEVER where they do not come). `fixed` sets treatments in every hour."""
    now = draw_entry(p, candidates, rng)
    charted = chart(p, now, {}, 0, rng)
    fixed_now = {name: np.full(len(now["diabetes"]), value) for name, value in (fixed or {}).items()}
    now |= treat(p, now, charted, None, rng) | fixed_now
    before = now
    rows = [now | {f"{vital} charted": charted[vital] for vital in CHARTED}]
    death = np.full(len(now["diabetes"]), NEVER)
    discharge = death.copy()
    for hour in range(1, hours + 1):
        abnormal = count_abnormal(now)
        home = (abnormal == 0) & (np.sum([now[name] for name in TREATMENTS], axis=0) == 0)
        death[(abnormal >= 3) & (death == NEVER) & (discharge == NEVER)] = hour
        discharge[home & (death == NEVER) & (discharge == NEVER)] = hour
        vitals = {
            vital: draw_level(find_transitions(p, vital, now, before)[np.arange(len(death)), now[vital]], rng)
            for vital in LEVELS
        }
        new = {"diabetes": now["diabetes"], **vitals}
        charted = chart(p, new, charted, hour, rng)
        new |= treat(p, new, charted, now, rng) | fixed_now
        before, now = now, new
        rows.append(now | {f"{vital} charted": charted[vital] for vital in CHARTED})
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}, death, discharge
