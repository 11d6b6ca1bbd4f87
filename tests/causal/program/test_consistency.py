"""Consistency, a theorem here and so a property test: bit for bit, at random places and in random company."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nosograph.causal.language import parse_mechanism
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model, Variable
from nosograph.causal.model.world import FACTUAL, World, parse_intervention, parse_world
from nosograph.causal.program.journeys import Journeys
from nosograph.causal.program.sampling import sample

EVERYTHING = load_model(Path(__file__).parents[2] / "models" / "core_everything.yaml")
SETTABLE = {name: variable for name, variable in EVERYTHING.variables.items() if not variable.any_of}
STEPS = EVERYTHING.clock.steps
PEOPLE = 20_000
WORLDS = (
    FACTUAL,
    parse_world("dosed: dose = 1 from 6 months", model=EVERYTHING),
    parse_world("slow: growth *= 0.5; power = 1.2", model=EVERYTHING),
    parse_world("policy: dose = where(recorded(assay) and assay > 1, 0.5, dose[-1]); flare = 0", model=EVERYTHING),
    parse_world('other: sex = "other"; burden += 0.3 at 9 months; heart = 0', model=EVERYTHING),
)


@pytest.fixture(scope="module")
def whole() -> Journeys:
    return sample(EVERYTHING, patients=PEOPLE, worlds=WORLDS)


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal bit for bit, where NaN is NaN."""
    if a.dtype.is_floating_point:
        return (
            a.dtype == b.dtype
            and torch.equal(torch.isnan(a), torch.isnan(b))
            and torch.equal(a.nan_to_num(), b.nan_to_num())
        )
    return torch.equal(a, b)


def lived(value: torch.Tensor, steps: tuple[int, ...], ended: torch.Tensor) -> torch.Tensor:
    """The values of one world, (steps, patients), false or 0 from the end of the journey on."""
    return torch.where(torch.tensor(steps)[:, None] < ended, value, torch.zeros((), dtype=value.dtype))


def assert_lived_the_same(found: Journeys, expected: Journeys, *, start: int, stop: int) -> None:
    """The only world of `found` is, while the journeys last, what the first of `expected` has for [start, stop)."""
    assert torch.equal(found.ended_at[0], expected.ended_at[0, start:stop])
    assert torch.equal(found.closed_at[0], expected.closed_at[0, start:stop])
    ended = found.ended[0]
    for name, value in expected.values.items():
        steps = expected.steps[name]
        ours, theirs = (lived(v[0].float(), steps, ended) for v in (found.values[name], value[..., start:stop]))
        assert same(ours, theirs), name
        if name in expected.recorded:
            rows = found.recorded[name][0], expected.recorded[name][0, :, start:stop]
            assert torch.equal(*(lived(row, steps, ended) for row in rows)), name
    for name, many in expected.occurrences.items():
        chosen = many.take((many.world == 0) & (many.patient >= start) & (many.patient < stop))
        for ours, theirs in zip(found.occurrences[name].parts[1:], chosen.parts[1:], strict=True):
            offset = start if theirs is chosen.patient else 0
            assert torch.equal(ours + offset if offset else ours, theirs), name


def assert_same(found: Journeys, expected: Journeys, *, world: int, start: int, stop: int) -> None:
    """`found`, of one world, is what world `world` of `expected` has for patients [start, stop)."""
    pairs = [(found.values, expected.values), (found.recorded, expected.recorded)]
    for ours, theirs in (
        *pairs,
        ({"ended": found.ended}, {"ended": expected.ended}),
        ({"c": found.closed}, {"c": expected.closed}),
    ):
        for name, value in theirs.items():
            row = value[min(world, value.shape[0] - 1)][..., start:stop]
            assert same(ours[name][0], row.to(ours[name].dtype)), name
    for name, many in expected.occurrences.items():
        chosen = (many.world == world) & (many.patient >= start) & (many.patient < stop)
        one = found.occurrences[name]
        assert torch.equal(one.patient + start, many.patient[chosen]), name
        assert torch.equal(one.step, many.step[chosen]), name
        assert torch.equal(one.date, many.date[chosen]), name


@pytest.mark.parametrize("size", [777, 131])
def test_a_patient_is_the_same_in_any_shard(whole: Journeys, size: int) -> None:
    worlds = WORLDS[:2]
    for start in range(0, PEOPLE, size):
        numbers = torch.arange(start, min(start + size, PEOPLE))
        part = sample(EVERYTHING, patients=numbers, worlds=worlds)
        for name, value in part.values.items():
            expected = whole.values[name][..., start : start + size]
            for world in range(min(2, value.shape[0])):
                assert same(value[world], expected[min(world, expected.shape[0] - 1)].to(value.dtype)), name


