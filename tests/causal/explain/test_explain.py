"""Words: every claim and number is there; what is said to be cut, reached or out of reach is so in the simulation."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import networkx as nx
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from nosograph.causal.explain.equations import format_quantity, substitute
from nosograph.causal.explain.explain import explain
from nosograph.causal.explain.interventions import explain_worlds
from nosograph.causal.explain.variables import explain_model, explain_variable
from nosograph.causal.language import parse_expression, reads
from nosograph.causal.language.syntax import Binary, Name, Number, Unary
from nosograph.causal.model.arrows import find_cut, find_reach
from nosograph.causal.model.claims import count_claims
from nosograph.causal.model.load import load_model as load_anew
from nosograph.causal.model.model import Parameter, Schedule
from nosograph.causal.model.world import FACTUAL, World, parse_intervention
from nosograph.causal.program.sampling import sample
from nosograph.errors import NosographError

SIX = Path(__file__).parents[2] / "models" / "six.yaml"
load_model = cache(load_anew)
RICH = """
id: rich
title: Everything <b>once</b> & more
version: 1.0.0
clock: {step: 1 month, horizon: 2 years, unit: year}
population: "age >= least_age"
parameters:
  least_age: {value: 30, unit: a, source: assumption}
  pull: {value: -3.5, unit: 1/a, uncertain: "Normal(-3.5, 0.1)", source: assumption, title: The pull}
  fall_rate: {value: 1.5, unit: /a, source: assumption}
variables:
  age: {kind: static, unit: a, mechanism: "Uniform(20, 80)"}
  group: {kind: static, mechanism: 'Categorical("low": 0.4, "high": 0.6)'}
  other: {kind: state, start: "Normal(0, 1)", mechanism: "Normal(0.9 * other[-1], 0.1)"}
  lesion:
    kind: state
    start: Normal(age / 40, 1)
    mechanism: Normal(lesion[-1] + dt * (1 + pull * drug[-1] + 2 * (group == "high")), 0.3 * sqrt(dt))
    caused_by: {age: {source: assumption}, drug: {source: assumption}, group: {source: assumption}}
  lesion_seen:
    kind: measurement
    of: lesion
    when: visit
    mechanism: Normal(lesion, 0.2)
    missing: Bernoulli(0.05 + 0.001 * age)
    caused_by: {visit: {source: assumption}, age: {source: assumption}}
  other_seen:
    kind: measurement
    of: other
    when: every 2 months
    mechanism: Normal(other, 0.2)
  drug:
    kind: treatment
    start: Bernoulli(0.3 + 0.004 * age)
    mechanism: where(ever(stroke), 0, drug[-1])
    caused_by: {age: {source: assumption}, stroke: {source: assumption}}
  visit:
    kind: event
    occurs: repeatedly
    mechanism: Bernoulli(0.3)
  fall:
    kind: event
    competes: injury
    mechanism: Hazard(fall_rate)
  stroke:
    kind: event
    competes: injury
    mechanism: Hazard(0.3 * max(lesion[-1], 0))
    caused_by: {lesion: {source: assumption}}
  leaving:
    kind: event
    ends: record
    mechanism: Hazard(0.1 + 2 * ever(fall))
    caused_by: {fall: {source: assumption}}
  death:
    kind: event
    ends: journey
    mechanism: Hazard(0.2 * max(lesion[-2], 0))
    caused_by: {lesion: {source: assumption}}
