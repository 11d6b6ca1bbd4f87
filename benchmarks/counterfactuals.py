"""What counterfactuals cost beside dowhy.gcm's and ChiRho's, as ratios within one run, on the machine that is named.
From the root: python benchmarks/counterfactuals.py

Each comparison first makes sure that both sides compute the same numbers, or the same means.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import networkx as nx
import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import torch
from figures import describe_machine, ratio, show
from torch import Tensor

from nosograph.causal.abduction import invert
from nosograph.causal.language import parse_mechanism
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Claim, Clock, Model, Variable
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.causal.program.sampling import sample

UNITS = 100_000
NODES = 12
PATIENTS = 10_000
STEPS = 50
HORIZON = Clock(1 / 12, STEPS / 12, 1.0, ("1 month", f"{STEPS} months", "year"))


def build_model(variables: dict[str, dict[str, str]]) -> Model:
    """A model of such keys, with the claims that it makes."""
    built = {}
    for name, keys in variables.items():
        kind = keys["kind"]
        expressions = {key: parse_mechanism(text) for key, text in keys.items() if key != "kind"}
        variable = Variable(name, f"x:{name}", kind, **expressions)  # type: ignore[arg-type]
        causes = sorted({read.name for read in variable.reads} - {name, "t", "dt"})
        claims = tuple(Claim(cause, name) for cause in causes)
        built[name] = Variable(name, f"x:{name}", kind, claims=claims, **expressions)  # type: ignore[arg-type]
    return Model("made", "x:made", "made", "1", "", HORIZON, {}, built)


def draw_coefficients() -> dict[str, dict[str, float]]:
    """A linear SCM of twelve nodes, each with up to three parents: node -> parent -> coefficient."""
    rng = np.random.default_rng(0)
    parents: dict[str, dict[str, float]] = {}
    for i in range(NODES):
        causes = rng.choice(i, size=min(i, 3), replace=False) if i else []
        parents[f"x{i:02d}"] = {f"x{j:02d}": round(float(rng.normal()), 3) for j in sorted(causes)}
    return parents


def write_linear(parents: dict[str, dict[str, float]]) -> Model:
    means = {name: " + ".join(f"{c} * {p}" for p, c in causes.items()) or "0" for name, causes in parents.items()}
    return build_model({name: {"kind": "static", "mechanism": f"Normal({mean}, 1)"} for name, mean in means.items()})


def build_gcm(parents: dict[str, dict[str, float]]) -> object:
    """The same SCM for dowhy.gcm, its regressions set and not fitted."""
    from dowhy import gcm
    from scipy import stats
    from sklearn.linear_model import LinearRegression

    scm = gcm.InvertibleStructuralCausalModel(nx.DiGraph([(p, n) for n, ps in parents.items() for p in ps]))
    for name, causes in parents.items():
        noise = gcm.ScipyDistribution(stats.norm, loc=0, scale=1)
        if causes:
            regression = LinearRegression().fit(np.eye(len(causes)), np.zeros(len(causes)))
            regression.coef_, regression.intercept_ = np.array([list(causes.values())]), np.zeros(1)
            scm.set_causal_mechanism(name, gcm.AdditiveNoiseModel(gcm.ml.SklearnRegressionModel(regression), noise))
        else:
            scm.set_causal_mechanism(name, noise)
        scm.graph.nodes[name]["parents_during_fit"] = sorted(causes)
    return scm


def measure_inversion() -> None:
    from dowhy import gcm

    parents = draw_coefficients()
    model, scm = write_linear(parents), build_gcm(parents)
    drawn = sample(model, patients=UNITS, steps=0).values
    observed = pd.DataFrame({name: drawn[name][0, 0].double().numpy() for name in parents})
    target = f"x{NODES // 3:02d}"
    world = parse_world(f"w: {target} = 0.7", model=model)

    def invert_ours() -> dict[str, Tensor]:
        values = {name: torch.tensor(observed[name].to_numpy()) for name in observed}
        return dict(invert(model, values).run([world]).values)

    def invert_theirs() -> pd.DataFrame:
        return gcm.counterfactual_samples(scm, {target: lambda _: 0.7}, observed_data=observed)

    ours, theirs = invert_ours(), invert_theirs()
    apart = max(float(np.abs(ours[name].flatten().numpy() - theirs[name].to_numpy()).max()) for name in parents)
    scale = max(float(theirs[name].abs().max()) for name in parents)
    if apart > 1e-4 * scale:
        raise AssertionError(f"the counterfactuals differ by {apart}")
    show(
        f"dowhy.gcm's counterfactuals of a {NODES}-node linear SCM, {UNITS:,} units / ours",
        ratio(invert_theirs, invert_ours, rounds=7),
        "at least 1",
    )


FORWARD = {
    "x": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "Normal(0.9 * x[-1] - 0.5 * a[-1], 0.5)"},
    "y": {"kind": "state", "start": "Normal(0, 1)", "mechanism": "Normal(0.8 * y[-1] + 0.3 * x[-1], 0.5)"},
    "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "Bernoulli(expit(x[-1]))"},
}


def run_chirho(patients: int, *, named: bool) -> dict[str, Tensor]:
    """FORWARD in Pyro, both worlds under ChiRho's TwinWorldCounterfactual: `a` is 1 in every step of the second.

    As ChiRho's tutorials write an SCM (`named`): in each step noise and variables are sites, and `do` names those that
    are set. Else as lean as ChiRho can be: a variable's noise is one site, and the one call in a step is `intervene`.
    """
    from chirho.counterfactual.handlers import TwinWorldCounterfactual
    from chirho.interventional.handlers import do
    from chirho.interventional.ops import intervene

    one = torch.ones(())
    base = {"x": dist.Normal(0.0, 1.0), "y": dist.Normal(0.0, 1.0), "a": dist.Uniform(0.0, 1.0)}

    def model() -> dict[str, Tensor]:
        whole = {
            name: pyro.sample(f"{name}.noise", d.expand((STEPS + 1, patients)).to_event(2))
            for name, d in ({} if named else base).items()
        }

        def draw(name: str, step: int) -> Tensor:
            noise: Tensor = pyro.sample(f"{name}.noise.{step}", base[name]) if named else whole[name][step]
            return noise

        def keep(name: str, step: int, value: Tensor) -> Tensor:
            if named:
                value = pyro.deterministic(f"{name}.{step}", value, event_dim=0)
            elif name == "a":
                value = intervene(value, one, event_dim=0)
            tracks[name].append(value)
            return value

        tracks: dict[str, list[Tensor]] = {name: [] for name in base}
        with pyro.plate("patients", patients, dim=-1):
            x, y = keep("x", 0, draw("x", 0)), keep("y", 0, draw("y", 0))
            a = keep("a", 0, (draw("a", 0) < 0.5).float())
            for step in range(1, STEPS + 1):
                chance = torch.sigmoid(x)
                x, y = 0.9 * x - 0.5 * a + 0.5 * draw("x", step), 0.8 * y + 0.3 * x + 0.5 * draw("y", step)
                x, y = keep("x", step, x), keep("y", step, y)
                a = keep("a", step, (draw("a", step) < chance).float())
        two = (2, 1, patients)
        return {name: torch.stack([v.expand(two) for v in rows], 1).squeeze(2) for name, rows in tracks.items()}

    actions = {f"a.{step}": one for step in range(STEPS + 1)} if named else {}
    with torch.no_grad(), TwinWorldCounterfactual(-3), do(actions=actions):
        return model()


def measure_worlds() -> None:
    model = build_model(FORWARD)
    worlds = [FACTUAL, parse_world("treated: a = 1", model=model)]

    def run_ours(patients: int) -> dict[str, Tensor]:
        return sample(model, patients=patients, worlds=worlds).values

    for named, title in ((True, "as its tutorials write an SCM"), (False, "as lean as can be")):
        check_means(run_ours(PATIENTS), run_chirho(PATIENTS, named=named))
        for patients in (1000, PATIENTS):
            show(
                f"ChiRho's TwinWorld {title}, {patients:,} patients x {STEPS} steps / ours",
                ratio(lambda n=patients, named=named: run_chirho(n, named=named), lambda n=patients: run_ours(n)),
                "at least 3",
            )
    twelve = [parse_world(f"w{i}: a = 1 from {i} months", model=model) for i in range(12)]
    show(
        f"twelve worlds / one, {PATIENTS:,} patients x {STEPS} steps",
        ratio(lambda: sample(model, patients=PATIENTS, worlds=twelve), lambda: sample(model, patients=PATIENTS)),
        "at most 12",
    )
    for name in ("alzheimers", "sepsis"):
        catalogued = load_model(name)
        treatment = next(v.name for v in catalogued.variables.values() if v.kind == "treatment")
        unit = catalogued.clock.text[0].split()[-1]
        twelve = [parse_world(f"w{i}: {treatment} = 1 from {i} {unit}s", model=catalogued) for i in range(12)]
        show(
            f"twelve worlds of {name} / one, {PATIENTS:,} patients",
            ratio(
                lambda m=catalogued, w=twelve: sample(m, patients=PATIENTS, worlds=w),
                lambda m=catalogued: sample(m, patients=PATIENTS),
                rounds=3,
            ),
            "at most 12",
        )


def check_means(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    """Raise unless both agree on the last step's means in both worlds, to five standard errors."""
    for name in ("x", "y"):
        for world in (0, 1):
            one, other = ours[name][world, -1], theirs[name][world, -1]
            error = float(torch.sqrt((one.var() + other.var()) / PATIENTS))
            if abs(float(one.mean() - other.mean())) > 5 * error:
                raise AssertionError(f"{name} in world {world}: {float(one.mean())} and {float(other.mean())}")


def seconds(work: Callable[[], object], *, rounds: int = 15) -> float:
    work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def measure_patient() -> None:
    model = load_model("alzheimers")
    patient = torch.tensor([42])
    months = iter(range(1, 100))

    def answer() -> object:
        """A world that was never run before, its text included."""
        world = parse_world(f"treated: lecanemab = 1 from {next(months)} months", model=model)
        return sample(model, patients=patient, worlds=[FACTUAL, world])

    show("one patient of alzheimers in one new world, warm, seconds", seconds(answer), "under 0.5")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(describe_machine())
    print("\n| figure | measured | asked |\n|---|---|---|")
    for measure in (measure_inversion, measure_worlds, measure_patient):
        measure()
