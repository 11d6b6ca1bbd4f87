"""What abduction costs: a patient's record of twenty observations in ten years. From the root:
python benchmarks/abduction.py
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from figures import describe_machine, ratio, show

from nosograph.causal.abduction import EventReport, Observation, PatientRecord, abduct
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.journeys import Journeys
from nosograph.causal.program.sampling import sample

VISITS = {"mmse": 7, "cdr_sb_rated": 5, "amyloid_pet": 4, "hippocampal_volume_mri": 4}  # how many of each: twenty
PARTICLES = 2000


def build_record(model: Model, journeys: Journeys, patient: int) -> PatientRecord:
    """Twenty measurements, spread over the ten years, and age, sex, genotype, education and treatment."""
    values = journeys.values
    seen = [Observation(name, 0, float(values[name][0, 0, patient])) for name in ("age", "sex", "apoe4", "education")]
    seen.append(Observation("lecanemab", 0, float(values["lecanemab"][0, 0, patient])))
    for name, count in VISITS.items():
        taken = journeys.recorded[name][0, :, patient].nonzero()[:, 0].tolist()
        chosen = [taken[round(i * (len(taken) - 1) / (count - 1))] for i in range(count)]
        seen += [Observation(name, journeys.steps[name][row], float(values[name][0, row, patient])) for row in chosen]
    reports = (EventReport("aria_e", model.clock.steps, False), EventReport("death", model.clock.steps, False))
    return PatientRecord(str(patient), tuple(seen), reports, model.clock.steps)


def main() -> None:
    torch.set_num_threads(1)
    model = load_model("alzheimers")
    journeys = sample(model, patients=2000)
    full = model.clock.steps + 1
    lived = (journeys.ended[0] == full) & (journeys.closed[0] == full) & ~journeys.values["aria_e"][0].any(0)
    print(describe_machine())
    sample(model, patients=PARTICLES)  # compile the noise
    for patient in lived.nonzero()[:5, 0].tolist():
        record = build_record(model, journeys, patient)
        started = time.perf_counter()
        posterior = abduct(model, record, particles=PARTICLES)
        seconds = time.perf_counter() - started
        size = posterior.effective_sample_size
        show(f"patient {patient}: effective sample size of {PARTICLES} particles", size, "at least 200")
        show(f"patient {patient}: seconds", seconds, "at most 30")
    worlds = [FACTUAL, parse_world("treated: lecanemab = 1", model=model)]
    show(
        "the posterior in two worlds / as many patients in two worlds",
        ratio(lambda: posterior.run(worlds), lambda: sample(model, patients=PARTICLES, worlds=worlds), rounds=5),
    )


if __name__ == "__main__":
    main()