def test_a_patient_is_the_same_in_any_order(whole: Journeys) -> None:
    order = torch.randperm(PEOPLE, generator=torch.Generator().manual_seed(0))[:3_333]
    shuffled = sample(EVERYTHING, patients=order)
    for name, value in shuffled.values.items():
        assert same(value[0], whole.values[name][0][..., order].to(value.dtype)), name


@pytest.mark.parametrize("index", range(len(WORLDS)))
def test_a_world_alone_is_the_same_as_among_others(whole: Journeys, index: int) -> None:
    assert_same(sample(EVERYTHING, patients=2_000, worlds=[WORLDS[index]]), whole, world=index, start=0, stop=2_000)


def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(whole: Journeys) -> None:
    short = sample(EVERYTHING, patients=2_000, steps=7)
    for name, value in short.values.items():
        assert value.shape[1] == len(short.steps[name])
        assert same(value[0], whole.values[name][0][: value.shape[1], :2_000].to(value.dtype)), name


def test_adding_a_variable_changes_no_other_number(whole: Journeys) -> None:
    added = {
        "before": Variable("before", "x:before", "static", mechanism=parse_mechanism("Normal(0, 1)")),
        **EVERYTHING.variables,
        "after": Variable("after", "x:after", "state", mechanism=parse_mechanism("Normal(burden + before, 1)")),
        "again": Variable("again", "x:again", "event", occurs="repeatedly", mechanism=parse_mechanism("Hazard(1)")),
    }
    assert_same(
        sample(replace(EVERYTHING, variables=added), patients=2_000), whole, world=0, start=0, stop=2_000
    )  # fmt: skip


def test_keeping_less_changes_no_number(whole: Journeys) -> None:
    kept = sample(EVERYTHING, patients=2_000, keep=["dose", "stage"])
    assert set(kept.values) == {"dose", "stage"}
    for name, value in kept.values.items():
        assert same(value[0], whole.values[name][0][..., :2_000].to(value.dtype)), name
    assert torch.equal(kept.ended[0], whole.ended[0, :2_000])


def text_of(value: torch.Tensor) -> str:
    """A number that reads back as this float32."""
    return f"{float(value):.9g}"


def intervene_with_what_happened(whole: Journeys, patient: int, name: str, step: int, form: str) -> str:
    """The text of an intervention that sets, or softly leaves, what patient `patient` had in step `step` anyway."""
    variable = EVERYTHING.variables[name]
    if variable.kind == "static":
        return f"{name} = {variable.write_value(float(whole.values[name][0, 0, patient]))}"
    steps = whole.steps[name]
    at = steps[step % len(steps)] if form != "path" else max(1, steps[step % len(steps)])
    value = whole.values[name][0, list(steps).index(at) if at in steps else 0, patient]
    if torch.isnan(value.float()):
        return f"{name} += 0 at {at} months"  # nothing was due: whatever it is stays
    if form == "soft" and not variable.levels:
        return f"{name} *= 1 at {at} months"
    return f"{name} = {variable.write_value(float(value))} at {at} months"


@settings(max_examples=150, deadline=None)
@given(
    patient=st.integers(0, 2_000),
    name=st.sampled_from(sorted(SETTABLE)),
    step=st.integers(1, STEPS),
    form=st.sampled_from(["hard", "soft"]),
)
def test_setting_what_happened_anyway_changes_nothing(
    whole: Journeys, patient: int, name: str, step: int, form: str
) -> None:
    variable = EVERYTHING.variables[name]
    if variable.kind == "event" and (step := max(1, step % STEPS)) and variable.kind == "event":
        text = f"{name} = {text_of(whole.values[name][0, step, patient])} at {step} months"
    else:
        text = intervene_with_what_happened(whole, patient, name, step, form)
    world = World("same", (parse_intervention(text, model=EVERYTHING),))
    found = sample(EVERYTHING, patients=torch.tensor([patient]), worlds=[world])
    assert_lived_the_same(found, whole, start=patient, stop=patient + 1)


@settings(max_examples=40, deadline=None)
@given(patient=st.integers(0, 2_000), name=st.sampled_from(["burden", "signal", "dose", "flare", "visit", "heart"]))
def test_setting_the_whole_path_that_happened_anyway_changes_nothing(whole: Journeys, patient: int, name: str) -> None:
    first = 1 if EVERYTHING.variables[name].kind == "event" else 0
    path = whole.values[name][0, :, patient]
    texts = [f"{name} = {text_of(path[k])} at {k} months" for k in range(first, STEPS + 1)]
    world = World("same", tuple(parse_intervention(text, model=EVERYTHING) for text in texts))
    found = sample(EVERYTHING, patients=torch.tensor([patient]), worlds=[world])
    assert_lived_the_same(found, whole, start=patient, stop=patient + 1)


