"""The report of a run, against pandas, plain loops and the page's own promise to load nothing."""

from __future__ import annotations

import json
import random
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nosograph.causal.effects.dowhy import Refutation
from nosograph.causal.effects.estimate import Estimate
from nosograph.causal.effects.examine import DECIDING, Examination
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.renderers.pages.figures import Scale, show, show_unit, span
from nosograph.renderers.pages.html import Markup, join, tag
from nosograph.renderers.pages.report import command_of, compose_page, write_report
from nosograph.renderers.pages.results import MOST_SHARES, choose_curves, name_some
from nosograph.renderers.pages.summaries import count_events, describe_entrants, follow, pick_examples
from nosograph.simulate.cohort import Run, open_run, simulate_to
from nosograph.simulate.verification.verify import Verification

HOSTILE = '<script>alert("1")</script> & "quoted"'

MODEL = """
id: clinic
title: '<script>alert("1")</script> & "quoted"'
version: 1.0.0
clock: {step: 3 months, horizon: 2 years, unit: year}
population: age >= 50
parameters:
  speed: {value: 1.5, unit: /a, source: assumption}
variables:
  age:
    kind: static
    title: Age <b>bold</b>
    unit: a
    mechanism: Normal(65, 10)
  sex:
    kind: static
    mechanism: 'Categorical("female": 0.6, "male": 0.4)'
  hidden:
    kind: static
    recorded: false
    mechanism: Normal(0, 1)
  burden:
    kind: state
    unit: "[Centiloid]"
    start: Normal(20 + 0.1 * (age - 65) + hidden, 4)
    mechanism: Normal(burden[-1] + dt * (speed - 2 * drug[-1]), 1)
    caused_by: {age: {source: assumption}, hidden: {source: assumption}, drug: {source: assumption}}
  stage:
    kind: state
    mechanism: 'Categorical("low": 1 - expit((burden - 20) / 4), "high": expit((burden - 20) / 4))'
    caused_by: {burden: {evidence: "doi:10.1056/NEJMoa2212948", checked: recalled}}
  burden_seen:
    kind: measurement
    of: burden
    unit: "[Centiloid]"
    when: every 6 months
    mechanism: Normal(burden, 2)
    missing: Bernoulli(0.2)
  drug:
    kind: treatment
    start: Bernoulli(0.5)
    mechanism: drug[-1]
  relapse:
    kind: event
    occurs: repeatedly
    mechanism: Hazard(exp(-3 + 0.1 * burden[-1]))
    caused_by: {burden: {source: assumption}}
  dropout:
    kind: event
    ends: record
    mechanism: Hazard(0.2)
  death:
    kind: event
    ends: journey
    mechanism: Hazard(exp(-8 + 0.1 * age))
    caused_by: {age: {source: assumption}}
"""
WORLDS = ["treated: drug = 1", "untreated: drug = 0; speed *= 1.2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("report")
    document = folder / "clinic.yaml"
    document.write_text(MODEL)
    model = load_model(document, parameters={"speed": 1.25})
    simulate_to(model, folder / "run", patients=300, worlds=WORLDS, seed=5, where="age >= 55", shard_size=128)
    return open_run(folder / "run")


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return write_report(run).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Elements, their nesting, table rows and everything that a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == [], "elements are closed in order"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.names.append(tag)
        self.open += [] if tag in ("meta", "br") else [tag]
        self.loads += [key for key in held if key in ("src", "srcset", "data", "action", "poster", "background")]
        self.loads += [key for key in held if key.startswith("on")]
        self.loads += [value or "" for key, value in attrs if "href" in key and tag != "a"]
        self.loads += [value or "" for _, value in attrs if "url(" in (value or "")]
        self.links += [held["href"] or ""] if tag == "a" else []
        self.ids += [held["id"] or ""] if "id" in held else []
        if tag == "svg":
            assert ("aria-label" in held and held["role"] == "img") or held["aria-hidden"] == "true"
        if tag == "meta" and "http-equiv" in held:
            self.policy = held["content"] or ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.rows and self.open and ("td" in self.open or "th" in self.open):
            self.rows[-1][-1] += data


def truth(run: Run) -> pd.DataFrame:
    table: pd.DataFrame = run.table("truth").to_pandas().astype({"world": str})
    return table


def test_the_page_loads_nothing(page: str) -> None:
    found = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image", "base", "form"} & set(found.names)
    assert found.loads == []
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in found.policy
    assert all(link.startswith(("#", "https://doi.org/", "https://pubmed.")) for link in found.links)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)


