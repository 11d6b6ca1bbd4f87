"""Times to an event, against R's `survival` on the same arms."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.model import Model
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.estimates import estimate_mean
from nosograph.simulate.questions.question import Question
from nosograph.simulate.questions.times import EventTimes, gather_times

MakeModel = Callable[..., Model]
PEOPLE = 1_500
SCRIPT = """
library(survival)
people <- read.csv("people.csv")
write <- function(name, value) cat(sprintf('"%s": [%s],\\n', name, paste(sprintf("%.12g", value), collapse = ", ")))
cat("{")
cox <- coxph(Surv(time, cause == "relapse") ~ arm + cluster(person), people, ties = "efron",
             control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50, timefix = FALSE))
write("cox", c(coef(cox), sqrt(vcov(cox)[1, 1])))
ranks <- survdiff(Surv(time, cause == "relapse") ~ arm, people)
write("ranks", c(ranks$chisq, ranks$obs[2], ranks$exp[2]))
for (world in c(0, 1)) {
  own <- people[people$arm == 1 - world, ]
  states <- survfit(Surv(time, factor(cause, c("none", "relapse", "death"))) ~ 1, own, timefix = FALSE)
  at <- summary(states, times = (0:24) / 12 + 1e-9, extend = TRUE)$pstate
  write(paste("relapse", world), at[, which(states$states == "relapse")])
  write(paste("death", world), at[, which(states$states == "death")])
  free <- survfit(Surv(time, cause != "none") ~ 1, own, timefix = FALSE)
  write(paste("mean", world), summary(free, rmean = 2)$table[c("rmean", "se(rmean)")])
}
cat('"end": []}')
"""


@pytest.fixture(scope="module", params=["instants", "ties"])
def model(make_model: MakeModel, request: pytest.FixtureRequest) -> Model:
    """With a hazard an event has its own instant; drawn yes or no, it comes at the end of a step, where many tie."""
    draw = "Hazard({0})" if request.param == "instants" else "Bernoulli(0.2 * ({0}))"
    relapse, death = draw.format("0.8 - 0.4 * a[-1]"), draw.format("0.4 - 0.2 * a[-1]")
    return make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "relapse": {"kind": "event", "mechanism": relapse},
            "death": {"kind": "event", "ends": "journey", "mechanism": death},
        },
        steps=24,
    )


def run_r(times: EventTimes, folder: Path) -> dict[str, list[float]]:
    rows = ["person,arm,time,cause"]
    names = [*times.events, "none"]
    for world in (0, 1):
        for person, (time, cause) in enumerate(zip(times.time[world], times.cause[world], strict=True)):
            rows.append(f"{person},{1 - world},{float(time)!r},{names[cause]}")
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    (folder / "script.R").write_text(SCRIPT)
    done = subprocess.run(["Rscript", "script.R"], cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


@pytest.mark.verification
def test_r_has_the_same_numbers(model: Model, tmp_path: Path) -> None:
    effect = "a -> relapse @ 2 years"
    question = Question(model=model, effect=parse_effect(effect, model), patients=PEOPLE)
    times = gather_times(question, ["relapse", "death"])
    r = run_r(times, tmp_path)
    ratio = ask(model, effect, measure="hazard-ratio", patients=PEOPLE)
    assert [math.log(ratio.value), ratio.details["log_standard_error"]] == pytest.approx(r["cox"], abs=1e-6)
    ranks = ask(model, effect, measure="log-rank", patients=PEOPLE)
    observed, expected = ranks.details["events"]["a = 1"], ranks.details["expected"]["a = 1"]
    assert [ranks.value, observed, expected] == pytest.approx(r["ranks"], rel=1e-6)
    incidence = ask(model, effect, measure="incidence", patients=PEOPLE)
    restricted = ask(model, effect, measure="rmst", patients=PEOPLE)
    for world, label in enumerate(("a = 1", "a = 0")):
        for cause in ("relapse", "death"):
            assert incidence.details["curves"][f"{cause}, {label}"] == pytest.approx(r[f"{cause} {world}"], abs=1e-6)
        assert restricted.details["means"][label] == pytest.approx(r[f"mean {world}"][0], abs=1e-6)
        # R divides the squares by the number of people, and estimate_mean by one less
        error = estimate_mean(times.time[world]).error * math.sqrt((PEOPLE - 1) / PEOPLE)
        assert error == pytest.approx(r[f"mean {world}"][1], abs=1e-6)
