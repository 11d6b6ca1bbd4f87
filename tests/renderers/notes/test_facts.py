"""Facts against the run's tables, read with pandas: what a plan says is on the record, at that time and value."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import Journey, read_journeys
from nosograph.renderers.notes.documents import ClinicalPractice, describe_practice
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.selection import choose_patients
from nosograph.simulate.cohort import Run, open_run, simulate_to

MODELS = Path(__file__).parents[2] / "models"
WORLDS = {
    "alzheimers": ["treated: lecanemab = 1 from 6 months"],
    "sepsis": ["ventilated: ventilation = 1"],
    "demographics": [],
    "core_everything.yaml": ["none: dose = 0"],
    "six.yaml": ["given: treated = 1"],
    "rare": [],
}
RARE = """
id: rare
title: What a rare disease's findings look like
version: 1.0.0
clock: {step: 1 year, horizon: 20 years, unit: year}
population: "ill == 1"
variables:
  sex: {kind: static, mechanism: 'Categorical("female": 0.5, "male": 0.5)'}
  ill: {kind: static, title: "Has the disease, or will", mechanism: Bernoulli(0.9)}
  onset: {kind: static, unit: a, title: Age at onset, mechanism: 'Uniform(0, 15)'}
  a1: {kind: state, concept: HP:0001166, mechanism: Bernoulli(0.5)}
  a2: {kind: state, concept: HP:0001519, mechanism: t >= onset, caused_by: {onset: {source: assumption}}}
  b1: {kind: measurement, of: a1, when: at 20 years, mechanism: a1}
  b2: {kind: measurement, of: a2, when: at 20 years, mechanism: a2}
  death: {kind: event, ends: journey, mechanism: Hazard(0.01)}
"""


@dataclass(frozen=True)
class Held:
    """A run, its journeys and their plans, and its tables as pandas has them."""

    run: Run
    practice: ClinicalPractice
    journeys: list[Journey]
    record: dict[tuple[int, str], pd.DataFrame]
    events: dict[tuple[int, str], pd.DataFrame]
    patients: pd.DataFrame

    def plans(self, journey: Journey) -> list[NotePlan]:
        return plan_notes(journey, practice=self.practice, seed=5)


def table(run: Run, name: str) -> pd.DataFrame:
    parts = [pd.read_parquet(file) for file in sorted((run.folder / name).glob("*.parquet"))]
    return pd.concat(parts).astype({"world": str})


def by_journey(frame: pd.DataFrame) -> dict[tuple[int, str], pd.DataFrame]:
    return {key: part.reset_index(drop=True) for key, part in frame.groupby(["patient", "world"])}  # type: ignore[misc]


Holding = Callable[[str], Held]


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Holding:
    """The run of a model by name, made once."""
    return cache(lambda name: hold(name, tmp_path_factory.mktemp("facts")))


@pytest.fixture(params=WORLDS)
def held(request: pytest.FixtureRequest, holding: Holding) -> Held:
    return holding(request.param)


def hold(name: str, folder: Path) -> Held:
    if name == "rare":
        (folder / "rare.yaml").write_text(RARE)
    model = load_model(
        str(folder / "rare.yaml") if name == "rare" else str(MODELS / name) if name.endswith(".yaml") else name
    )
    simulate_to(model, folder / "run", patients=30, seed=4, worlds=WORLDS[name], shard_size=13)
    run = open_run(folder / "run")
    for file in (run.folder / "truth").glob("*"):
        file.unlink()  # notes are made of the record: with the truth gone, nothing here may change
    knowledge = KnowledgeGraph.open()
    lexicon = build_lexicon(run.model, knowledge=knowledge)
    worlds = [world["name"] for world in run.manifest["worlds"]]
    return Held(
        run=run,
        practice=describe_practice(run.model, lexicon=lexicon, knowledge=knowledge),
        journeys=list(read_journeys(run, choose_patients(run, None), worlds=worlds)),
        record=by_journey(table(run, "record")),
        events=by_journey(table(run, "events")),
        patients=table(run, "patients").set_index(["patient", "world"]),
    )


def test_every_journey_is_read_whole(held: Held) -> None:
    assert len(held.journeys) == 30 * len(held.run.manifest["worlds"])
    assert sum(len(journey.rows) for journey in held.journeys) == sum(map(len, held.record.values()))
    parts = [v.name for v in held.run.model.variables.values() if v.kind == "event" and not v.any_of]
    recorded = sum(int((frame["recorded"] & frame["event"].isin(parts)).sum()) for frame in held.events.values())
    assert sum(len(journey.events) for journey in held.journeys) == recorded


def test_measurements_and_treatments_are_on_the_record(held: Held) -> None:
    checked = 0
    for journey in held.journeys:
        known = series(held, journey)
        for plan in held.plans(journey):
            for fact in plan.facts:
                if fact.kind not in ("value", "finding", "treatment"):
                    continue
                own = [(time, value) for time, value in known[fact.variable] if time <= fact.time <= plan.time]
                assert own[-1] == (fact.time, fact.value)
                before = own[-2] if len(own) > 1 else (None, None)
                assert before == (fact.previous_time, fact.previous)
                assert fact.status == ("absent" if fact.value == 0 and lacks(held, fact.variable) else "present")
                assert fact.unit == held.run.model.variables[fact.variable].unit
                checked += 1
    assert checked or held.run.model.id == "demographics"


def series(held: Held, journey: Journey) -> dict[str, list[tuple[float, float | str]]]:
    """Each variable's recorded times and values, or levels."""
    frame = held.record.get((journey.patient, journey.world))
    parts = [] if frame is None else frame.astype({"variable": str}).groupby("variable")
    return {
        str(name): [
            (time, float(value) if pd.isna(level) else str(level))
            for time, value, level in zip(part["time"], part["value"], part["level"], strict=True)
        ]
        for name, part in parts
    }


