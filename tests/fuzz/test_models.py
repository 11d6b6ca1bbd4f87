"""Whatever a disease model says, in YAML, Turtle or JSON-LD: a model, or a message."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.explain.page import render_page
from nosograph.causal.families import FAMILIES
from nosograph.causal.language.parser import parse_expression, parse_formula, parse_mechanism
from nosograph.causal.language.syntax import FUNCTIONS
from nosograph.causal.model.compose import compose
from nosograph.causal.model.load import load_model
from nosograph.ontology.files import write_graph
from nosograph.ontology.knowledge import KnowledgeGraph

from .cases import fuzz, refuse_politely
from .mutate import changed_texts, changed_trees, texts, to_bytes, values

MODELS = Path(__file__).parents[1] / "models"
KNOWLEDGE = KnowledgeGraph()
SOUND = ("six", "core_everything", "common", "phenotypes")


def read(name: str) -> str:
    return (MODELS / f"{name}.yaml").read_text(encoding="utf-8")


NAMES = st.sampled_from(["age", "risk", "severity", "treated", "death", "progression", "t", "dt", "x", "sex"])
LEAVES = st.one_of(
    NAMES,
    st.sampled_from(["0", "1", "-1", "0.5", "1e-5", "1e308", "true", '"female"', "severity[-1]", "ever(death)"]),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Larger expressions from smaller ones."""
    operators = st.sampled_from([" + ", "-", "*", "/", "**", " and ", " or ", "==", "<", ">=", ", ", ": ", "; "])
    functions = st.sampled_from(
        [*FUNCTIONS, *FAMILIES, "ever", "since", "recorded", "table", "cases", "probit", "nothing"]
    )
    return st.one_of(
        st.tuples(inner, operators, inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("not {}".format),
        st.tuples(functions, st.lists(inner, max_size=4)).map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.tuples(inner, inner).map("table({0[0]}; 0: 1, 50: {0[1]})".format),
        st.tuples(inner, texts).map("{0[0]}[{0[1]}]".format),
    )


expressions = st.recursive(LEAVES, grow, max_leaves=12)


@fuzz("documents", of=2)
@given(tree=changed_trees([yaml.safe_load(read(name)) for name in SOUND], expressions=expressions))
def test_documents(tree: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(to_bytes(yaml.dump(tree, allow_unicode=True) if isinstance(tree, dict | list) else str(tree)))
    model = refuse_politely(lambda: load_model(path, knowledge=KNOWLEDGE))
    if model is not None:
        refuse_politely(lambda: render_page(model))


@fuzz("documents", of=2)
@given(text=changed_texts([read(name) for name in SOUND]))
def test_texts_of_documents(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_bytes(to_bytes(text))
    refuse_politely(lambda: load_model(path, knowledge=KNOWLEDGE))


@cache
def write(suffix: str) -> str:
    return write_graph(compose(MODELS / "six.yaml", knowledge=KNOWLEDGE).graph, suffix)


@fuzz("graphs", of=3)
@given(text=st.deferred(lambda: changed_texts([write(".ttl")])))
def test_turtle(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.ttl"
    path.write_bytes(to_bytes(text))
    refuse_politely(lambda: load_model(path, knowledge=KNOWLEDGE))


@fuzz("graphs", of=3)
@given(tree=st.deferred(lambda: changed_trees([json.loads(write(".jsonld"))], expressions=expressions)))
def test_json(tree: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.jsonld"
    path.write_text(json.dumps(tree))
    refuse_politely(lambda: load_model(path, knowledge=KNOWLEDGE))


@fuzz("graphs", of=3)
@given(data=st.data(), suffix=st.sampled_from([".rdf", ".nt", ".jsonld"]))
def test_other_graphs(data: st.DataObject, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(to_bytes(data.draw(changed_texts([write(suffix)]))))
    refuse_politely(lambda: load_model(path, knowledge=KNOWLEDGE))


@fuzz("expressions")
@given(text=st.one_of(expressions, expressions.flatmap(lambda text: changed_texts([text])), texts, values.map(str)))
def test_expressions(text: str) -> None:
    for parse in (parse_expression, parse_mechanism, parse_formula):
        tree = refuse_politely(lambda parse=parse: parse(text))
        if tree is not None:
            assert parse(str(tree)) == tree