def test_what_a_model_says_is_text(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &quot;quoted&quot;" in page
    assert "<b>" not in page
    assert str(tag("p", HOSTILE, title=HOSTILE)).count("<") == 2
    assert tag("text", Markup("<b>x</b>")) == "<text><b>x</b></text>"
    assert join("<", Markup("<br>")) == "&lt;<br>"


def test_the_same_run_has_the_same_bytes(run: Run, page: str) -> None:
    assert write_report(open_run(run.folder)).read_bytes() == page.encode()


def test_nothing_is_left_of_a_report_that_fails(run: Run, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, *args: object, **more: object) -> int:
        self.touch()
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(NosographError, match="full"):
        write_report(run)
    assert not list(run.folder.glob("draft-*"))
    assert (run.folder / "report.html").read_bytes() == page.encode()


def test_curves_are_those_of_pandas(run: Run) -> None:
    table, worlds = truth(run), ["factual", "treated", "untreated"]
    for name in ("burden", "burden_seen"):
        (curve,) = follow(run, run.model.variables[name])
        groups = table.dropna(subset=[name]).groupby(["world", "time"])[name]
        assert len(curve.times) == (9 if name == "burden" else 5)
        for w, world in enumerate(worlds):
            np.testing.assert_allclose(curve.mean[w], groups.mean()[world][curve.times], rtol=1e-5)
            np.testing.assert_allclose(curve.low[w], groups.quantile(0.1)[world][curve.times], rtol=1e-5)
            np.testing.assert_allclose(curve.high[w], groups.quantile(0.9)[world][curve.times], rtol=1e-5)
            mine = table[table["world"] == world]
            known = [mine[mine["time"] == time][name].notna().sum() for time in curve.times]
            assert curve.count[w].tolist() == known
    low, high = follow(run, run.model.variables["stage"])
    staged = table[(table["world"] == "treated") & table["stage"].notna()]
    shares = [(staged[staged["time"] == time]["stage"] == "high").mean() for time in high.times]
    np.testing.assert_allclose(high.mean[1], shares, rtol=1e-6)
    np.testing.assert_allclose(low.mean + high.mean, 1)
    assert np.isnan(high.low).all()


def test_curves_of_the_first_patients_when_there_are_many(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nosograph.renderers.pages.summaries.MOST_PATIENTS", 150)  # more than one file, not all of two
    (curve,) = follow(run, run.model.variables["burden"])
    table = truth(run)
    first = table[table["patient"].isin(table["patient"].unique()[:150])]
    means = first.groupby(["world", "time"])["burden"].mean()
    np.testing.assert_allclose(curve.mean[2], means["untreated"], rtol=1e-5)
    assert "the first 150 of 300 patients" in compose_page(run, None)


def test_incidence_is_that_of_a_plain_loop(run: Run) -> None:
    rows = run.events.to_pylist()
    patients = sorted({row["patient"] for row in run.patients.to_pylist()})
    for incidence in count_events(run):
        assert incidence.times.tolist() == [0.25 * k for k in range(9)]
        name = incidence.event.name
        for w, world in enumerate(("factual", "treated", "untreated")):
            mine = [row for row in rows if row["world"] == world]
            dates: dict[int, list[float]] = {patient: [] for patient in patients}
            ends = dict.fromkeys(patients, np.inf)
            for row in mine:
                dates[row["patient"]] += [row["time"]] if row["event"] == name else []
                if row["event"] == "death":
                    ends[row["patient"]] = row["time"]
            for k, time in enumerate(incidence.times + 1e-5):
                had = at_risk = 0
                for patient in patients:
                    happened = any(date <= time for date in dates[patient])
                    had += happened
                    at_risk += not happened and ends[patient] > time
                assert (incidence.had[w, k], incidence.at_risk[w, k]) == (had, at_risk)
            assert incidence.occurrences[w] == sum(row["event"] == name for row in mine)
            assert incidence.recorded[w] == sum(row["recorded"] for row in mine if row["event"] == name)


def aalen_johansen(first: list[float], cause: list[int], times: np.ndarray) -> np.ndarray:
    """The product-limit form with cause 1 of interest, 2 competing, 0 censored: S(t-) dN1 / Y, summed."""
    date, kind = np.asarray(first), np.asarray(cause)
    survival, total, steps = 1.0, 0.0, []
    for moment in np.unique(date):
        at_risk = (date >= moment).sum()
        total += survival * ((date == moment) & (kind == 1)).sum() / at_risk
        survival *= 1 - ((date == moment) & (kind > 0)).sum() / at_risk
        steps.append((moment, total))
    return np.array([max([value for moment, value in steps if moment <= time], default=0.0) for time in times])


def test_incidence_is_aalen_and_johansens(run: Run) -> None:
    events = run.events.to_pandas().astype({"world": str, "event": str})
    mine = events[(events["world"] == "factual") & events["event"].isin(["relapse", "death"])]
    first = mine.sort_values("time").drop_duplicates("patient").set_index("patient")
    patients = run.patients.to_pandas()["patient"].unique()
    dates = [first["time"].get(patient, 2.0 + 1e-3) for patient in patients]
    causes = [{"relapse": 1, "death": 2}.get(first["event"].get(patient, ""), 0) for patient in patients]
    relapse = next(found for found in count_events(run) if found.event.name == "relapse")
    np.testing.assert_allclose(relapse.had[0] / 300, aalen_johansen(dates, causes, relapse.times + 1e-5), atol=1e-12)


def test_entrants_are_those_of_pandas(run: Run, page: str) -> None:
    table = run.patients.to_pandas()
    table = table[table["world"].astype(str) == "factual"]
    age, sex = describe_entrants(run)
    assert age.mean == pytest.approx(table["age"].mean(), rel=1e-6)
    assert age.deviation == pytest.approx(table["age"].std(), rel=1e-6)
    assert sex.counts == table["sex"].astype(str).value_counts().to_dict()
    women = int((table["sex"] == "female").sum())
    assert ["sex", "female", str(women), f"{women / 300:.1%}"] in Reader(page).rows
    assert "On no record: hidden." in page


def test_numbers_in_the_page(run: Run, page: str) -> None:
    rows = Reader(page).rows
    table = truth(run)
    end = table[(table["world"] == "treated") & (table["time"] == 2.0)]["burden"].dropna()
    last = f"{show(float(end.mean()))} ({show(float(end.quantile(0.1)))} to {show(float(end.quantile(0.9)))})"
    assert next(row for row in rows if row[:2] == ["burden, Centiloid", "treated"])[-1] == last
    dead = table[(table["world"] == "factual")].groupby("patient")["death"].max().fillna(False).astype(bool).sum()
    assert next(row for row in rows if row[:2] == ["death", "factual"])[2:4] == [str(dead), f"{dead / 300:.1%}"]
    assert f"300 patients entered of {run.manifest['drawn']} drawn" in re.sub("<[^>]+>", "", page)
    assert "0 cited and checked against the source, 1 cited from memory" in page


def test_examples_are_the_first_patients(run: Run) -> None:
    examples = pick_examples(run)
    numbers = run.patients.to_pandas()["patient"].unique()[:3]
    assert [example.patient for example in examples] == numbers.tolist()
    record = run.record.to_pandas().astype({"world": str, "variable": str})
    for example in examples:
        for world, timeline in zip(("factual", "treated", "untreated"), example.timelines, strict=True):
            mine = record[(record["patient"] == example.patient) & (record["world"] == world)]
            seen = mine[mine["variable"] == "burden_seen"]
            assert timeline.values.get("burden_seen", []) == list(zip(seen["time"], seen["value"], strict=True))


def test_the_command_makes_the_run_again(run: Run, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from nosograph.commands import app

    words = command_of(run)
    assert tag("pre", shlex.join(words)) in page
    monkeypatch.chdir(run.folder)
    before = random.getstate()
    result = CliRunner().invoke(app, [*words[1:], "--json"])
    random.setstate(before)  # the progress bar draws from it
    assert result.exit_code == 0, result.output
    again = json.loads((run.folder / "again" / "manifest.json").read_text())
    assert again["dataset_sha256"] == run.manifest["dataset_sha256"]
    assert again["files"]["truth/part-00001.parquet"] == run.manifest["files"]["truth/part-00001.parquet"]


def verification() -> Verification:
    estimates = tuple(Estimate(method, -0.25, 0.02) for method in DECIDING)
    found = Examination(
        effect="drug -> burden_seen @ 18 months", truth=-0.26, naive=Estimate("difference of means", 0.4, 0.1),
        estimates=estimates, refutations=(Refutation("placebo treatment", 0.01, True),), identifiable=True,
        confounded=True, recovered=True, naive_misses=True, reason="", adjustment=("age",), rows=900, left_out=0.1,
    )  # fmt: skip
    lost = replace(
        found, effect="sex -> burden_seen @ 1 year", naive=None, estimates=(), refutations=(), identifiable=False,
        recovered=None, naive_misses=None, reason="not identifiable: sex <- hidden <script>x</script> -> burden_seen",
    )  # fmt: skip
    missed = replace(found, truth=0.5, recovered=False, naive_misses=False)
    return Verification((found, lost, missed), "clinic", 1_000, 7)


def test_a_verification_is_kept_and_shown_again(run: Run) -> None:
    given = write_report(run, verification=verification()).read_text()
    assert json.loads((run.folder / "verification.json").read_text()) == verification().as_json()
    assert write_report(open_run(run.folder)).read_text() == given
    assert "Recovered, and missed without adjustment." in given
    assert "Not identifiable from the record: sex &lt;- hidden &lt;script&gt;" in given
    assert "Missed by the adjusted estimates, and not missed without either." in given
    rows = Reader(given).rows
    assert ["truth", "", "−0.2600"] in rows
    assert [DECIDING[0], "", "−0.2500(−0.2892 to −0.2108)"] in [
        [cell.replace(" (", "(") for cell in row] for row in rows
    ]
    (run.folder / "verification.json").unlink()


def test_a_verification_of_another_model_is_refused(run: Run) -> None:
    with pytest.raises(NosographError, match="another model"):
        write_report(run, verification=replace(verification(), model="other"))
    assert not (run.folder / "verification.json").exists()
    (run.folder / "verification.json").write_text("{")
    with pytest.raises(NosographError, match=r"verification\.json"):
        write_report(run)
    (run.folder / "verification.json").unlink()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12.2), (1e-7, 3e-7), (55, 1e6), (-1, 0)])