"""


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    path = tmp_path_factory.mktemp("rich") / "rich.yaml"
    path.write_text(RICH)
    return load_model(path)


@pytest.fixture(scope="module", params=["six", "rich", "alzheimers"])
def model(request, rich):
    return {"rich": rich}.get(request.param) or load_model(SIX if request.param == "six" else request.param)


def section_of(model, name):
    return explain_variable(model, name).sections[0]


def under(lines, heading, indent="  "):
    """The names that stand, indented once, under a heading."""
    start = next(i for i, line in enumerate(lines) if line.startswith(heading)) + 1
    found = []
    for line in lines[start:]:
        if not line.startswith(indent):
            break
        if not line.startswith(indent + " "):
            found.append(line.strip())
    return found


def test_every_claim_is_told_at_both_ends_with_its_evidence(model):
    for variable in model.variables.values():
        lines = section_of(model, variable.name).lines
        causes = [line.partition(":")[0] for line in under(lines, "Causes")]
        assert causes == [claim.cause for claim in variable.claims]
        effects = [line.partition(":")[0] for line in under(lines, "Acts on")]
        assert effects == [claim.effect for claim in model.claims if claim.cause == variable.name]
        for claim in variable.claims:
            if claim.evidence:
                at = next(i for i, line in enumerate(lines) if line.startswith(f"  {claim.cause}: "))
                told = lines[at + 1 : at + 1 + len(claim.evidence)]
                for evidence, line in zip(claim.evidence, told, strict=True):
                    assert line.startswith(f"    {evidence.source}")
                    assert evidence.says in line
                    assert ("recalled, not looked up" in line) == (evidence.checked == "recalled")


def test_every_number_is_shown_with_its_unit(model):
    parameters = explain_model(model).sections[-1]
    assert parameters.title == "Parameters"
    for parameter in model.parameters.values():
        shown = format_quantity(parameter.value, parameter.unit)
        assert any(line.startswith(f"{parameter.name} = {shown}") for line in parameters.lines)
        if parameter.uncertain is not None:
            assert f"  uncertain: {parameter.uncertain}" in parameters.lines
    for variable in model.variables.values():
        lines = section_of(model, variable.name).lines
        numeric = " ".join(line for line in lines if line.startswith("  in numbers"))
        for name in {read.name for read in variable.reads} & model.parameters.keys():
            parameter = model.parameters[name]
            assert format_quantity(abs(parameter.value), parameter.unit) in numeric
            assert name not in numeric.replace("[", " ").replace("(", " ").split()
        for expression in variable.expressions.values():
            assert any(str(expression) in line for line in lines)


def test_the_whole_model_has_all_variables_and_counts_its_evidence(model):
    explanation = explain_model(model)
    told = [section.facts["variable"] for section in explanation.sections if "variable" in section.facts]
    assert told == list(model.variables)
    counts = count_claims(model.claims)
    assert counts.claims == len(model.claims) - counts.structural == counts.cited + counts.assumed
    assert counts.cited == sum(any(not e.assumed for e in claim.evidence) for claim in model.claims)
    assert f"{counts.cited} cited" in " ".join(explanation.sections[0].lines)
    for variable in model.variables.values():
        assert section_of(model, variable.name) in explanation.sections


def test_six_in_words():
    model = load_model(SIX)
    lines = section_of(model, "severity").lines
    assert "  in numbers: Normal(severity[-1] + dt * (2/a - 3/a * treated[-1]), 1 * sqrt(dt))" in lines
    assert "  treated: acts in each step (the last step's value)" in lines
    assert "  age: acts on its start" in lines
    assert "  severity_rated: what severity_rated measures, by definition" in lines
    rated = section_of(model, "severity_rated").lines
    assert "It is taken every 3 months: 13 times by 3 years." in rated
    assert "  risk: acts on whether it goes missing" in rated
    assert any("ends the journey" in line for line in section_of(model, "death").lines)


def test_kinds_in_words(rich):
    assert "It competes with stroke: in a step, only the first happens." in section_of(rich, "fall").lines
    assert "It may happen repeatedly." in section_of(rich, "visit").lines
    assert any("ends the record" in line for line in section_of(rich, "leaving").lines)
    seen = section_of(rich, "lesion_seen").lines
    assert "Whether it is taken in a step: visit" in seen
    assert "Nothing is recorded from leaving on." in seen
    assert "  stroke: acts in each step (whether it has happened before)" in section_of(rich, "drug").lines
    assert "  lesion: acts in each step (its value 2 steps back)" in section_of(rich, "death").lines
    assert "  that is: one of these, by weight: low (0.4), high (0.6)." in section_of(rich, "group").lines
    head = explain_model(rich).sections[0].lines
    assert "Who enters: age >= least_age, that is age >= 30 a." in head


def test_a_treatment_given_by_what_nobody_records_says_so():
    model = load_model("alzheimers")
    hidden = " ".join(section_of(model, "cholinesterase_inhibitor").lines)
    assert "unrecorded variables (cognition, frailty)" in hidden
    assert "It depends only on recorded variables." in section_of(model, "lecanemab").lines


def test_concepts_get_their_labels():
    model = load_model("alzheimers")
    knowledge = SimpleNamespace(label=lambda concept: {"HP:0002185": "Neurofibrillary tangles"}.get(concept))
    lines = explain_variable(model, "tau", knowledge=knowledge).sections[0].lines
    assert "Concept: HP:0002185 (Neurofibrillary tangles)." in lines
    assert "Concept: HP:0002185." in section_of(model, "tau").lines


def test_unknown_variables_are_refused():
    with pytest.raises(NosographError, match="severity"):
        explain_variable(load_model(SIX), "severty")


def test_text_json_and_html_say_the_same(rich):
    explanation = explain_model(rich)
    text, data, page = str(explanation), explanation.to_json(), explanation._repr_html_()
    for section, plain in zip(explanation.sections, data["sections"], strict=True):
        assert plain["title"] == section.title
        assert plain["lines"] == list(section.lines)
        assert section.title in text
    words = " ".join(" ".join(section.lines) for section in explanation.sections).split()
    assert Counter(words) <= Counter(text.split())
    assert "&lt;b&gt;once&lt;/b&gt; &amp; more" in page
    assert "<b>" not in page
    assert "(group == &quot;high&quot;)" in page
    drug = next(s for s in data["sections"] if s.get("variable") == "drug")
    assert [cause["cause"] for cause in drug["causes"]] == ["age", "stroke"]


# Equations


@st.composite
def arithmetic(draw, depth=4):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([Name("a"), Name("b"), Name("c"), Name("x"), Number(2.0), Number(0.5)]))
    if draw(st.integers(0, 5)) == 0:
        return Unary("negate", draw(arithmetic(depth=depth - 1)))
    operator = draw(st.sampled_from("+-*/"))
    return Binary(operator, draw(arithmetic(depth=depth - 1)), draw(arithmetic(depth=depth - 1)))


def evaluate(node, names):
    match node:
        case Number(value):
            return Fraction(value)
        case Name(name, _):
            return names[name]
        case Unary(_, operand):
            return -evaluate(operand, names)
        case Binary(operator, left, right):
            a, b = evaluate(left, names), evaluate(right, names)
            if operator == "/":
                assume(b != 0)
                return a / b
            return {"+": a + b, "-": a - b, "*": a * b}[operator]


@given(arithmetic())
def test_numbers_in_place_of_names_mean_the_same(tree):
    values = {"a": -2.0, "b": 3.25, "c": -0.5}
    parameters = {name: Parameter(name, "", value) for name, value in values.items()}
    names = {name: Fraction(value) for name, value in values.items()} | {"x": Fraction(7, 3)}
    text = str(substitute(tree, parameters))
    assert evaluate(parse_expression(text), names) == evaluate(tree, names)
    assert "+ -" not in text or any(isinstance(node, Unary) for node in tree.walk())


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (3.6, "[Centiloid]/a", "3.6 [Centiloid]/a"),
        (0.22, "/a", "0.22/a"),
        (2.0, "1/a", "2/a"),
        (-0.85, "1", "-0.85"),
        (5.0, "", "5"),
        (12.5, "%", "12.5%"),
        (1e-7, "/a", "1e-07/a"),
    ],
)
def test_quantities(value, unit, shown):
    assert format_quantity(value, unit) == shown


# Interventions

INTERVENTIONS = {
    "six": [
        ["treated = 1"],
        ["treated = 1 from 6 months"],
        ["treated = 0 from 3 months to 9 months"],
        ["treated = where(severity_rated > 20, 1, 0)"],
        ["severity += 2 at 6 months"],
        ["severity_rated = 20 from 1 month to 7 months"],
        ["severity_rated = 20 from 1 month to 3 months"],
        ["risk = 1"],
        ["benefit *= 2"],
        ["death = 0"],
        ["death = 0", "treated = 1 at 0 months"],
    ],
    "rich": [
        ["fall = 0"],
        ["stroke = 0 from 6 months"],
        ["drug = 1 from 12 months"],
        ["pull = 0"],
        ["visit = 1 from 3 months to 9 months"],
        ["lesion_seen = 0"],
        ["leaving = 0"],
        ["other += 1 at 5 months"],
        ["group = high"],
    ],
}
CASES = [(name, texts) for name, cases in INTERVENTIONS.items() for texts in cases]


def values_by_step(journeys, variable, world):
    """What a variable is in each step, patients by columns: NaN where nothing is; measurements as recorded."""
    name = variable.name
    steps = journeys.last_step + 1
    rows = torch.full((steps, len(journeys.patients)), float("nan"))
    if variable.kind == "event":
        found = journeys.occurrences[name]
        here = found.world == world
        rows[found.step[here], found.patient[here]] = found.date[here].float()
        return rows
    value = journeys.values[name].float()
    value = value[min(world, value.shape[0] - 1)]
    if variable.kind == "measurement":
        recorded = journeys.recorded[name]
        value = torch.where(recorded[min(world, recorded.shape[0] - 1)], value, torch.nan)
    rows[list(journeys.steps[name])] = value
    return rows


@pytest.mark.parametrize(("name", "texts"), CASES)
def test_reach_is_what_changes_in_the_simulation(name, texts, rich):
    """While the journey lasts in both worlds, nothing out of reach changes, nor anything before its first step; what is
    within reach does change."""
    model = load_model(SIX) if name == "six" else rich
    interventions = [parse_intervention(text, model=model) for text in texts]
    reach = find_reach(model, interventions)
    journeys = sample(model, patients=10_000, seed=3, worlds=[FACTUAL, World("other", tuple(interventions))])
    for variable in model.variables.values():
        here, there = (values_by_step(journeys, variable, world) for world in (0, 1))
        different = (here != there) & ~(here.isnan() & there.isnan())
        if variable.kind == "event":  # no later than the first end; out of reach, before it
            first = torch.where(here.isnan(), torch.inf, here).minimum(torch.where(there.isnan(), torch.inf, there))
            end = journeys.ended_at.amin(0).float()
            different &= (first <= end) if variable.name in reach else (first < end)
        elif variable.kind != "static":
            different &= torch.arange(len(here))[:, None] < journeys.ended.amin(0)
        differs = different.any(dim=1).nonzero().flatten().tolist()
        if variable.name not in reach:
            assert differs == [], variable.name
            continue
        assert differs, variable.name
        assert min(differs) >= reach[variable.name], variable.name
        if variable.kind not in ("event", "measurement"):  # these change by chance, and need not in their first step
            assert min(differs) == reach[variable.name], variable.name


def unroll(model):
    """The graph over time: (variable, step) by (variable, step); a measurement keeps what was recorded last."""
    graph, last = nx.DiGraph(), model.clock.steps
    for variable in model.variables.values():
        for k in range(last + 1):
            here = (variable.name, k)
            graph.add_node(here)
            if k > 0 and variable.kind in ("static", "measurement"):
                graph.add_edge((variable.name, k - 1), here)
            for read in reads(*expressions_at(variable, k)):
                if read.name in model.variables and read.how in ("ever", "since"):
                    graph.add_edges_from(((read.name, j), here) for j in range(k))
                elif read.name in model.variables:
                    graph.add_edge((read.name, max(k - read.lag, 0)), here)
            for other in model.variables.values():
                if other.ends == "record" and is_measured(variable, k):
                    graph.add_edges_from(((other.name, j), here) for j in range(k + 1))
                if other.competes and other.competes == variable.competes and other is not variable and k > 0:
                    graph.add_edges_from(((other.name, j), here) for j in range(1, k + 1))
            if variable.kind == "event" and variable.occurs == "once":
                graph.add_edges_from(((variable.name, j), here) for j in range(k))
    return graph


def is_measured(variable, k):
    return variable.kind == "measurement" and (not isinstance(variable.when, Schedule) or variable.when.includes(k))


def expressions_at(variable, k):
    """What of a variable is evaluated in step k."""
    if variable.kind == "static":
        return [variable.mechanism, variable.start] if k == 0 else []
    if variable.kind == "event":
        return [variable.mechanism] if k > 0 else []
    if variable.kind == "measurement":
        when = [] if isinstance(variable.when, Schedule) else [variable.when]
        return [variable.mechanism, variable.missing, *when] if is_measured(variable, k) else []
    return [variable.start if k == 0 and variable.start is not None else variable.mechanism]


def reach_in(graph, model, intervention):
    sources = []
    for variable in model.variables.values():
        for k in range(model.clock.steps + 1):
            found = expressions_at(variable, k)
            forced = variable.name == intervention.target and intervention.active(k)
            if found and (
                forced or intervention.target in {read.name for read in reads(*found)} & model.parameters.keys()
            ):
                sources.append((variable.name, k))
    reached = set(sources).union(*(nx.descendants(graph, source) for source in sources))
    return {
        name: min(k for n, k in reached if n == name) for name in model.variables if name in {n for n, _ in reached}
    }


@pytest.mark.parametrize("window", ["", " from 7 months", " from 4 months to 7 months", " at 7 months", " at 0 months"])
def test_reach_is_the_descendants_in_the_unrolled_graph(window, model):
    """Every variable in turn, and every parameter, over two years."""
    model = replace(model, clock=replace(model.clock, horizon=2.0))
    graph = unroll(model)
    unfit = {"": (), " at 0 months": ("static", "event")}.get(window, ("static",))
    targets = [v.name for v in model.variables.values() if v.kind not in unfit]
    for target in [*targets, *([] if window else list(model.parameters)[:12])]:
        levels = model.variables[target].levels if target in model.variables else ()
        intervention = parse_intervention(f"{target} = {next(iter(levels), '0')}{window}", model=model)
        assert find_reach(model, [intervention]) == reach_in(graph, model, intervention), target


def test_reach_is_among_the_descendants_of_the_summary_graph(model):
    """With closed records and competing events added; and all of them, where every arrow acts in every step."""
    graph = model.graph
    for event in [v for v in model.variables.values() if v.ends == "record"]:
        graph.add_edges_from((event.name, v.name) for v in model.variables.values() if v.kind == "measurement")
    competitors = [v.name for v in model.variables.values() if v.competes]
    graph.add_edges_from((a, b) for a in competitors for b in competitors if a != b)
    for variable in model.variables.values():
        value = next(iter(variable.levels), "0")
        reach = set(find_reach(model, [parse_intervention(f"{variable.name} = {value}", model=model)]))
        below = nx.descendants(graph, variable.name) | {variable.name}
        assert reach <= below
        if model.id in ("six", "rich"):
            assert reach == below
        elif (
            variable.name == "lecanemab"
        ):  # an inhibitor is begun at the start, before lecanemab can have done anything
            assert below - reach == {"cholinesterase_inhibitor"}


def test_a_whole_window_cuts_every_incoming_edge(model):
    """Pearl's mutilated graph: the incoming edges of the target go, all others stay."""
    graph = model.graph
    for variable in model.variables.values():
        value = next(iter(variable.levels), "0")
        cut = find_cut(model, parse_intervention(f"{variable.name} = {value}", model=model))
        deciding = {(cause, variable.name) for cause in cut.kept}
        assert set(cut.edges) | deciding == set(graph.in_edges(variable.name))
        if variable.kind != "measurement":
            assert not cut.kept
            mutilated = nx.DiGraph(graph)
            mutilated.remove_edges_from(cut.edges)
            assert mutilated.in_degree(variable.name) == 0