def test_setting_a_natural_mechanism_as_a_policy_changes_nothing(whole: Journeys) -> None:
    policy = str(EVERYTHING.variables["dose"].mechanism)
    world = parse_world(f"same: dose = {policy} from 1 month; growth = 1.3; power *= 1", model=EVERYTHING)
    found = sample(EVERYTHING, patients=2_000, worlds=[world])
    assert_same(found, whole, world=0, start=0, stop=2_000)


def test_in_a_race_too_setting_who_won_changes_nothing() -> None:
    """Where both competitors would have happened in the step, setting the winner must not let the loser win as well."""
    keys = {"kind": "event", "occurs": "repeatedly", "competes": "g"}
    rate = parse_mechanism("Hazard(12)")
    competitors = {n: Variable(n, f"x:{n}", mechanism=rate, **keys) for n in ("a", "b", "c")}  # type: ignore[arg-type]
    model = replace(EVERYTHING, variables=competitors, parameters={})
    nature = sample(model, patients=40)
    assert int(sum(value.int() for value in nature.values.values()).max()) == 1
    for patient in range(40):
        path = nature.values["b"][0, :, patient]
        texts = [f"b = {int(path[k])} at {k} months" for k in range(1, STEPS + 1)]
        world = World("same", tuple(parse_intervention(text, model=model) for text in texts))
        found = sample(model, patients=torch.tensor([patient]), worlds=[world])
        assert_same(found, nature, world=0, start=patient, stop=patient + 1)


def reach(model: Model, targets: set[str]) -> set[str]:
    """What may change when `targets` do: descendants by the written expressions, closings and races included."""
    graph = nx.DiGraph([(read.name, v.name) for v in model.variables.values() for read in v.reads])
    for event in model.variables.values():
        graph.add_edges_from((part, event.name) for part in event.any_of)
        for other in model.variables.values():
            if event.ends == "record" and other.kind == "measurement":
                graph.add_edge(event.name, other.name)
            if event.competes and event.competes == other.competes:
                graph.add_edge(event.name, other.name)
    return targets.union(*(nx.descendants(graph, target) for target in targets if target in graph))


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from([n for n, v in SETTABLE.items() if not v.levels] + ["growth", "power"]),
    first=st.integers(1, STEPS - 1),
    start=st.integers(0, PEOPLE),
)
def test_what_an_intervention_cannot_reach_does_not_change(name: str, first: int, start: int) -> None:
    timeless = name in EVERYTHING.parameters or EVERYTHING.variables[name].kind == "static"
    text = f"{name} = 1" if timeless else f"{name} = 1 from {first} months"
    worlds = [FACTUAL, World("w", (parse_intervention(text, model=EVERYTHING),))]
    found = sample(EVERYTHING, patients=torch.arange(start, start + 50), worlds=worlds)
    reached = reach(EVERYTHING, {name})
    both = found.ended.amin(0)  # the end of the shorter journey
    for other, value in found.values.items():
        if other in found.occurrences:
            many = found.occurrences[other]
            early = many.date < found.ended_at.amin(0)[many.patient]
            if other in reached:
                early &= torch.tensor(not timeless) & (many.step < first)
            one, two = (many.take(early & (many.world == world)) for world in (0, 1))
            assert all(map(torch.equal, one.parts[1:4], two.parts[1:4])), other
        elif other not in reached:
            one, two = (lived(v, found.steps[other], both) for v in (value[0], value[-1]))
            assert same(one, two), other
        elif not timeless:
            before = sum(k < first for k in found.steps[other])
            assert same(value[0, :before], value[-1, :before]), f"{other} before the intervention"


def test_the_tests_model_is_not_vacuous(whole: Journeys) -> None:
    """Every event happens, every way to end ends someone, and the worlds differ."""
    for name in ("visit", "flare", "dropout", "heart", "other_death"):
        assert len(whole.occurrences[name].step) > 100, name
    assert (whole.ended[0] <= STEPS).float().mean() > 0.1
    assert not same(whole.values["burden"][0], whole.values["burden"][1])
    for levels in (whole.values["sex"], whole.values["stage"]):
        assert set(levels.unique().tolist()) == {0, 1, 2}
