"""Checks the SHACL shapes of a disease model in RDF, and says in words what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from rdflib import Graph, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDF, SH
from rdflib.term import Node

from ..errors import Problem, nearest
from .document import Places
from .vocabulary import NG, local_name, model_iri


@cache
def read_shapes() -> Graph:
    text = resources.files(__package__).joinpath("shapes.ttl").read_text(encoding="utf-8")
    return Graph(bind_namespaces="none").parse(data=text, format="turtle")


def check_shapes(graph: Graph, places: Places) -> list[Problem]:
    """What breaks the shapes in the graph of a disease model; nothing if all is well."""
    from pyshacl import validate

    conforms, report, _ = validate(
        graph, shacl_graph=read_shapes(), advanced=False, inference="none", meta_shacl=False, allow_warnings=False
    )
    found = set(_check_iris(graph, places))
    if not conforms and isinstance(report, Graph):
        results = report.subjects(RDF.type, SH.ValidationResult)
        found |= {_explain(graph, report, result, places) for result in results}
    return sorted(found, key=lambda problem: (problem.line, problem.node, problem.problem))


def _check_iris(graph: Graph, places: Places) -> Iterator[Problem]:
    """A model's IRI ends in its id, and its variables' and parameters' IRIs begin with the model's."""
    for model in graph.subjects(RDF.type, NG.DiseaseModel):
        expected = [(model, model_iri(str(name))) for name in graph.objects(model, NG.id)]
        for key, folder in ((NG.variable, "var"), (NG.parameter, "par")):
            expected += [(node, URIRef(f"{model}/{folder}/{local_name(node)}")) for node in graph.objects(model, key)]
        for node, right in expected:
            if node != right:
                name = local_name(node)
                problem = "the IRI is not where it must be"
                yield Problem(problem, fix=f"<{right}>", node=name, value=str(node), file=places.file)


def check_targets(graph: Graph) -> list[Problem]:
    """Statements about a variable must use its own IRI. Otherwise a variable of another model with the same name at the
    end would pass for it. The graph has all imports."""
    variables = {local_name(node): node for node in graph.subjects(RDF.type, NG.Variable)}
    found = []
    for key in ("cause", "of", "anyOf", "extends", "overrides"):
        for node, target in graph.subject_objects(NG[key]):
            name = local_name(target)
            if name in variables and (target, RDF.type, NG.Variable) not in graph:
                owner = local_name(_find_owner(graph, node))
                problem = f"ng:{key} names what is no variable"
                found.append(Problem(problem, fix=f"<{variables[name]}>", node=owner, value=str(target)))
    return found


def _explain(graph: Graph, report: Graph, result: Node, places: Places) -> Problem:
    focus = report.value(result, SH.focusNode)
    path = report.value(result, SH.resultPath)
    value = report.value(result, SH.value)
    rule = report.value(result, SH.sourceConstraintComponent)
    shape = report.value(result, SH.sourceShape)
    key = f"ng:{local_name(path)}" if isinstance(path, URIRef) else ""
    owner = _find_owner(graph, focus)
    parameter = "/par/" in str(owner)
    if parameter and rule == SH.XoneConstraintComponent:
        twice = (focus, NG.value, None) in graph
        problem = "ng:value and ng:formula stand together" if twice else "ng:value is missing"
        fix = 'ng:value 1.5, or ng:formula "probit(frequency)"'
    else:
        problem, fix = _describe(rule, key, shape, str(report.value(result, SH.resultMessage)))
    shown = value.n3(graph.namespace_manager) if isinstance(value, Node) and value != focus else str(focus)
    group = "parameters" if parameter else "variables"
    line = places.line(f"{group}.{local_name(owner)}")
    return Problem(problem, fix=fix, node=local_name(owner), value=shown, file=places.file, line=line)


def _find_owner(graph: Graph, node: Node | None) -> Node | None:
    """The variable that a claim belongs to; for any other node, the node itself."""
    return next(iter(graph.subjects(NG.causedBy, node)), node)


def _describe(rule: Node | None, key: str, shape: Node | None, message: str) -> tuple[str, str]:
    """The problem and its fix, by the broken constraint of the SHACL specification (section 4)."""
    shapes = read_shapes()
    if rule == SH.ClosedConstraintComponent:
        known = sorted(f"ng:{local_name(p)}" for p in set(shapes.objects(None, SH.path)) if isinstance(p, URIRef))
        near = nearest(key, known)
        return f"unknown property {key}", near or f"one of {', '.join(known)}"
    if rule == SH.MinCountConstraintComponent:
        return (f"{key} is missing", f"{key} …") if key else ("no variable has this claim", "ng:causedBy it")
    if rule == SH.MaxCountConstraintComponent:
        return f"{key or 'ng:causedBy'} stands more than once", f"one {key or 'ng:causedBy'}"
    if rule == SH.InConstraintComponent and shape is not None:
        choices = shapes.value(shape, SH["in"])
        words = [f'"{word}"' for word in Collection(shapes, choices)] if choices is not None else []
        return f"{key} cannot be this", f"{key} {' or '.join(words)}"
    if rule == SH.ClassConstraintComponent and shape is not None:
        kind = local_name(shapes.value(shape, SH["class"]))
        return f"{key} leads to what is no ng:{kind}", f"a ng:{kind} at its node"
    if rule == SH.XoneConstraintComponent:
        return (
            "a claim is either cited or assumed",
            'ng:evidence <https://pubmed.ncbi.nlm.nih.gov/…>, or ng:source "assumption"',
        )
    if rule == SH.OrConstraintComponent:
        return (f"{key} is no number", f"{key} 1.5") if key else ("ng:kind is missing", 'ng:kind "state"')
    if rule == SH.NodeKindConstraintComponent:
        literal = shape is not None and shapes.value(shape, SH.nodeKind) == SH.Literal
        return (f"{key} is no text", f'{key} "…"') if literal else (f"{key or 'the node'} is no IRI", "<https://…>")
    if rule == SH.PatternConstraintComponent:
        return "the name is not as it must be", "https://w3id.org/nosograph/model/<id>, with /var/<name> or /par/<name>"
    return f"{key or 'the node'} is not as it should be", message
