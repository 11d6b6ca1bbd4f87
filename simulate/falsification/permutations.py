"""DoWhy's falsification: is the graph better than graphs with the same arrows between other names?

Eulig and others 2023, "Toward falsifying causal graphs using a permutation-based test". DoWhy counts the violated local
Markov conditions of the graph and of permuted ones; their number is bounded here, since each has its own tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from ...causal.effects.columns import Column
from ...causal.effects.design import Array
from ...causal.effects.dowhy import quiet_dowhy
from ...causal.effects.implications import Unrolled
from ...causal.effects.projection import project
from .independence import find_p_value

if TYPE_CHECKING:
    import pandas as pd

MOST_TESTS = 4_000  # of all permuted graphs together, about
MOST_ROWS = 1_000  # people of each test
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Permuted:
    """`tests` and `violated`: local Markov conditions of the graph, and those violated at the 0.05 level;
    `permutations`: of those `asked` for; `as_good`: how many of them violate no larger share of theirs. `quantities`:
    how many are looked at, `of` all."""

    quantities: int
    of: int
    tests: int
    violated: int
    asked: int
    permutations: int
    as_good: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        bound = f" (of {self.asked} asked for: more would cost too much)" if self.permutations < self.asked else ""
        return (
            f"DoWhy's falsification, on {self.quantities} of {self.of} quantities: {self.violated} of {self.tests} "
            f"local Markov conditions violated at the level of {SIGNIFICANCE}; of {self.permutations} graphs with "
            f"permuted names{bound}, {self.as_good} are as good"
        )


def permute(
    unrolled: Unrolled, quantities: Sequence[Column], frame: pd.DataFrame, *, permutations: int, seed: int
) -> Permuted | None:
    """DoWhy's `falsify_graph` on the latent projection onto the quantities, with our test, on at most `MOST_ROWS`
    people and as many permutations as make about `MOST_TESTS` tests. None where there is no condition to test, or not
    one permutation is asked for or can be had."""
    graph, chosen, conditions = _choose(unrolled, quantities, permutations)
    count = min(permutations, MOST_TESTS // max(conditions, 1))
    if not count or not conditions:
        return None
    rows = frame if len(frame) <= MOST_ROWS else frame.sample(MOST_ROWS, random_state=np.random.RandomState(seed))
    with quiet_dowhy(seed):
        from dowhy.gcm.falsify import FalsifyConst, falsify_graph

        found = falsify_graph(
            graph,
            rows[[column.name for column in chosen]],
            independence_test=lambda x, y: _test(x, y, None),
            conditional_independence_test=_test,
            significance_ci=SIGNIFICANCE,
            n_permutations=count,
            n_jobs=1,
            show_progress_bar=False,
        )
    summary = found.summary[FalsifyConst.VALIDATE_LMC]
    own = float(summary[FalsifyConst.F_GIVEN_VIOLATIONS])
    shares = [float(share) for share in summary[FalsifyConst.F_PERM_VIOLATIONS]]
    return Permuted(
        quantities=len(chosen),
        of=len(quantities),
        tests=int(summary[FalsifyConst.N_TESTS]),
        violated=int(summary[FalsifyConst.GIVEN_VIOLATIONS]),
        asked=permutations,
        permutations=len(shares),
        as_good=sum(share <= own for share in shares),
    )


def _choose(
    unrolled: Unrolled, quantities: Sequence[Column], permutations: int
) -> tuple[nx.DiGraph[str], list[Column], int]:
    """The projection, by names, onto the quantities, or onto those of fewer times where the tests would be too many:
    the first and the last, else the last; and the number of its local Markov conditions."""
    times = sorted({column.step for column in quantities})
    for steps in (times, [times[0], times[-1]], times[-1:]):
        chosen = [c for c in quantities if c.step in steps or unrolled.model.variables[c.variable].kind == "static"]
        names = {column.node: column.name for column in chosen}
        projection = project(unrolled.graph, list(names))
        graph: nx.DiGraph[str] = nx.relabel_nodes(
            projection, {node: names.get(node, f"latent {node}") for node in projection}
        )
        others = (len(graph) - 1 - len(nx.descendants(graph, name) | {*graph.pred[name]}) for name in graph)
        conditions = sum(others)
        if conditions * permutations <= MOST_TESTS:
            break
    return graph, chosen, conditions


def _test(x: Array, y: Array, z: Array | None) -> float | None:
    """The test of independence as DoWhy calls it, on those who have all values."""
    import pandas as pd

    held = np.empty((len(x), 0)) if z is None else z.reshape(len(x), -1)
    whole = ~np.isnan(np.column_stack([x, y, held])).any(axis=1)
    return find_p_value(x[whole], y[whole], pd.DataFrame(held[whole]))
