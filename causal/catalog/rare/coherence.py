"""Fits terms that contain each other: how often each occurs by itself, so that all occur as often as annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...language.noisy_or import leak, union
from .frequencies import Frequency

# The stronger loadings to try, in this order, for a family that does not fit.
LADDER = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
ROUNDING = 1e-9

Excess = Literal["", "incoherent", "raised", "beyond", "assumed", "below"]
View = Mapping[str, Frequency | None]


@dataclass(frozen=True)
class Fit:
    """How often a term occurs (`value`), how often by itself (`own`), and whether the terms below raised it.

    `excess` is "incoherent" if one more specific term is more frequent, both as annotated; "raised" if all of them
    together are more frequent, but within the interval of the term; "beyond" if beyond its interval; "assumed" if its
    frequency was not annotated; "below" if nothing is annotated for this sex; otherwise "".
    """

    value: float
    own: float
    excess: Excess


def fit_family(
    views: Sequence[View], below: Mapping[str, Sequence[str]], strength: float
) -> tuple[float, list[dict[str, Fit]]]:
    """The loading for a family of connected terms, and the fit of its terms in each view (one for both sexes, or each).

    A view gives each term's frequency as annotated, the most general terms first; None for a term that this sex has
    only through the terms below it. `below` names all more specific terms. The loading is the smallest, from
    `strength` up the ladder, with which no term leaves its interval; if there is none, the smallest with which the
    fewest terms do. A stronger loading helps because terms that occur together add up to less (D. Slepian 1962, "The
    one-sided barrier problem for Gaussian noise").
    """
    best: tuple[float, list[dict[str, Fit]]] = (strength, [])
    least = -1
    for loading in (strength, *(step for step in LADDER if step > strength)):
        fits = [_fit_view(view, below, loading) for view in views]
        beyond = sum(fit.excess == "beyond" for fitted in fits for fit in fitted.values())
        if least < 0 or beyond < least:
            best, least = (loading, fits), beyond
        if beyond == 0:
            break
    return best


def _fit_view(view: View, below: Mapping[str, Sequence[str]], strength: float) -> dict[str, Fit]:
    fits: dict[str, Fit] = {}
    for concept in reversed(list(view)):
        frequency = view[concept]
        under = [other for other in below[concept] if other in view]
        own = [fits[other].own for other in under]
        together = union(own, strength)
        if frequency is None:
            fits[concept] = Fit(together, 0.0, "below")
        elif together <= frequency.value + ROUNDING:
            fits[concept] = Fit(frequency.value, leak(frequency.value, strength, *own), "")
        else:
            fits[concept] = Fit(together, 0.0, _judge(frequency, [view[name] for name in under], together))
    return fits


def _judge(frequency: Frequency, more_specific: Sequence[Frequency | None], together: float) -> Excess:
    """How the terms below, which occur with probability `together`, changed a term's frequency."""
    if frequency.basis == "assumption":
        return "assumed"
    known = (other for other in more_specific if other and other.basis != "assumption")
    if any(other.value > frequency.value + ROUNDING for other in known):
        return "incoherent"
    return "raised" if together <= frequency.interval[1] + ROUNDING else "beyond"
