"""What every test is held to: it leaves no global state behind."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from nosograph.causal.language import parse_mechanism
from nosograph.causal.model.model import Claim, Clock, Model, Parameter, Variable

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines are noisy
settings.load_profile("untimed")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch comes: tests run in as many processes as there are cores


def _look_around() -> dict[str, Any]:
    """The global state of the libraries that are loaded so far."""
    state: dict[str, Any] = {"python's random numbers": random.getstate()}
    numpy, torch, pyro = (sys.modules.get(name) for name in ("numpy", "torch", "pyro"))
    if numpy is not None and hasattr(numpy, "random"):
        name, keys, *rest = numpy.random.get_state(legacy=True)
        state["numpy's random numbers"] = (name, keys.tobytes(), *rest)
    if torch is not None and hasattr(torch, "get_rng_state"):
        state["torch's random numbers"] = torch.get_rng_state().numpy().tobytes()
        state["torch's default dtype"] = torch.get_default_dtype()
        state["torch's number of threads"] = torch.get_num_threads()
        state["torch's gradient mode"] = torch.is_grad_enabled()
    if pyro is not None and hasattr(pyro, "get_param_store"):
        state["Pyro's parameter store"] = sorted(pyro.get_param_store().keys())
        state["Pyro's handlers"] = len(sys.modules["pyro.poutine.runtime"]._PYRO_STACK)
    return state


@pytest.fixture(autouse=True)
def leave_no_trace() -> Iterator[None]:
    """Fail a test after which global state is another than before (sbi's conftest taught us this)."""
    before = _look_around()
    yield
    after = _look_around()
    changed = [what for what in before if before[what] != after[what]]
    if changed:
        pytest.fail(f"the test left behind a change in {', '.join(changed)}")


MakeModel = Callable[..., Model]


def build_model(
    variables: dict[str, dict[str, Any]],
    *,
    steps: int = 12,
    parameters: dict[str, float] | None = None,
    population: str = "",
) -> Model:
    """A model by hand, a step a month: keys as in a document, claims as the expressions read."""
    built: dict[str, Variable] = {}
    for name, keys in variables.items():
        parsed = {
            key: parse_mechanism(value)
            if key in ("start", "mechanism", "when", "missing") and _is_text(value)
            else value
            for key, value in keys.items()
        }
        variable = Variable(name=name, iri=f"x:{name}", **parsed)
        causes = sorted({*(read.name for read in variable.reads), *variable.any_of} & variables.keys() - {name})
        built[name] = replace(variable, claims=tuple(Claim(cause, name) for cause in causes))
    return Model(
        id="made",
        iri="x:made",
        title="made",
        version="1",
        disease="",
        clock=Clock(1 / 12, steps / 12, 1.0, ("1 month", f"{steps} months", "year")),
        parameters={name: Parameter(name, f"x:{name}", value) for name, value in (parameters or {}).items()},
        variables=built,
        population=parse_mechanism(population) if population else None,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str | float | int)


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    return build_model


@pytest.fixture(scope="module")
def load_models_once() -> Iterator[None]:
    """For tests that open a run often: its model takes longer to load than all else together, and stays the same."""
    from nosograph.causal.model import load
    from nosograph.simulate import cohort

    real = load.load_model
    loaded: dict[tuple[str, str], Model] = {}

    def load_model(source: Any, *, parameters: dict[str, float] | None = None) -> Model:
        key = (Path(source).read_text(), repr(parameters))
        if key not in loaded:
            loaded[key] = real(source, parameters=parameters)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        for module in (load, cohort):
            patch.setattr(module, "load_model", load_model)
        yield