def test_ticks_are_round_and_within(low: float, high: float) -> None:
    ticks = Scale(low, high, 0, 100).ticks()
    steps = np.diff(ticks)
    assert 3 <= len(ticks) <= 7
    assert all(low - 1e-9 * high <= tick <= high + 1e-9 * high for tick in ticks)
    assert np.allclose(steps, steps[0])
    assert re.match(r"[125]\.?0*e", f"{steps[0]:.9e}")


def test_labels() -> None:
    assert [show_unit(unit) for unit in ("[Centiloid]", "{score}", "1", "a", "mm[Hg]", "/a")] == [
        "Centiloid", "score", "", "years", "mmHg", "/a",
    ]  # fmt: skip
    assert [show(value) for value in (1234.5, -0.01234, 12.0, float("nan"))] == ["1,234", "−0.0123", "12", "–"]
    assert span([3.0, 3.0]) == (1.5, 4.5)
    assert span([float("nan")]) == (0.0, 1.0)


def test_of_many_findings_those_that_differ_are_drawn_and_all_are_in_a_table(tmp_path: Path) -> None:
    count = MOST_SHARES + 3
    findings = [
        {
            "name": f"f{n}",
            "title": f"Finding {n}",
            "kind": "state",
            "start": f"Bernoulli(0.{n + 10})",
            "mechanism": f"f{n}[-1]",
        }
        for n in range(count)
    ]
    noted = [{"name": f"f{n}_noted", "kind": "measurement", "of": f"f{n}", "mechanism": f"f{n}"} for n in range(count)]
    variables = {
        row.pop("name"): row
        for row in [*findings, *noted, {"name": "size", "kind": "state", "mechanism": "Normal(5, 1)"}]
    }
    document = {"id": "many", "clock": {"step": "1 year", "horizon": "2 years", "unit": "year"}, "variables": variables}
    file = tmp_path / "many.yaml"
    file.write_text(json.dumps(document))
    last = f"f{count - 1}"
    simulate_to(load_model(file), tmp_path / "run", patients=200, seed=1, worlds=[f"none: {last} = 0"])
    run = open_run(tmp_path / "run")
    drawn, table = choose_curves(
        [c for v in run.model.variables.values() if v.kind != "static" for c in follow(run, v)]
    )
    assert [c.variable.name for c in drawn] == ["size", *(f"f{n}" for n in range(MOST_SHARES - 1)), last]
    assert [c.variable.name for c in table] == [f"f{n}" for n in range(count)]
    page = compose_page(run, None)
    truth = run.table("truth").to_pandas()
    rows = truth[(truth["time"] == 2) & (truth["world"] == "factual")]
    for n in range(count):
        share = f"{100 * rows[f'f{n}'].mean():.1f}%"
        other = "0.0%" if f"f{n}" == last else share
        cells = "".join(f'<td class="number">{cell}</td>' for cell in ("2", share, other))
        assert f'<th scope="row">Finding {n}</th>{cells}' in page
    assert "f12_noted" not in page.split('id="events"')[0]
    assert name_some(["a"] * 14).endswith("a, a and 2 more")
