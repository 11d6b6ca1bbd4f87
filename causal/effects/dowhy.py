"""DoWhy's own estimates and refutations, from a fresh `CausalModel` on a copy of the frame each time.

If a `CausalModel` is used twice, propensity weighting leaves twelve columns in its frame, which later fits then
use. Without `effect_modifiers=[]` the linear regression's interval comes from a bootstrap.
"""

from __future__ import annotations

import logging
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .design import Array
from .estimate import Estimate, weighting_error

if TYPE_CHECKING:
    import pandas as pd

REFUTERS: dict[str, dict[str, Any]] = {
    "placebo_treatment_refuter": {"placebo_type": "permute"},
    "random_common_cause": {},
    "data_subset_refuter": {"subset_fraction": 0.8},
}
NAMES = {
    "placebo_treatment_refuter": "placebo treatment",
    "random_common_cause": "random common cause",
    "data_subset_refuter": "data subset",
}
SIMULATIONS = 10
SIGNIFICANCE = 0.05


@contextmanager
def quiet_dowhy(seed: int = 0) -> Iterator[Any]:
    """The module `dowhy`, with the global generators of numpy and Python temporarily seeded with `seed` (DoWhy draws
    from them).

    Afterwards restores warnings, DoWhy's log level, the generators' states and the display hook (which DoWhy replaces
    on import).
    """
    import numpy as np

    logger = logging.getLogger("dowhy")
    level, hook, state = logger.level, sys.displayhook, np.random.get_state()  # noqa: NPY002
    own_state = random.getstate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dowhy

            sys.displayhook = hook
            logger.setLevel(logging.CRITICAL)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield dowhy
    finally:
        sys.displayhook = hook
        logger.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(own_state)


@dataclass(frozen=True)
class Refutation:
    """A refuter's name, its value and whether the estimate passed; None for a measure that is not a test."""

    name: str
    value: float
    passed: bool | None


def linear_regression(
    frame: pd.DataFrame, treatment: str, outcome: str, contrast: tuple[float, float]
) -> tuple[Estimate, float]:
    """DoWhy's linear regression on the frame's other columns, main effects only; its residual degrees of freedom."""
    with quiet_dowhy() as dowhy:
        fitted = _linear(dowhy, frame, treatment, outcome, contrast)[2]
        error = abs(float(np.ravel(fitted.get_standard_error())[0]))
        freedom = float(fitted.estimator.model.df_resid)
    return Estimate("linear regression (DoWhy)", float(fitted.value), error), freedom


def propensity_weighting(frame: pd.DataFrame, treatment: str, outcome: str) -> Estimate:
    """DoWhy's inverse propensity weighting for a treatment of 0 and 1, self-normalized and untrimmed.

    Untrimmed, because DoWhy's default silently moves propensities into 0.05 to 0.95. The interval is ours (DoWhy has
    only a bootstrap): `weighting_error`.
    """
    with quiet_dowhy() as dowhy:  # scikit-learn's first import also draws from Python's generator
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        logistic = make_pipeline(StandardScaler(), LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-8))
        bounds = {"min_ps_score": 1e-6, "max_ps_score": 1 - 1e-6}
        model, estimand = _fresh(dowhy, frame, treatment, outcome)
        fitted = model.estimate_effect(
            estimand,
            method_name="backdoor.propensity_score_weighting",
            effect_modifiers=[],
            method_params={"propensity_score_model": logistic, **bounds},
        )
    treated: Array = frame[treatment].to_numpy(dtype=np.float64)
    covariates = frame.drop(columns=[treatment, outcome]).to_numpy(dtype=np.float64)
    design = np.column_stack([np.ones(len(frame)), covariates])
    propensity: Array = np.asarray(fitted.params["propensity_scores"], dtype=np.float64)
    error = weighting_error(frame[outcome].to_numpy(dtype=np.float64), treated, design, propensity)
    return Estimate("propensity weighting (DoWhy)", float(fitted.value), error)


