"""Calibration: over many simulated patients, what abduction says from the record alone holds the truth as often as it
says. The truth, the noise included, is the simulator's; the record is what a clinic would have."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats

from nosograph.causal.abduction import EventReport, Observation, PatientRecord, abduct
from nosograph.causal.model.model import Model, Schedule
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.journeys import Journeys
from nosograph.causal.program.sampling import sample

MakeModel = Callable[..., Model]
PATIENTS = 200
VISITS = Schedule(every=3)
UNTIL, STEPS = 21, 36


@pytest.fixture(scope="module")
def clinic(make_model: MakeModel) -> Model:
    """A latent static that speeds a latent state up; two measurements of it, one rounded and at times missed; a
    treatment by what was recorded; an adverse event; death."""
    return make_model(
        {
            "age": {"kind": "static", "mechanism": "Normal(70, 8)"},
            "frailty": {"kind": "static", "mechanism": "Normal(0.03 * (age - 70), 1)"},
            "speed": {"kind": "static", "mechanism": "LogNormal(0.2 * frailty, 0.5)"},
            "x": {
                "kind": "state",
                "start": "Normal(5 + frailty, 2)",
                "mechanism": "Normal(x[-1] + dt * (2 * speed - 1.5 * drug[-1]), sqrt(dt))",
            },
            "test": {
                "kind": "measurement",
                "of": "x",
                "when": VISITS,
                "mechanism": "clip(round(Normal(2 * x, 2)), 0, 40)",
                "missing": "Bernoulli(0.1 + 0.2 * recorded(rating))",
            },
            "rating": {"kind": "measurement", "of": "x", "when": VISITS, "mechanism": "Normal(x, 0.7)"},
            "drug": {
                "kind": "treatment",
                "start": "Bernoulli(expit(rating - 5))",
                "mechanism": "where(ever(rash), 0, drug[-1])",
            },
            "rash": {"kind": "event", "mechanism": "Hazard(0.4 * drug[-1])"},
            "fall": {
                "kind": "event",
                "occurs": "repeatedly",
                "mechanism": "Hazard(0.5 * exp(0.1 * x[-1] + 0.4 * frailty))",
            },
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(exp(-4 + 0.2 * x[-1] + 0.6 * frailty))"},
        },
        steps=STEPS,
    )


def record_of(model: Model, journeys: Journeys, patient: int) -> PatientRecord:
    """What the clinic has of one patient, up to step UNTIL or death."""
    values = journeys.values
    died = min(int(journeys.ended[0, patient]), UNTIL + 1)
    observations = [Observation("age", 0, float(values["age"][0, 0, patient]))]
    for name in ("test", "rating"):
        for row, step in enumerate(journeys.steps[name]):
            if step < died:
                seen = bool(journeys.recorded[name][0, row, patient])
                observations.append(Observation(name, step, float(values[name][0, row, patient]) if seen else None))
    drug = values["drug"][0, :, patient]
    observations += [Observation("drug", k, float(drug[k])) for k in range(died) if k == 0 or drug[k] != drug[k - 1]]
    reports = [EventReport("death", min(died, UNTIL), died <= UNTIL)]
    for name in ("rash", "fall"):
        happened = [k for k in range(1, min(died, UNTIL + 1)) if bool(values[name][0, k, patient])]
        reports += [EventReport(name, k) for k in happened]
        if name == "fall" or not happened:
            reports += [EventReport(name, died - 1, False)] if died - 1 not in happened and died > 1 else []
    return PatientRecord(str(patient), tuple(observations), tuple(reports), min(died, UNTIL))


@pytest.mark.verification
def test_bands_hold_the_truth_as_often_as_they_say(clinic: Model) -> None:
    """False alarm: 0.001 for each of 8 checks of coverage, and as much for each of 8 of ranks; 0.016 in all."""
    worlds = [FACTUAL, parse_world("w: drug = 1 - drug[-1] at 1 month; speed *= 0.5", model=clinic)]
    journeys = sample(clinic, patients=PATIENTS, worlds=worlds, seed=0)
    looked: dict[str, tuple[str, int, int]] = {
        "frailty": ("frailty", 0, 0),
        "speed": ("speed", 0, 0),
        "x at the start": ("x", 0, 0),
        "x at the end of the record": ("x", 0, UNTIL),
        "x at the horizon": ("x", 0, STEPS),
        "counterfactual x at the record's end": ("x", 1, UNTIL),
        "counterfactual x at the horizon": ("x", 1, STEPS),
        "counterfactual rating": ("rating", 1, 6),
    }
    ranks: dict[str, list[float]] = {name: [] for name in looked}
    for patient in range(PATIENTS):
        posterior = abduct(clinic, record_of(clinic, journeys, patient), seed=1000, particles=600)
        ours = posterior.run(worlds, keep=["frailty", "speed", "x", "rating", "drug"])
        for label, (name, world, row) in looked.items():
            particles = ours.values[name][min(world, ours.values[name].shape[0] - 1), row].double()
            truth = journeys.values[name][min(world, journeys.values[name].shape[0] - 1), row, patient].double()
            ranks[label].append(float((particles < truth).double().mean()))
    for label, found in ranks.items():
        share = np.array(found)
        held = int(((share >= 0.05) & (share <= 0.95)).sum())
        assert stats.binomtest(held, PATIENTS, 0.9).pvalue > 0.001, (label, held)
        assert stats.kstest(share, "uniform").pvalue > 0.001, label


@pytest.mark.verification
def test_the_effective_sample_size_is_honest(clinic: Model) -> None:
    """Over 40 seeds, the variance of each posterior mean is no larger than the effective sample size says.

    For each of four quantities the ratio is a chi-square over its 39 degrees; above its 0.9999 quantile is a false
    alarm, 0.0004 in all.
    """
    journeys = sample(clinic, patients=10, seed=5)
    record = record_of(clinic, journeys, 3)
    means, claims, spreads = [], [], []
    for seed in range(40):
        posterior = abduct(clinic, record, seed=seed, particles=600)
        values = posterior.run(keep=["frailty", "speed", "x"]).values
        rows = torch.stack([values["frailty"][0, 0], values["speed"][0, 0], values["x"][0, 0], values["x"][0, 12]])
        means.append(rows.double().mean(1).numpy())
        spreads.append(rows.double().var(1).numpy())
        claims.append(posterior.effective_sample_size)
    claimed = np.mean(spreads, 0) * np.mean(1 / np.array(claims))
    ratio = np.var(means, axis=0, ddof=1) / claimed
    assert (ratio <= stats.chi2.ppf(0.9999, 39) / 39).all(), (ratio, math.fsum(claims) / len(claims))