def lacks(held: Held, variable: str) -> bool:
    """Whether a zero of the variable says that something is not there."""
    return held.practice.lexicon[variable].binary or held.run.model.variables[variable].kind == "treatment"


def test_treatments_are_told_as_they_last_changed(held: Held) -> None:
    for journey in held.journeys:
        known = series(held, journey)
        for plan in held.plans(journey):
            for fact in plan.facts:
                if fact.kind == "treatment":
                    assert max(time for time, _ in known[fact.variable] if time <= plan.time) == fact.time


def test_events_happened_or_are_on_no_record(held: Held) -> None:
    for journey in held.journeys:
        frame = held.events.get((journey.patient, journey.world))
        for plan in held.plans(journey):
            for fact in plan.facts:
                if fact.kind != "event":
                    continue
                known = [] if frame is None else frame[
                    (frame["event"] == fact.variable) & frame["recorded"] & (frame["time"] <= plan.time)
                ]["time"].tolist()  # fmt: skip
                if fact.status == "present":
                    assert fact.time == known[-1]
                elif plan.document != "imaging":  # a picture shows what is there now
                    assert not known
                    assert fact.time == plan.time


def test_history_and_subject_are_the_recorded_statics(held: Held) -> None:
    unit = held.run.model.clock.unit
    for journey in held.journeys:
        statics = held.patients.loc[(journey.patient, journey.world)]
        for plan in held.plans(journey):
            for fact in plan.facts:
                if fact.kind == "history":
                    assert fact.value == statics[fact.variable]
            if "age" in statics:
                assert plan.subject.age == math.floor(statics["age"] + plan.time * unit)
            assert plan.subject.sex == statics.get("sex", "")


