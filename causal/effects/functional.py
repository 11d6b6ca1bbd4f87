"""Is the effect of one cause identifiable at all, and by what functional of the record's distribution?

The complete algorithm of Tian & Pearl (2002, "A general identification condition for causal effects"; complete by
Huang & Valtorta 2006): the outcome's law under intervention is a product of the c-components' factors, each computed
from the distribution, or else there is a hedge (Shpitser & Pearl 2006, "Identification of joint interventional
distributions in recursive semi-Markovian causal models").

(y0 0.2.11 has the same verdicts, which a test compares, but its functional of the napkin graph is P(Y | X).)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import networkx as nx

Node: TypeAlias = Hashable
Nodes: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True)
class Conditional:
    """P(node | given)."""

    node: Node
    given: Nodes


@dataclass(frozen=True)
class Product:
    factors: tuple[Functional, ...]


@dataclass(frozen=True)
class Sum:
    """The sum of `term` over all values of `over`."""

    over: Nodes
    term: Functional


@dataclass(frozen=True)
class Ratio:
    above: Functional
    below: Functional


Functional: TypeAlias = Conditional | Product | Sum | Ratio


@dataclass(frozen=True)
class Hedge:
    """Why an effect is not identifiable: all of `whole` share hidden causes, so do those of `part`, which the cause
    precedes; two models can agree on everything recorded and differ in the effect."""

    whole: Nodes
    part: Nodes


def find_hedge(projection: nx.DiGraph[Any], cause: Node, outcome: Node) -> Hedge | None:
    """Why P(outcome | do(cause)) is not identifiable from the observed nodes; None if it is.

    `projection`: a latent projection (`project`); nodes with the attribute `latent` are hidden and have no parents.
    """
    return _Identifier.prepare(projection, outcome).find_hedge(cause, outcome)


def find_functional(projection: nx.DiGraph[Any], cause: Node, outcome: Node) -> Functional:
    """P(outcome | do(cause)) as a functional of the distribution of the observed nodes. Where it reads a node that is
    neither summed over nor the cause or the outcome, any value of that node gives the same. Raises ValueError if it is
    not identifiable (`find_hedge`)."""
    return _Identifier.prepare(projection, outcome).identify(cause, outcome)


def write_functional(functional: Functional, names: Mapping[Node, str], *, free: Iterable[Node] = ()) -> str:
    """The functional in one line: "Σ_m P(m | x) (Σ_x' P(x') P(y | x', m))". `free`: the nodes whose values are given; a
    sum over one of them, or over a node that an outer sum is over, has a prime."""
    return _write(functional, dict(names), frozenset(free))


def _write(functional: Functional, names: dict[Node, str], used: frozenset[Node]) -> str:
    match functional:
        case Conditional(node, given):
            condition = f" | {', '.join(names[other] for other in given)}" if given else ""
            return f"P({names[node]}{condition})"
        case Product(factors):
            written = [_write(factor, names, used) for factor in factors]
            return " ".join(
                f"({text})" if isinstance(factor, Sum) and len(factors) > 1 and number < len(factors) - 1 else text
                for number, (factor, text) in enumerate(zip(factors, written, strict=True))
            )
        case Ratio(above, below):
            return f"[{_write(above, names, used)}] / [{_write(below, names, used)}]"
        case Sum(over, term):
            inner = {**names, **{node: names[node] + "'" for node in over if node in used}}
            return f"Σ_{{{', '.join(inner[node] for node in over)}}} {_write(term, inner, used | set(over))}"


@dataclass(frozen=True)
class _Identifier:
    """The ancestors of the outcome: the observed ones in topological order, their arrows, and which pairs share a
    hidden cause."""

    order: Nodes
    directed: nx.DiGraph[Any]
    hidden: nx.Graph[Any]

    @classmethod
    def prepare(cls, projection: nx.DiGraph[Any], outcome: Node) -> _Identifier:
        latent = {node for node, is_latent in projection.nodes(data="latent") if is_latent}
        kept = (nx.ancestors(projection, outcome) | {outcome}) - latent
        directed: nx.DiGraph[Any] = nx.DiGraph()
        hidden: nx.Graph[Any] = nx.Graph()
        position = {node: number for number, node in enumerate(projection)}
        directed.add_nodes_from(node for node in projection if node in kept)
        directed.add_edges_from((a, b) for a, b in projection.edges if a in kept and b in kept)
        hidden.add_nodes_from(directed)
        for node in projection:
            if node in latent:
                hidden.add_edges_from(combinations([child for child in projection[node] if child in kept], 2))
        order = tuple(nx.lexicographical_topological_sort(directed, key=position.__getitem__))
        return cls(order, directed, hidden)

    def find_hedge(self, cause: Node, outcome: Node) -> Hedge | None:
        for part, whole in self._factors(cause, outcome):
            while (closed := self._ancestors(part, whole)) != part:
                if closed == whole:
                    return self._shrink(Hedge(whole, part), cause)
                whole = self._around(part, closed)
        return None

    def _shrink(self, hedge: Hedge, cause: Node) -> Hedge:
        """A hedge with fewer nodes and one root, if there is one: all its nodes are ancestors of the root within it,
        and hidden causes connect them."""
        for root in reversed(hedge.part):
            found = self._around_root(root, hedge.whole)
            if cause not in found:
                continue
            for node in found:
                smaller = self._around_root(root, [other for other in found if other != node])
                found = smaller if node not in (root, cause) and node in found and cause in smaller else found
            return Hedge(found, (root,))
        return hedge

    def _around_root(self, root: Node, nodes: Iterable[Node]) -> Nodes:
        """The largest part of `nodes` whose members are ancestors of the root in it, and connected by hidden causes."""
        found = tuple(nodes)
        while root in found and (smaller := self._around((root,), self._ancestors((root,), found))) != found:
            found = smaller
        return found

    def identify(self, cause: Node, outcome: Node) -> Functional:
        factors = []
        for part, whole in self._factors(cause, outcome):
            factor = self._chain(whole, self.order)
            while (closed := self._ancestors(part, whole)) != part:
                if closed == whole:
                    raise ValueError(f"the effect of {cause} on {outcome} is not identifiable")
                factor = _sum_to(closed, whole, factor)
                whole = self._around(part, closed)
                factor = _multiply([_divide(node, closed, factor) for node in whole])
            factors.append(_sum_to(part, whole, factor))
        return _sum_to((outcome,), self._acting(cause, outcome), _multiply(factors))

    def _acting(self, cause: Node, outcome: Node) -> Nodes:
        """The outcome, and what acts on it other than through the cause."""
        return self._ancestors((outcome,), [node for node in self.order if node != cause])

    def _factors(self, cause: Node, outcome: Node) -> list[tuple[Nodes, Nodes]]:
        """The c-components of what acts on the outcome when the cause is set, each with that of the whole graph around
        it. The product of their factors is the law under intervention."""
        everything = self._components(self.order)
        return [
            (part, next(whole for whole in everything if set(part) <= set(whole)))
            for part in self._components(self._acting(cause, outcome))
        ]

    def _around(self, part: Nodes, nodes: Nodes) -> Nodes:
        return next(found for found in self._components(nodes) if set(part) <= set(found))

    def _chain(self, part: Nodes, order: Nodes) -> Functional:
        """The factor of a c-component: P(node | what precedes it, as far as it matters) for each of its nodes."""
        return _multiply([Conditional(node, self._blanket(node, order)) for node in part])

    def _blanket(self, node: Node, order: Nodes) -> Nodes:
        """Those before `node` on which it depends given all of them: its c-component there, and the parents of that."""
        before = order[: order.index(node) + 1]
        component = next(found for found in self._components(before) if node in found)
        near = {*component}.union(*(self.directed.predecessors(member) for member in component)) - {node}
        return tuple(other for other in before if other in near)

    def _ancestors(self, nodes: Nodes, within: Iterable[Node]) -> Nodes:
        inside = self.directed.subgraph(within)
        found = set(nodes).union(*(nx.ancestors(inside, node) for node in nodes))
        return tuple(node for node in self.order if node in found)

    def _components(self, nodes: Iterable[Node]) -> list[Nodes]:
        """The c-components: the sets of nodes connected by shared hidden causes, each in topological order."""
        parts = nx.connected_components(self.hidden.subgraph(nodes))
        return sorted((tuple(node for node in self.order if node in part) for part in parts), key=self._rank)

    def _rank(self, part: Nodes) -> int:
        return self.order.index(part[0])


def _sum_to(part: Nodes, whole: Nodes, term: Functional) -> Functional:
    """The factor of `whole` summed over all that is not in `part`, without the terms that then sum to one: those of
    nodes that nothing else reads."""
    over = [node for node in whole if node not in part]
    for node in reversed(over):
        factors = term.factors if isinstance(term, Product) else (term,)
        own = next((f for f in factors if isinstance(f, Conditional) and f.node == node), None)
        others = [factor for factor in factors if factor is not own]
        if own is not None and not any(_reads(factor, node) for factor in others):
            term, over = _multiply(others), [other for other in over if other != node]
    return Sum(tuple(over), term) if over else term


def _divide(node: Node, whole: Nodes, factor: Functional) -> Functional:
    """The conditional distribution of `node` given those before it in `whole`, in the distribution `factor`."""
    number = whole.index(node)
    above = _sum_to(whole[: number + 1], whole, factor)
    return Ratio(above, _sum_to(whole[:number], whole, factor)) if number else above


def _multiply(factors: Sequence[Functional]) -> Functional:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _reads(functional: Functional, node: Node) -> bool:
    match functional:
        case Conditional(own, given):
            return node == own or node in given
        case Product(factors):
            return any(_reads(factor, node) for factor in factors)
        case Sum(over, term):
            return node not in over and _reads(term, node)
        case Ratio(above, below):
            return _reads(above, node) or _reads(below, node)