def two_stage_regression(frame: pd.DataFrame, *, treatment: str, mediator: str, outcome: str) -> Estimate:
    """DoWhy's front-door estimate for a treatment of 0 and 1 and one mediator: the product of two linear regressions.

    It is right for linear effects alone. The standard error is ours, of a product (Sobel 1982, "Asymptotic confidence
    intervals for indirect effects").
    """
    import networkx as nx

    graph = nx.DiGraph([(treatment, mediator), (mediator, outcome), ("hidden", treatment), ("hidden", outcome)])
    with quiet_dowhy() as dowhy:
        model = dowhy.CausalModel(frame[[treatment, mediator, outcome]].copy(), treatment, outcome, graph=graph)
        estimand = model.identify_effect(method_name="maximal-adjustment", proceed_when_unidentifiable=True)
        fitted = model.estimate_effect(
            estimand, method_name="frontdoor.two_stage_regression", treatment_value=1, control_value=0
        )
        stages = (fitted.estimator._first_stage_model.model, fitted.estimator._second_stage_model.model)
        (a, b), (wide_a, wide_b) = (
            [float(np.asarray(values)[1]) for values in pair]
            for pair in ([stage.params for stage in stages], [stage.bse for stage in stages])
        )
    return Estimate("two-stage regression (DoWhy)", float(fitted.value), float(np.hypot(a * wide_b, b * wide_a)))


def refute(
    frame: pd.DataFrame, treatment: str, outcome: str, contrast: tuple[float, float], *, seed: int
) -> tuple[Refutation, ...]:
    """Three of DoWhy's refuters on its linear regression, ten simulations each, and the robustness value.

    A refuter's value is the mean of its new estimates: about 0 for the placebo (the treatment permuted), about the
    estimate for the others. It passes by DoWhy's own test: the expected value is not in the normal 0.05 tail of the
    simulated ones. With ten of them, a correct estimate fails about six times in 10,000.
    """
    found = []
    for number, (name, options) in enumerate(REFUTERS.items()):
        with quiet_dowhy(seed) as dowhy:
            model, estimand, fitted = _linear(dowhy, frame, treatment, outcome, contrast)
            # a generator, not a number: with a number all data subsets would be the same
            generator = np.random.RandomState([seed, number])
            result = model.refute_estimate(
                estimand, fitted, method_name=name, num_simulations=SIMULATIONS, random_state=generator, **options
            )
        chance = float(np.ravel(result.refutation_result["p_value"])[0])
        same = bool(np.isclose(result.new_effect, 0.0 if name.startswith("placebo") else fitted.value))
        passed = same if np.isnan(chance) else chance > SIGNIFICANCE
        found.append(Refutation(NAMES[name], float(result.new_effect), passed))
    estimate, freedom = linear_regression(frame, treatment, outcome, contrast)
    value = robustness_value(estimate.estimate / estimate.standard_error, freedom)
    return (*found, Refutation("robustness value (a hidden confounder's partial R2)", value, None))


def robustness_value(t: float, degrees_of_freedom: float) -> float:
    """How much of the residual variance of both cause and outcome a hidden confounder must explain to bring a
    regression estimate with statistic `t` to zero (Cinelli & Hazlett 2020, "Making sense of sensitivity")."""
    f2 = t**2 / degrees_of_freedom
    return float((np.sqrt(f2**2 + 4 * f2) - f2) / 2)


def _linear(
    dowhy: Any, frame: pd.DataFrame, treatment: str, outcome: str, contrast: Sequence[float]
) -> tuple[Any, Any, Any]:
    model, estimand = _fresh(dowhy, frame, treatment, outcome)
    fitted = model.estimate_effect(
        estimand,
        method_name="backdoor.linear_regression",
        treatment_value=contrast[0],
        control_value=contrast[1],
        effect_modifiers=[],
    )
    return model, estimand, fitted


def _fresh(dowhy: Any, frame: pd.DataFrame, treatment: str, outcome: str) -> tuple[Any, Any]:
    """A new CausalModel on a copy of the frame, and its estimand; all other columns are the adjustment set."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph([(treatment, outcome)])
    for name in frame:
        if name not in (treatment, outcome):
            graph.add_edges_from([(str(name), treatment), (str(name), outcome)])
    model = dowhy.CausalModel(frame.copy(), treatment, outcome, graph=graph)
    return model, model.identify_effect(method_name="maximal-adjustment", proceed_when_unidentifiable=True)