def test_nothing_is_dated_after_death_or_the_end_of_the_record(held: Held) -> None:
    for journey in held.journeys:
        frame = held.events.get((journey.patient, journey.world))
        ends = [] if frame is None else [
            time for event, time in zip(frame["event"], frame["time"], strict=True)
            if held.run.model.variables[event].ends != "nothing"
        ]  # fmt: skip
        end = min(ends, default=math.inf)
        assert journey.end == min(end, journey.end)
        plans = held.plans(journey)
        assert [plan.time for plan in plans] == sorted(plan.time for plan in plans)
        for plan in plans:
            assert plan.time < end or plan.document in ("telephone", "discharge")
            assert plan.time <= end
            assert all(fact.time <= plan.time for fact in plan.facts)
            assert plan.date == plan.date_of(plan.time).date()
            assert plan.date_of(0) == plan.entry


def test_keys_are_unique_and_documents_say_something(held: Held) -> None:
    for journey in held.journeys:
        plans = held.plans(journey)
        assert len({(plan.document, plan.time) for plan in plans}) == len(plans)
        for plan in plans:
            assert plan.facts
            assert len({fact.key for fact in plan.facts}) == len(plan.facts)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_note_knows_nothing_of_what_comes_later(held: Held, data: st.DataObject) -> None:
    """A journey whose record stops at T has the notes of the whole one, up to T."""
    journey = data.draw(st.sampled_from(held.journeys))
    last = int(held.run.manifest["steps"])
    step = data.draw(st.integers(0, last))
    time = round(step * held.run.model.clock.dt, 9)
    if not journey.covers(time):
        return
    short = replace(
        journey,
        rows=tuple(row for row in journey.rows if row.time <= time),
        events=tuple(event for event in journey.events if event.time <= time),
        end=time,
        ended_by="",
    )
    assert held.plans(short) == [plan for plan in held.plans(journey) if plan.time <= time]


