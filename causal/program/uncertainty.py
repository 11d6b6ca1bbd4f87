"""Parameter uncertainty: drawn once per cohort, not per patient, where it would average out."""

from __future__ import annotations

import torch

from ..families import FAMILIES, Family
from ..model.model import Model
from .expressions import StepState, compile_expression
from .noise import DRAWS, check_seed

PURPOSE = "parameters"


def find_uncertain(model: Model) -> dict[str, tuple[Family, tuple[float, ...]]]:
    """The distributions of the parameters that have one."""
    values = {name: parameter.value for name, parameter in model.parameters.items()}
    moment = StepState(time=0.0, dt=model.clock.dt, parameters=values, now={}, history=[])
    found = {}
    for name, parameter in model.parameters.items():
        if parameter.uncertain is not None:
            theta = [compile_expression(p, constant=frozenset(), levels={}) for p in parameter.uncertain.parameters]
            found[name] = FAMILIES[parameter.uncertain.family], tuple(float(evaluate(moment)) for evaluate in theta)
    return found


def draw_parameters(model: Model, *, seed: int) -> dict[str, float]:
    """Draw every `uncertain` parameter once from its distribution. A draw depends only on the seed, the parameter's
    name and its distribution, so adding a parameter does not change the others. Apply with `set_parameters`."""
    drawn, seed = {}, check_seed(seed)
    for name, (family, theta) in find_uncertain(model).items():
        noise = DRAWS[family.noise](seed=seed, name=name, patients=torch.arange(1), steps=1, purpose=PURPOSE)
        drawn[name] = float(family.push(noise, *theta))
    return drawn