@pytest.mark.parametrize(
    ("text", "cut", "kept", "outside", "own_past"),
    [
        ("lecanemab = 1", {"age", "apoe4", "amyloid_pet", "cdr_sb_rated", "aria_e"}, set(), set(), True),
        ("lecanemab = 1 from 6 months", {"aria_e"}, set(), {"age", "apoe4", "amyloid_pet", "cdr_sb_rated"}, True),
        ("lecanemab = 1 at 0 months", {"age", "apoe4", "amyloid_pet", "cdr_sb_rated"}, set(), {"aria_e"}, False),
        ("amyloid_pet = 20 from 6 months to 7 months", {"amyloid"}, {"cdr_sb_rated"}, set(), False),
        ("amyloid_pet = 20 from 7 months to 17 months", set(), {"cdr_sb_rated"}, {"amyloid"}, False),
        ("tau += 1", set(), set(), set(), False),
        ("lecanemab_clearance = 0", set(), set(), set(), False),
    ],
)
def test_windows_cut_what_acts_in_them(text, cut, kept, outside, own_past):
    model = load_model("alzheimers")
    found = find_cut(model, parse_intervention(text, model=model))
    assert set(found.cut) == cut
    assert set(found.kept) == kept
    assert set(found.outside) == outside
    assert found.own_past == own_past
    section = explain_worlds(model, [found.intervention]).sections[0]
    target = found.intervention.target
    assert section.facts["cut"] == [[cause, target] for cause in found.cut]
    if cut:
        assert set(under(section.lines, "Cut while it acts")) == {f"{c} -> {target}" for c in cut} | (
            {f"{target}'s own past has no influence while it acts, either."} if own_past else set()
        )
    else:
        assert any("cuts no" in line for line in section.lines)