def test_times_that_are_asked_for_get_a_note_each(held: Held) -> None:
    last = int(held.run.manifest["steps"])
    for journey in held.journeys:
        steps = [0, last // 3, last]
        plans = plan_notes(journey, practice=held.practice, seed=5, steps=steps)
        covered = {step for step in steps if journey.covers(round(step * held.run.model.clock.dt, 9))}
        assert covered <= {plan.step for plan in plans} <= set(steps)
        due = [plan for plan in held.plans(journey) if plan.step in steps]
        assert [plan for plan in plans if plan in due] == due


def test_twins_share_author_and_calendar_and_what_came_before(held: Held) -> None:
    worlds = {w["name"] for w in held.run.manifest["worlds"]} - {"factual"}
    twins = {(j.patient, j.world): j for j in held.journeys}
    for journey in held.journeys:
        for world in worlds:
            other = twins[journey.patient, world]
            ours, theirs = held.plans(journey), held.plans(other)
            assert {plan.entry for plan in ours} | {plan.entry for plan in theirs} == {p.entry for p in ours or theirs}
            clinicians = {plan.author for plan in [*ours, *theirs] if plan.document != "imaging"}
            assert len(clinicians) <= 1
            apart = split_time(journey, other)
            before = [replace(plan, world="") for plan in ours if plan.time < apart]
            assert before == [replace(plan, world="") for plan in theirs if plan.time < apart]


def split_time(one: Journey, other: Journey) -> float:
    """The first time at which two journeys' records differ."""
    rows = {(row.time, row.variable, row.value) for row in one.rows}
    rows ^= {(row.time, row.variable, row.value) for row in other.rows}
    events = {(e.time, e.event, 0.0) for e in one.events} ^ {(e.time, e.event, 0.0) for e in other.events}
    ends = [min(one.end, other.end)] if (one.end, one.ended_by) != (other.end, other.ended_by) else []
    return min([time for time, _, _ in rows | events] + ends, default=math.inf)


def test_documents_of_the_catalog(holding: Holding) -> None:
    alzheimers = holding("alzheimers")
    count: Counter[tuple[str, str]] = Counter()
    for journey in alzheimers.journeys:
        plans = alzheimers.plans(journey)
        count.update((plan.document, plan.title) for plan in plans)
        scored = {row.step for row in journey.rows if row.variable in ("cdr_sb_rated", "mmse")}
        visited = {plan.step for plan in plans if plan.document in ("letter", "progress")}
        assert scored <= visited
        for plan in plans:
            volumes = {row.variable for row in journey.rows if row.step == plan.step and "volume" in row.variable}
            if plan.document == "imaging":
                assert volumes <= {fact.variable for fact in plan.facts}
                assert all(fact.speaker == "radiologist" for fact in plan.facts)
            changed = {r.variable for r in journey.rows if r.step == plan.step and r.variable == "lecanemab"}
            if plan.document == "telephone" and changed:
                assert changed <= {fact.variable for fact in plan.facts}
        left = [event for event in journey.events if event.event == "dropout"]
        calls = [plan for plan in plans if plan.document == "telephone" and left and plan.time == left[0].time]
        assert len(calls) == len(left)
    assert {title for _, title in count} == {
        "Memory clinic letter", "Progress note", "Brain MRI report", "Discharge summary", "Telephone note",
    }  # fmt: skip


def test_a_diagnosis_in_doubt_is_doubted_by_the_stated_rule(holding: Holding) -> None:
    alzheimers = holding("alzheimers")
    seen: Counter[str] = Counter()
    for journey in alzheimers.journeys:
        frame = alzheimers.record[journey.patient, journey.world]
        for plan in alzheimers.plans(journey):
            for fact in plan.facts:
                if fact.variable != "dementia_diagnosis" or fact.status == "present":
                    continue
                rated = frame[(frame["variable"] == "cdr_sb_rated") & (frame["time"] <= plan.time)]["value"].iloc[-1]
                assert fact.status == ("uncertain" if rated >= 4.5 * 0.9 else "absent")
                assert fact.value == (None if fact.status == "uncertain" else 0)
                seen[fact.status] += 1
    assert seen["uncertain"] > 5
    assert seen["absent"] > 5


def test_a_stay_is_told_by_the_hour_and_ends_in_a_summary(holding: Holding) -> None:
    sepsis = holding("sepsis")
    for journey in sepsis.journeys:
        plans = sepsis.plans(journey)
        assert plans[0].title == "Admission note"
        assert all(plan.hours and plan.setting == "hospital ward" for plan in plans)
        assert {plan.step % 12 for plan in plans if plan.document == "progress"} == {0}
        summaries = [plan for plan in plans if plan.document == "discharge"]
        assert [plan.time for plan in summaries] == ([journey.end] if journey.ended_by else [])
        for plan in summaries:
            assert journey.ended_by in {fact.variable for fact in plan.facts}
            assert (plan.date_of(plan.time) - plan.entry).total_seconds() == pytest.approx(plan.time * 3600, abs=31)


def test_findings_of_rare_diseases_are_present_or_absent(holding: Holding) -> None:
    rare = holding("rare")
    seen: Counter[tuple[str, str, str]] = Counter()
    for journey in rare.journeys:
        plans = rare.plans(journey)
        assert [plan.document for plan in plans] == (["letter"] if journey.covers(20.0) else [])
        seen.update((f.concept, f.label, f.status) for plan in plans for f in plan.facts if f.kind == "finding")
    assert {(concept, label) for concept, label, _ in seen} == {
        ("HP:0001166", "arachnodactyly"), ("HP:0001519", "disproportionate tall stature"),
    }  # fmt: skip
    assert {status for *_, status in seen} == {"present", "absent"}


def test_nobody_knows_an_age_at_onset_before_it_comes(holding: Holding) -> None:
    rare = holding("rare")
    told = 0
    for journey in rare.journeys:
        onset = rare.patients.loc[(journey.patient, journey.world), "onset"]
        for plan in plan_notes(journey, practice=rare.practice, seed=5, steps=[0, 6, 12]):
            assert plan.subject.age == plan.time  # journeys begin at birth
            assert "ill" not in {fact.variable for fact in plan.facts}  # as everybody is, who is here
            assert ("onset" in {fact.variable for fact in plan.facts}) == (onset <= plan.time)
            told += onset <= plan.time
    assert told > 10