def test_a_policy_adds_what_it_reads():
    model = load_model(SIX)
    found = find_cut(model, parse_intervention("treated = where(severity > 20, 1, 0)", model=model))
    assert found.added == ("severity",)
    lines = explain_worlds(model, [found.intervention]).sections[0].lines
    assert "  severity -> treated" in lines


def test_worlds_in_words(rich):
    model = load_model(SIX)
    texts = ["treated = 1 from 6 months to 18 months", "treated = 0 from 12 months"]
    explanation = explain_worlds(model, [parse_intervention(text, model=model) for text in texts])
    first, second, order, can, cannot = explanation.sections
    assert first.lines[0] == "treated is set to 1, from 6 months until just before 18 months (steps 6 to 17)."
    assert "From 18 months on, its natural mechanism resumes, from the value that was set." in first.lines
    assert second.lines[0] == "treated is set to 0, from 12 months to the end (steps 12 to 36)."
    assert "the later one changes the earlier one's result" in order.lines[0]
    assert can.facts["can_change"] == {"severity": 7, "severity_rated": 9, "treated": 6, "death": 8}
    assert "  severity, from 7 months on" in can.lines
    assert cannot.facts["cannot_change"] == ["age", "risk"]
    assert [name.strip() for name in cannot.lines[:-1]] == ["age", "risk"]
    forced = explain_worlds(rich, [parse_intervention("fall = 0", model=rich)]).sections[0].lines
    assert "While it is set, it does not compete with stroke." in forced
    level = explain_worlds(rich, [parse_intervention("group = high", model=rich)]).sections[0].lines
    assert level[0] == 'group is set to "high", for the whole journey.'


def test_titles_stand_where_there_are_no_names():
    model = replace(load_model(SIX), title="")
    assert explain_model(model).title == "six"


def test_of_many_names_a_dozen_is_offered() -> None:
    with pytest.raises(NosographError) as error:
        explain(load_model("alzheimers"), "qqqq")
    names = error.value.problems[0].fix.removeprefix("one of ").split(", ")
    assert len(names) == 13
    assert names[-1] == "…"
